import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  LOG_TREE,
  NO_ANCHORS,
  notaryStatus,
  openLedger,
  openSealing,
  tagSeries,
  type Ledger,
  type NotarySettings,
} from '#apps/runner';
import { formatVerifierKey, SIGNATURE_TYPES, toBase64 } from '#libs/checkpoints';
import { deriveId } from '#libs/kernel';
import { readLogTree } from '#libs/log-tree';
import { appendLeaf, EMPTY_FRONTIER, leafHash, rootOf } from '#libs/merkle';
import { notaryKey, type CheckpointAnchored, type CheckpointSigned } from '#libs/notary';
import { NOTARY, NOTARY_PORTS } from '../../apps/runner/src/streams.ts';
import { signerOf } from '../../libs/checkpoints/src/testing/signers.ts';
import { startWitness, type WitnessDouble } from '../doubles/witness/witness.ts';
import { git } from './git.ts';
import { startNode, type Ending } from './node-process.ts';
import { temporaryFolder } from './prepared.ts';
import { good } from './results.ts';

const DRIVER = join(import.meta.dirname, 'notary-driver.ts');
const ORIGIN = 'ledger.example/killed';
const WITNESS = 'witness.example';

/** Where a notary dies. `follow`: it does not, but is killed from outside. */
export type Step = 'seal' | 'tiles' | 'before' | 'after' | 'ref' | 'follow';

export interface Killed {
  /** Checkpoints that were signed in spite of it. */
  readonly checkpoints: number;
  readonly leaves: number;
}

export interface NotaryBench {
  /** So many more events in the log, of several streams. */
  readonly grow: (count: number) => Promise<void>;
  /** A notary in a process of its own, which dies at the nth such step. */
  readonly notary: (
    step: Step,
    nth?: number,
  ) => {
    readonly ended: Promise<Ending>;
    /** Until one that follows has sealed once. */
    readonly sealed: Promise<unknown>;
    readonly kill: () => void;
  };
  /** How many hold the newest checkpoint beside the log. */
  readonly anchors: () => Promise<number>;
  /** One history, in the log, its tree, the remote and the witness; the newest checkpoint is held by all. */
  readonly look: () => Promise<Killed>;
  readonly close: () => Promise<void>;
}

/** A home whose log grows, a remote and a witness on loopback, and notaries that can be killed. */
export const notaryBench = async (): Promise<NotaryBench> => {
  const root = await temporaryFolder();
  const [home, remote] = [join(root, 'home'), join(root, 'remote.git')];
  git(root, 'init', '--bare', '-q', remote);
  const ledger: Ledger = good(await openLedger({ folder: home }));
  const bare: NotarySettings = { key: null, origin: ORIGIN, ...NO_ANCHORS, remote };
  const { signer } = good(await openSealing(home, bare));
  const cosigner = signerOf(WITNESS, SIGNATURE_TYPES.cosignature);
  const witness: WitnessDouble = await startWitness({
    ...NOTARY_PORTS,
    ...{ signer: cosigner, logs: [notaryKey(NOTARY_PORTS.sha256, ORIGIN, signer)] },
    now: () => Math.floor(Date.now() / 1000),
  });
  const settings: NotarySettings = {
    ...bare,
    witnesses: [{ url: witness.url, verifierKey: formatVerifierKey(cosigner.key) }],
  };

  let reads = 0;
  const grow = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      reads += 1;
      good(
        await ledger.reads.send(
          `auditor-${reads % 3}`,
          {
            type: 'RecordRead',
            id: deriveId('read', reads),
            data: { operation: 'getRun', asked: { id: `run-${reads}` } },
          },
          { role: 'auditor', id: `auditor-${reads % 3}` },
        ),
      );
    }
  };

  const events = async <Data>(type: string): Promise<readonly Data[]> => {
    const found: Data[] = [];
    for await (const event of ledger.log.readStream(NOTARY))
      if (event.type === type) found.push(event.data as Data);
    return found;
  };

  const look = async (): Promise<Killed> => {
    expect(await notaryStatus(ledger.log)).toMatchObject({ alarm: null, problem: null });
    const roots = [''];
    let frontier = EMPTY_FRONTIER;
    for await (const { stream, hash } of ledger.log.readStored()) {
      if (stream === NOTARY) continue;
      const leaf = leafHash(NOTARY_PORTS.sha256, Buffer.from(hash, 'hex'));
      frontier = appendLeaf(NOTARY_PORTS.sha256, frontier, leaf);
      roots.push(toBase64(rootOf(NOTARY_PORTS.sha256, frontier)));
    }
    const signed = await events<CheckpointSigned['data']>('CheckpointSigned');
    for (const { size, root: said } of signed) expect(said).toBe(roots[size]);
    expect(signed.map(({ size }) => size)).toEqual(
      [...new Set(signed.map(({ size }) => size))].sort((a, b) => a - b),
    );
    const newest = signed.at(-1)!;
    expect(newest.size).toBe(roots.length - 1);

    const tree = readLogTree(join(home, LOG_TREE))!;
    expect(tree.size).toBe(newest.size);
    for (const { size, root: said } of signed) expect(toBase64(tree.root(size))).toBe(said);
    tree.close();

    const anchored = await events<CheckpointAnchored['data']>('CheckpointAnchored');
    const holders = anchored.filter(({ size }) => size === newest.size).map(({ kind }) => kind);
    expect(holders.sort()).toEqual(['git-tag', 'witness']);
    // Whatever the remote was given is of this history, recorded or not.
    const series = tagSeries(ORIGIN);
    const tags = git(remote, 'for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/tags')
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]);
    for (const [name] of tags) {
      const size = Number(name.slice(series.length + 1));
      const note = signed.find((each) => each.size === size)!.note;
      expect(git(remote, 'cat-file', 'tag', name)).toContain(note.trim());
    }
    for (const { kind, size, evidence } of anchored)
      if (kind === 'git-tag') expect(new Map(tags).get(`${series}/${size}`)).toBe(evidence);
    expect(witness.seen.get(ORIGIN)).toMatchObject({ size: newest.size });
    return { checkpoints: signed.length, leaves: newest.size };
  };

  return {
    grow,
    notary: (step, nth = 1) => {
      const { ended, stdout, kill } = startNode(
        ...[DRIVER, home, JSON.stringify(settings), step, String(nth)],
      );
      return { ended, sealed: once(stdout, 'data'), kill };
    },
    anchors: async () => (await notaryStatus(ledger.log)).anchors.length,
    look,
    close: async () => {
      await ledger.close();
      await witness.close();
      await rm(root, { recursive: true, force: true });
    },
  };
};

/** Kills notaries that follow a growing log, at a random moment after they sealed once; then one signs in peace. */
export const killFollowers = async (rounds: number): Promise<Killed> => {
  const bench = await notaryBench();
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { ended, sealed, kill } = bench.notary('follow');
      await Promise.race([sealed, ended]);
      const until = performance.now() + Math.random() * 400;
      while (performance.now() < until) {
        await bench.grow(1 + Math.floor(Math.random() * 5));
        await sleep(Math.random() * 10);
      }
      kill();
      expect(await ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    }
    expect(await bench.notary('seal').ended).toMatchObject({ exitCode: 0, stderr: '' });
    return await bench.look();
  } finally {
    await bench.close();
  }
};
