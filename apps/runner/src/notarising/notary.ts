import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatCheckpoint, formatVerifierKey, toBase64 } from '#libs/checkpoints';
import { CorruptEvent, UnknownEventVersion } from '#libs/event-log';
import {
  deriveId,
  ok,
  refused,
  type Actor,
  type RecordedEvent,
  type Refusal,
  type Result,
  type StoredEvent,
} from '#libs/kernel';
import { openLogTree, sha256, type Leaf, type LogTree } from '#libs/log-tree';
import { HASH_BYTES, leafHash, sameHash, TILE_WIDTH } from '#libs/merkle';
import {
  commitmentLines,
  notaryKey,
  notaryReplay,
  signNote,
  streamHeads,
  type CheckpointSigned,
  type NotaryCommand,
  type NotaryEvent,
  type NotarySigner,
  type NotaryState,
} from '#libs/notary';
import { keyIdOf } from '#libs/signatures';
import { NOTARY_ACTOR } from '../actors.ts';
import type { Ledger } from '../ledger.ts';
import { NOTARY, NOTARY_PORTS } from '../streams.ts';
import { withLease } from '../supervising/with-lease.ts';
import { BATCH, compareWithSigned } from './compare-tree.ts';
import type { Judge } from './judge.ts';
import {
  goneStream,
  isTrouble,
  leafCheck,
  leavesOf,
  nameOf,
  readLeaf,
  TooNewToSign,
  type LeafCheck,
  type Trouble,
} from './new-leaves.ts';

/** All of a ledger that a notary needs: no keys of the harness, no way to the data. */
export type NotaryLedger = Pick<Ledger, 'folder' | 'log' | 'notary' | 'leases'>;

/** Folder of the tree's files, below the home folder. */
export const LOG_TREE = 'log-tree';
/** Of all processes on one ledger one at a time signs. */
export const NOTARY_LEASE = 'notary';

export type SealRefusalCode =
  /** The log is not what was signed, or not what the rules make: an alarm stands, and nothing is signed. */
  | 'notary-alarm'
  /** Another process holds the notary's lease. */
  | 'notary-elsewhere'
  /** The log is signed with another key, or under another origin. */
  | 'other-notary'
  /** An event of a newer version: it can't be judged by this program. */
  | 'too-new-to-sign'
  /** Another notary, or a human, wrote to the notary's stream meanwhile. */
  | 'lost-race';

export type SealRefusal = Refusal<SealRefusalCode>;

export interface NotaryOptions {
  readonly signer: NotarySigner;
  /** The log's name among all logs; null: the one that it has, or one made of the key. */
  readonly origin: string | null;
  readonly judge: Judge;
}

export interface Sealed {
  /** Null for a log without events, of which nothing is signed. */
  readonly checkpoint: CheckpointSigned['data'] | null;
  /** Whether it was signed now; false where nothing came since. */
  readonly isNew: boolean;
  readonly origin: string;
  /** What an auditor is given: a C2SP vkey. */
  readonly verifierKey: string;
}

/** A notary at work: whoever has one holds its lease. */
export interface Notary {
  /** Signs what the log is now, if it grew. The first time it reads all of the log, then what came since. */
  seal(): Promise<Result<Sealed, SealRefusal>>;
  /** Shows what was signed last to extend a smaller tree. @throws RangeError for a size that it doesn't have */
  readonly proveFrom: (size: number) => Promise<readonly Uint8Array[]>;
  /** One command to the notary's stream, decided after what this notary has seen of it. */
  record(command: NotaryCommand, actor?: Actor): Promise<Result<null, SealRefusal>>;
  raise(trouble: Trouble): Promise<Result<never, SealRefusal>>;
  /** What was signed last, and who else holds it. */
  state(): Promise<NotaryState>;
  /** Position of the newest event that it took into the tree; null for none. */
  reached(): number | null;
}

const fail = (code: SealRefusalCode, message: string) => refused({ code, message });

interface Standing {
  readonly state: NotaryState;
  readonly head: RecordedEvent<NotaryEvent> | null;
  /** What is wrong with the stream itself. */
  readonly trouble: Trouble | null;
}

const openNotary = (
  { log, notary }: NotaryLedger,
  { signer, origin: wanted, judge }: NotaryOptions,
  tree: LogTree,
  signal: AbortSignal,
): Notary => {
  const replay = notaryReplay(NOTARY_PORTS);
  let standing: Standing = { state: replay.initialState, head: null, trouble: null };
  /** The newest leaf, and whether the tree is known to be the log's. */
  let newest: StoredEvent | null = null;
  let check: LeafCheck | null = null;
  /** Where each stream of the tree's leaves ends. */
  let heads = streamHeads(sha256);

  /** Every event of the notary's own stream is decided again: a forged checkpoint must not be extended. */
  const look = async (): Promise<Standing> => {
    const from = standing.head === null ? 0 : standing.head.revision + 1;
    for await (const event of log.readStream<NotaryEvent>(NOTARY, { from })) {
      const { state, head, trouble } = standing;
      const isLinked = event.prev === (head?.hash ?? null);
      const { actor } = event.metadata;
      const next = replay.next(state, event as unknown as NotaryEvent, head, actor);
      // What nobody should have recorded changes nothing, and keeps everything from being signed.
      standing =
        isLinked && next.ok
          ? { state: next.value, head: event, trouble }
          : {
              ...{ state: replay.passOver(state), head: event },
              trouble: trouble ?? {
                reason: 'not-decided',
                found: `${nameOf(event)}: ${next.ok ? `linked to ${event.prev ?? 'nothing'}` : next.error.message}`,
                expected: 'what a notary records, linked to what it recorded before',
              },
            };
    }
    return standing;
  };

  const record = async (
    command: NotaryCommand,
    actor: Actor = NOTARY_ACTOR,
    /** What it was made after, and is refused after anything else; by default what the stream ends with now. */
    after: Standing | null = null,
  ): Promise<Result<null, SealRefusal>> => {
    signal.throwIfAborted();
    const { head } = after ?? (await look());
    const sent = await notary.send(NOTARY, command, actor, head ?? undefined);
    if (sent.ok) {
      await look();
      return ok(null);
    }
    const { code, message } = sent.error;
    if (code === 'lost-race')
      return fail('lost-race', `${message}; another notary signs this log: seal it again`);
    if (code === 'alarmed') return fail('notary-alarm', message);
    // What this notary made of a log that it compared is recorded, or a file of its tree was changed since.
    check = null;
    throw new Error(`the notary's own ${command.type} was refused: ${message}`);
  };

  const raise = async (trouble: Trouble): Promise<Result<never, SealRefusal>> => {
    check = null;
    const { head, state } = await look();
    const size = state.last?.size ?? 0;
    const raised = await record({
      type: 'RaiseAlarm',
      id: deriveId('notary-alarm', head?.id ?? ''),
      data: { append: null, ...trouble, size },
    });
    if (!raised.ok) return raised;
    return fail('notary-alarm', alarmMessage(trouble, standing.state.alarm?.revision ?? null));
  };

  /** Opens the notary where nobody did, and refuses a key or an origin that isn't the log's. */
  const open = async (): Promise<Result<{ origin: string; verifierKey: string }, SealRefusal>> => {
    const { state } = await look();
    const origin = wanted ?? state.origin ?? `holdfast/${keyIdOf(signer.publicKey)}`;
    const verifierKey = formatVerifierKey(notaryKey(sha256, origin, signer));
    if (state.origin === null) {
      const opened = await record({
        type: 'OpenNotary',
        id: deriveId('open-notary', origin, verifierKey),
        data: { origin, verifierKey },
      });
      return opened.ok ? ok({ origin, verifierKey }) : opened;
    }
    if (state.origin !== origin || state.verifierKey !== verifierKey)
      return fail(
        'other-notary',
        `found the key ${verifierKey} to sign with, expected ${state.verifierKey ?? 'none'}: give the notary the key that the log has (the file keys/notary.pem, or HOLDFAST_NOTARY_KEY), or have both keys sign the change with "holdfast notary rotate"; an origin is fixed for good`,
      );
    return ok({ origin, verifierKey });
  };

  /** Takes what came since the newest leaf into the tree. */
  const extend = async (leaf: LeafCheck): Promise<Trouble | null> => {
    let batch: Leaf[] = [];
    // From before the newest leaf, to see that it is still there.
    let owed = tree.size > 0;
    const after = tree.positionOf(tree.size - 2);
    for await (const stored of leavesOf(log, after)) {
      signal.throwIfAborted();
      if (owed) {
        owed = false;
        if (isNewestLeaf(tree, stored)) {
          newest = stored;
          continue;
        }
        return {
          reason: 'not-an-extension',
          found: `${nameOf(stored)} (${stored.hash}) as event ${tree.size - 1} of the log`,
          expected: 'the event that the notary saw there',
        };
      }
      const event = readLeaf(stored);
      const trouble = isTrouble(event) ? event : await leaf.see(event);
      if (trouble !== null) return trouble;
      heads.see(stored);
      batch.push(stored);
      newest = stored;
      if (batch.length === BATCH) {
        tree.append(batch);
        batch = [];
      }
    }
    if (owed)
      return {
        reason: 'shorter-log',
        found: `fewer than ${tree.size} events`,
        expected: `at least the ${tree.size} that the notary saw`,
      };
    const trouble = await leaf.end();
    if (trouble === null && batch.length > 0) tree.append(batch);
    return trouble;
  };

  /** Brings the tree to where the log stands. The first time, and after anything went wrong, from the log's start. */
  const follow = async (): Promise<Trouble | null> => {
    try {
      if (check === null) {
        heads = streamHeads(sha256);
        const compared = await compareWithSigned(log, tree, standing.state.last, signal, heads.see);
        if (compared !== null) return compared;
        check = leafCheck(log, judge, {
          headOf: heads.headOf,
          accepted: () => standing.state.accepted,
        });
      }
      return await extend(check);
    } catch (error) {
      const gone = goneStream(error);
      if (gone === null) throw error;
      return gone;
    }
  };

  const seal = async (): Promise<Result<Sealed, SealRefusal>> => {
    const opened = await open();
    if (!opened.ok) return opened;
    const before = standing;
    const { state, trouble } = before;
    if (state.alarm !== null)
      return fail('notary-alarm', alarmMessage(state.alarm, state.alarm.revision));
    const wrong = trouble ?? (await follow());
    if (wrong !== null) return raise(wrong);
    const { last } = state;
    if (newest === null) return ok({ ...opened.value, checkpoint: null, isNew: false });
    const { size } = tree;
    if (last?.size === size)
      return ok({
        ...opened.value,
        checkpoint: (await lastSigned(log))?.data ?? null,
        isNew: false,
      });
    const root = tree.root(size);
    const all = heads.tree();
    const commitment = {
      heads: { streams: all.streams, root: toBase64(all.root) },
      follows:
        before.head === null ? null : { revision: before.head.revision, hash: before.head.hash },
    };
    const text = formatCheckpoint({
      ...{ origin: opened.value.origin, size, root },
      extensions: commitmentLines(commitment),
    });
    const note = await signNote(sha256, opened.value.origin, [signer], text);
    const checkpoint: CheckpointSigned['data'] = {
      size,
      root: toBase64(root),
      note,
      extendsLast: last === null ? [] : tree.consistency(last.size, size).map(toBase64),
      newest: { stream: newest.stream, revision: newest.revision, hash: newest.hash },
      ...commitment,
    };
    const recorded = await record(
      {
        type: 'RecordCheckpoint',
        id: deriveId('checkpoint', opened.value.origin, size, checkpoint.root),
        data: checkpoint,
      },
      NOTARY_ACTOR,
      before,
    );
    return recorded.ok ? ok({ ...opened.value, checkpoint, isNew: true }) : recorded;
  };

  return {
    seal: async () => {
      try {
        return await seal();
      } catch (error) {
        check = null;
        if (error instanceof TooNewToSign || error instanceof UnknownEventVersion)
          return fail('too-new-to-sign', error.message);
        // Its own stream: what it should be raised in can't be read.
        if (error instanceof CorruptEvent)
          return fail(
            'notary-alarm',
            `the notary signs nothing: ${error.message} The notary's own stream must be whole: restore the log from a copy.`,
          );
        throw error;
      }
    },
    proveFrom: async (size) => {
      const { last } = standing.state;
      if (last === null) throw new RangeError('nothing was signed');
      return size === 0 ? [] : tree.consistency(size, last.size);
    },
    record,
    raise,
    state: async () => (await look()).state,
    reached: () => tree.newest,
  };
};

const alarmMessage = (
  { reason, found, expected, append }: Trouble | NonNullable<NotaryState['alarm']>,
  revision: number | null,
): string => {
  const settle = `holdfast notary settle ${revision ?? '<alarm>'}`;
  const otherwise = append
    ? `. Or vouch for what was found, if the rules are wrong about it: ${settle} --accept ${append.hash} --reason "…"`
    : '';
  return `the notary signs nothing (${reason}): found ${found}, expected ${expected}. Restore the log from a copy, then settle the alarm: ${settle} --reason "…"${otherwise}`;
};

const isNewestLeaf = (tree: LogTree, { position, hash }: StoredEvent): boolean => {
  const index = tree.size - 1;
  const tile = tree.tile(0, Math.floor(index / TILE_WIDTH));
  const at = (index % TILE_WIDTH) * HASH_BYTES;
  return (
    tree.positionOf(index) === position &&
    sameHash(tile.subarray(at, at + HASH_BYTES), leafHash(sha256, Buffer.from(hash, 'hex')))
  );
};

/** The newest checkpoint of a log; null where nothing was signed. */
export const lastSigned = async (
  log: Pick<Ledger['log'], 'readStream'>,
): Promise<RecordedEvent<CheckpointSigned> | null> => {
  for await (const event of log.readStream<NotaryEvent>(NOTARY, { direction: 'backwards' }))
    if (event.type === 'CheckpointSigned') return event as RecordedEvent<CheckpointSigned>;
  return null;
};

/** How long one waits for a notary that is about to finish, and how often one looks. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 250;

/**
 * Does something as the notary of a ledger: holds its lease, opens the tree's files, closes them. Refused where another
 * process stays the notary.
 */
export const asNotary = async <T, Refused = SealRefusal>(
  ledger: NotaryLedger,
  options: NotaryOptions,
  work: (notary: Notary, signal: AbortSignal) => Promise<Result<T, Refused>>,
  { stopping = new AbortController().signal, patienceMs = PATIENCE_MS } = {},
): Promise<Result<T, Refused | SealRefusal>> => {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const done = await withLease(ledger.leases, NOTARY_LEASE, stopping, async (signal) => {
      const tree = openLogTree(join(ledger.folder, LOG_TREE));
      try {
        return await work(openNotary(ledger, options, tree, signal), signal);
      } finally {
        tree.close();
      }
    });
    if (done !== 'held') return done;
    if (performance.now() >= giveUp)
      return fail(
        'notary-elsewhere',
        'found another process that is the notary of this log, expected none: it signs by itself; look with "holdfast notary status"',
      );
    await sleep(LOOK_MS, null, { signal: stopping });
  }
};
