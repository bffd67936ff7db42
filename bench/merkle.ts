import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { sha256 } from '#libs/log-tree';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_FRONTIER,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type ReadNode,
} from '#libs/merkle';
import { median } from './median.ts';

/** Microseconds each. */
export interface MerkleTimes {
  readonly append: number;
  readonly prove: number;
  readonly verify: number;
  readonly proveConsistency: number;
  readonly verifyConsistency: number;
}

export interface MerkleBench {
  readonly leaves: number;
  readonly ours: MerkleTimes;
  /** golang.org/x/mod/sumdb/tlog, by which the Go checksum database is checked; null where it is not installed. */
  readonly tlog: MerkleTimes | null;
}

/** Proofs that are made, and verified, of each kind. */
const PROOFS = 20_000;

/** The nth leaf or size of a proof: the same ones in both programs, spread over the tree. */
const placeOf = (n: number, below: number): number => (n * 7_919) % below;

const microseconds = (since: number, count: number): number =>
  ((performance.now() - since) * 1000) / count;

const measure = (leaves: number): MerkleTimes & { readonly root: string } => {
  const data = Array.from({ length: leaves }, (_, n) => sha256(Buffer.from(String(n))));
  const levels: Uint8Array[][] = [];
  const read: ReadNode = (level, index) => {
    const node = levels[level]?.[index];
    if (node === undefined) throw new RangeError(`no node ${level}/${index}`);
    return node;
  };
  const each = (check: (n: number) => boolean): number => {
    const since = performance.now();
    for (let n = 0; n < PROOFS; n += 1) if (!check(n)) throw new Error(`proof ${n} does not hold`);
    return microseconds(since, PROOFS);
  };

  const since = performance.now();
  let frontier = EMPTY_FRONTIER;
  for (const leaf of data)
    frontier = appendLeaf(sha256, frontier, leafHash(sha256, leaf), (level, _, node) => {
      (levels[level] ??= []).push(node);
    });
  const append = microseconds(since, leaves);

  const root = rootOf(sha256, frontier);
  const proofs: (readonly Uint8Array[])[] = [];
  const prove = each((n) => {
    proofs.push(inclusionProof(sha256, read, placeOf(n, leaves), leaves));
    return true;
  });
  const verify = each((n) => {
    const leafIndex = placeOf(n, leaves);
    const claim = { leafIndex, treeSize: leaves, leafHash: read(0, leafIndex), root };
    return verifyInclusion(sha256, claim, proofs[n]!);
  });
  const consistent: (readonly Uint8Array[])[] = [];
  const size1 = leaves - 1;
  const older = rootOf(
    sha256,
    data
      .slice(0, size1)
      .reduce((grown, leaf) => appendLeaf(sha256, grown, leafHash(sha256, leaf)), EMPTY_FRONTIER),
  );
  const proveConsistency = each(() => {
    consistent.push(consistencyProof(sha256, read, size1, leaves));
    return true;
  });
  const verifyConsistent = each((n) =>
    verifyConsistency(sha256, { size1, size2: leaves, root1: older, root2: root }, consistent[n]!),
  );
  return {
    ...{ append, prove, verify, proveConsistency },
    verifyConsistency: verifyConsistent,
    root: Buffer.from(root).toString('base64'),
  };
};

/** Where Debian puts the library (golang-golang-x-mod-dev), for the compiler of golang-go. */
const GOPATH = '/usr/share/gocode';

const measureTlog = async (
  leaves: number,
): Promise<(MerkleTimes & { readonly root: string }) | null> => {
  try {
    await access(`${GOPATH}/src/golang.org/x/mod/sumdb/tlog`);
    await promisify(execFile)('go', ['version']);
  } catch {
    return null;
  }
  const { stdout } = await promisify(execFile)(
    'go',
    ['run', 'bench/tlog.go', String(leaves), String(PROOFS)],
    { env: { ...process.env, GO111MODULE: 'off', GOPATH } },
  );
  return JSON.parse(stdout) as MerkleTimes & { readonly root: string };
};

const TIMES = ['append', 'prove', 'verify', 'proveConsistency', 'verifyConsistency'] as const;

const medians = (all: readonly MerkleTimes[]): MerkleTimes =>
  Object.fromEntries(
    TIMES.map((each) => [each, median(all.map((times) => times[each]))]),
  ) as unknown as MerkleTimes;

/** A tree of so many leaves, its proofs, and the same work done by a known implementation, in turns. */
export const benchMerkle = async (leaves: number, repetitions = 3): Promise<MerkleBench> => {
  measure(leaves / 10);
  const ours: MerkleTimes[] = [];
  const tlog: MerkleTimes[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const [here, there] = [measure(leaves), await measureTlog(leaves)];
    ours.push(here);
    if (there === null) continue;
    tlog.push(there);
    if (there.root !== here.root)
      throw new Error(`two trees of the same leaves: ${here.root}, ${there.root}`);
  }
  return { leaves, ours: medians(ours), tlog: tlog.length === 0 ? null : medians(tlog) };
};
