import {
  composeBundle,
  readBody,
  writeBundle,
  type Composed,
  type ComposeRefusalCode,
  type Subject,
} from '#libs/bundle';
import { toBase64 } from '#libs/checkpoints';
import { ok, refused, type Refusal, type Result, type StoredEvent } from '#libs/kernel';
import type { LogTreeReader } from '#libs/log-tree';
import { streamHeads } from '#libs/notary';
import type { Ledger } from '../ledger.ts';
import { leavesOf } from '../notarising/index.ts';
import { NOTARY } from '../streams.ts';
import { BUNDLE_PORTS } from './bundle-files.ts';
import { findingAt } from './fork-streams.ts';
import { runOf } from './names.ts';

export type BundleRefusalCode =
  | ComposeRefusalCode
  | 'finding-unknown'
  | 'run-unknown'
  /** No checkpoint covers it, or the tree's files do not go so far. */
  | 'not-sealed';

export interface BundleRequest {
  readonly subject: Subject;
  /**
   * Over a checkpoint of at least so many events: of the same log as one that an auditor was shown, or one that somebody
   * holds. Default: whatever covers the subject.
   */
  readonly atLeast?: number;
  /** Has the log signed as it stands; null: this process signs nothing. */
  readonly seal: (() => Promise<Result<unknown, Refusal>>) | null;
  /** The tree's files as they are now; null where there are none. */
  readonly tree: () => LogTreeReader | null;
  /** What is going on, in a few words; called now and then. */
  readonly onProgress?: (doing: string) => void;
}

export interface MadeBundle extends Pick<Composed, 'verdicts'> {
  readonly checkpoint: { readonly size: number; readonly root: string };
  /** The log's key in force, as an auditor is given it. */
  readonly verifierKey: string;
  /** The bundle's bytes, line by line. Reads the log again; call it once. */
  readonly bytes: () => AsyncGenerator<Uint8Array>;
  /** Closes the tree's files; call it when the bytes were read, or are not wanted. */
  readonly close: () => void;
}

type Refused<T> = Result<T, Refusal>;

/** A checkpoint of the notary's stream, and where that is cut for a bundle that ends with it. */
interface Cut {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly newest: { readonly stream: string; readonly revision: number };
  /** The heads of streams that it commits to; null for one of version 1. */
  readonly heads: { readonly root: string } | null;
  /** Events of the notary's stream up to its next checkpoint: what was said of this one is among them. */
  readonly notaryEvents: number;
  /** The key in force at the cut. */
  readonly verifierKey: string;
}

/**
 * The oldest checkpoint that covers `size` events, commits to the heads of streams and ends with the key that is in
 * force today. The oldest, so that the same finding gives the same bytes however the log grows; with today's key, so
 * that whoever is given it can verify.
 * Null where there is none yet.
 */
const cutAt = (cuts: readonly Cut[], size: number): Cut | null => {
  const key = cuts.at(-1)?.verifierKey;
  return (
    cuts.find((cut) => cut.size >= size && cut.heads !== null && cut.verifierKey === key) ?? null
  );
};

/** Every checkpoint that was signed, from the notary's events as they are stored. */
const readCuts = async ({ log }: Pick<Ledger, 'log'>): Promise<readonly Cut[]> => {
  const cuts: Cut[] = [];
  let origin = '';
  let verifierKey = '';
  let events = 0;
  for await (const { canonical } of log.readStored({ stream: NOTARY })) {
    const body = readBody(canonical);
    const data = (body?.data ?? {}) as Partial<Record<string, string>>;
    if (body?.type === 'CheckpointSigned')
      cuts.push({
        heads: null,
        ...(body.data as unknown as Pick<Cut, 'size' | 'root' | 'newest'>),
        ...{ origin, verifierKey, notaryEvents: events },
      });
    if (body?.type === 'NotaryOpened') {
      origin = String(data['origin']);
      verifierKey = String(data['verifierKey']);
    }
    if (body?.type === 'NotaryKeyRotated') verifierKey = String(data['to']);
    events += 1;
    const last = cuts.at(-1);
    if (last !== undefined)
      cuts[cuts.length - 1] = { ...last, origin, verifierKey, notaryEvents: events };
  }
  return cuts;
};

/** Positions of the last events of the subject's own streams; empty where there is no such subject. */
const headsOf = async (
  { log }: Pick<Ledger, 'log'>,
  streams: readonly string[],
): Promise<readonly number[]> => {
  const heads: number[] = [];
  for (const stream of streams) {
    let head: number | null = null;
    for await (const { position } of log.readStored({ stream })) head = position;
    if (head !== null) heads.push(head);
  }
  return heads;
};

/** The findings of a run, in the order of their numbers. */
const findingsOf = async ({ log }: Pick<Ledger, 'log'>, runId: string): Promise<string[]> => {
  const findings: string[] = [];
  for (let number = 1; ; number += 1) {
    const findingId = `${runId}-f${number}`;
    const stored = log.readStored({ stream: `finding-${findingId}` })[Symbol.asyncIterator]();
    const first = await stored.next();
    await stored.return?.();
    if (first.done === true) return findings;
    findings.push(findingId);
  }
};

/** How many of the tree's first leaves hold all these positions; null where it does not go so far. */
const covering = (tree: LogTreeReader | null, positions: readonly number[]): number | null => {
  let size = 0;
  for (const position of positions) {
    const index = tree?.indexOf(position) ?? null;
    if (index === null) return null;
    size = Math.max(size, index + 1);
  }
  return size;
};

const notSealed = (message: string) => refused({ code: 'not-sealed' as const, message });

/**
 * Makes the bundle of a finding or of a run. It depends on the log up to one checkpoint and on nothing else: the oldest
 * one that covers the subject's own streams. Of every other stream it holds what that checkpoint covers, of the
 * notary's what was said until the next one.
 */
export const makeBundle = async (
  ledger: Pick<Ledger, 'log' | 'sourceTree'>,
  { subject, atLeast = 0, seal, tree: openTree, onProgress = () => undefined }: BundleRequest,
): Promise<Refused<MadeBundle>> => {
  const { id, kind } = subject;
  const own =
    kind === 'finding'
      ? [`finding-${id}`, `run-${runOf(id)}`]
      : [`run-${id}`, ...(await findingsOf(ledger, id)).map((each) => `finding-${each}`)];
  const heads = await headsOf(ledger, own);
  if (heads.length < own.length || heads.length === 0)
    return refused({
      code: `${kind}-unknown`,
      message: `found no ${kind} ${id}; list them with: npx holdfast ${kind}s`,
    });

  let tree = openTree();
  let size = covering(tree, heads);
  let cut = size === null ? null : cutAt(await readCuts(ledger), Math.max(size, atLeast));
  if (cut === null && seal !== null) {
    onProgress('having the log signed');
    tree?.close();
    const sealed = await seal();
    if (!sealed.ok) return sealed;
    tree = openTree();
    size = covering(tree, heads);
    cut = size === null ? null : cutAt(await readCuts(ledger), Math.max(size, atLeast));
  }
  if (tree === null || cut === null) {
    tree?.close();
    return notSealed(
      `found no checkpoint that covers ${kind} ${id}${atLeast > 0 ? ` and ${atLeast} events` : ''}, expected one that the notary signed since and that commits to the heads of all streams; it signs at the end of each run and at an interval`,
    );
  }
  let isMade = false;
  try {
    const made = await compose(ledger, subject, cut, tree, onProgress);
    isMade = made.ok;
    return made;
  } finally {
    if (!isMade) tree.close();
  }
};

const compose = async (
  { log, sourceTree }: Pick<Ledger, 'log' | 'sourceTree'>,
  subject: Subject,
  cut: Cut,
  tree: LogTreeReader,
  onProgress: (doing: string) => void,
): Promise<Refused<MadeBundle>> => {
  const end = tree.positionOf(cut.size - 1);
  if (end === null)
    return notSealed(
      `found a tree of ${tree.size} events, expected one of the ${cut.size} that were signed; the notary makes it again from the log`,
    );
  let events = 0;
  const count = (): void => {
    events += 1;
    if (events % 10_000 === 0) onProgress(`${events.toLocaleString('en-US')} events read`);
  };
  async function* covered(stream: string): AsyncGenerator<StoredEvent> {
    let revision = 0;
    for await (const event of log.readStored({ stream })) {
      if (stream === NOTARY ? revision === cut.notaryEvents : event.position > end!) return;
      revision += 1;
      count();
      yield event;
    }
  }
  onProgress('looking where each stream of the log ends');
  const ends = streamHeads(BUNDLE_PORTS.sha256Bytes);
  for await (const event of leavesOf(log, null)) {
    if (event.position > end) break;
    count();
    ends.see(event);
  }
  const heads = ends.tree();
  if (toBase64(heads.root) !== cut.heads?.root)
    return notSealed(
      `found a log whose streams end otherwise than the checkpoint of ${cut.size} events commits to, expected the log that was signed; look with: npx holdfast notary status`,
    );
  const composed = await composeBundle(
    {
      ...BUNDLE_PORTS,
      origin: cut.origin,
      stream: covered,
      leafOf: (position) => {
        const index = tree.indexOf(position);
        if (index === null) throw new Error(`the tree has no leaf at position ${position}`);
        return { index, proof: tree.inclusion(index, cut.size) };
      },
      headOf: (stream) => {
        const place = heads.proofOf(stream);
        if (place === null) throw new Error(`${stream} is not among the log's streams`);
        return place;
      },
      readObject: (oid) => sourceTree.readObject(oid),
      findingsOf: (runId) => findingsOf({ log }, runId),
      findingAt: (point) => findingAt({ log }, point),
    },
    subject,
  );
  if (!composed.ok) return composed;
  const { content, verdicts } = composed.value;
  return ok({
    verdicts,
    checkpoint: { size: cut.size, root: cut.root },
    verifierKey: cut.verifierKey,
    bytes: () => writeBundle(content),
    close: () => {
      tree.close();
    },
  });
};
