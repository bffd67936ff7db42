import type { FindingProposed, FindingVerified, VerdictRow } from '#libs/findings';
import { reasonOf } from '#libs/kernel';
import type { ForkPoint, RunOpened } from '#libs/run';
import type { Ancestor } from './check.ts';
import { readData, type Source } from './event-versions.ts';
import type { BareEvent, StoredBytes } from './ports.ts';
import { bodyOf, CHECKS, conclude, observe, settle, startVerification } from './verification.ts';
import type { Verification, VerificationPorts } from './verification.ts';

/** Events in order, from a log or from a file. */
export type StoredEvents =
  AsyncIterable<StoredBytes | BareEvent> | Iterable<StoredBytes | BareEvent>;

/** A finding's streams, each from its first event. */
export interface FindingStreams {
  /** The stream `run-<id>` that the finding came out of. */
  readonly events: StoredEvents;
  /** The stream `finding-<id>`; its first event is `FindingProposed`. */
  readonly findingEvents: StoredEvents;
  /** The stream `study-<id>`. */
  readonly studyEvents: StoredEvents;
  /**
   * The stream `data-<digest>` of the data that the claim names. Asked for unless the finding is of version 1, whose
   * looks were counted by their study alone; where it is missing, no other finding passes.
   */
  readonly dataEvents?: (dataDigest: string) => StoredEvents;
}

/** A finding's streams, and what the verifier needs of the world. */
export interface FindingToVerify extends FindingStreams, Omit<VerificationPorts, 'ancestor'> {
  /**
   * The streams of a finding that leads to the state which a run was forked from; null where there is none. Left out:
   * no finding of a forked run passes, unless it was forked from its source.
   */
  readonly forkPoint?: (point: ForkPoint) => Promise<FindingStreams | null>;
}

export interface Verdict {
  readonly verdict: FindingVerified['data']['verdict'];
  /** One row for each condition, always all of them, in a fixed order. */
  readonly rows: readonly VerdictRow[];
  readonly trust: FindingVerified['data']['trust'];
}

/** How many events pass between two looks at the objects that they name. */
const SETTLE_EVERY = 256;

const verdictOf = (rows: readonly VerdictRow[]): Verdict => ({
  verdict: rows.every(({ passed }) => passed) ? 'PASS' : 'BLOCK',
  rows,
  trust: 'self-signed, unanchored',
});

const unreadable = (rows: readonly VerdictRow[], why: string): readonly VerdictRow[] =>
  rows.map((row) => (row.row === 'hash-chain' ? { ...row, passed: false, found: why } : row));

/** Feeds a stream; a log that can't be read on is reported instead of thrown. */
const feed = async (
  verification: Verification,
  source: Source,
  events: StoredEvents,
): Promise<string | null> => {
  let sinceSettled = 0;
  try {
    for await (const event of events) {
      observe(verification, source, event);
      sinceSettled += 1;
      if (sinceSettled < SETTLE_EVERY) continue;
      sinceSettled = 0;
      await settle(verification);
    }
    return null;
  } catch (error) {
    return `the ${source} stream can't be read on: ${reasonOf(error)}`;
  }
};

interface Head {
  readonly events: readonly (StoredBytes | BareEvent)[];
  readonly proposed: FindingProposed['data'] | null;
  readonly why: string;
}

/** The stream of the finding's data, asked for as it is read: what it is called comes out of the finding. */
async function* dataOf(
  { claim }: FindingProposed['data'],
  read: NonNullable<FindingToVerify['dataEvents']>,
): AsyncIterable<StoredBytes | BareEvent> {
  const look = (claim as FindingProposed['data']['claim'] | undefined)?.look ?? null;
  if (look !== null) yield* read(look.dataDigest);
}

/** The finding's own stream is short; its first event says what is claimed. */
const readFinding = async (stored: StoredEvents): Promise<Head> => {
  const events: (StoredBytes | BareEvent)[] = [];
  const unread = (why: string): Head => ({ events, proposed: null, why });
  try {
    for await (const event of stored) events.push(event);
  } catch (error) {
    return unread(`the finding stream can't be read: ${String(error)}`);
  }
  const first = events[0] === undefined ? null : bodyOf(events[0]);
  if (first?.type !== 'FindingProposed')
    return unread('the finding stream does not start with FindingProposed');
  const read = readData('finding', first);
  return 'problem' in read
    ? unread(`the finding stream starts with ${read.problem}`)
    : { events, proposed: read.data as FindingProposed['data'], why: '' };
};

/**
 * Verifies a finding from its events and the git objects that they name, and from nothing else. Every row is
 * answered, with what was found and what was expected; PASS only if all hold. Nothing that the streams or objects
 * hold makes it throw: what is missing, unknown or can't be read is a row that fails. Events are read once, in
 * order, and are not kept.
 *
 * Read the events as they are stored (`EventLog.readStored`): a reading that checks them itself would end where
 * this has to say what is wrong.
 *
 * What PASS says is provenance: how the finding was reached, not that it is true. What happened to the run's stream
 * after the signed head (its close) is no part of the chain.
 *
 * @example
 * const { verdict, rows } = await verifyFinding({
 *   events: log.readStored({ stream: `run-${runId}` }),
 *   findingEvents: log.readStored({ stream: `finding-${findingId}` }),
 *   studyEvents: log.readStored({ stream: `study-${studyId}` }),
 *   dataEvents: (digest) => log.readStored({ stream: `data-${digest}` }),
 *   readObject: (oid) => sourceTree.readObject(oid),
 *   sha256: (bytes) => hash('sha256', bytes, 'hex'),
 *   sha1: (bytes) => hash('sha1', bytes, 'hex'),
 *   verifySignature: verify,
 * });
 */
export const verifyFinding = async (request: FindingToVerify): Promise<Verdict> =>
  (await verifyAt(request, 0)).verdict;

/** Forks of forks of forks: beyond so many nobody walks back. */
const DEEPEST = 32;

interface Verified {
  readonly verdict: Verdict;
  readonly proposed: FindingProposed['data'] | null;
  readonly opened: RunOpened['data'] | null;
}

const verifyAt = async (
  {
    events,
    findingEvents,
    studyEvents,
    dataEvents = () => [],
    forkPoint = () => Promise.resolve(null),
    ...ports
  }: FindingToVerify,
  depth: number,
): Promise<Verified> => {
  const { events: claimed, proposed, why } = await readFinding(findingEvents);
  if (proposed === null)
    return {
      verdict: verdictOf(
        CHECKS.map(({ row, expected }) => ({ row, passed: false, found: why, expected })),
      ),
      proposed,
      opened: null,
    };
  const ancestor = async (point: ForkPoint): Promise<Ancestor | null> => {
    const streams = depth < DEEPEST ? await forkPoint(point) : null;
    if (streams === null) return null;
    const found = await verifyAt({ ...ports, ...streams, forkPoint }, depth + 1);
    if (found.proposed === null) return null;
    const { verdict } = found.verdict;
    return { verdict, finding: found.proposed, opened: found.opened };
  };
  const verification = startVerification(proposed, { ...ports, ancestor });
  const problems = [
    await feed(verification, 'finding', claimed),
    await feed(verification, 'study', studyEvents),
    await feed(verification, 'data', dataOf(proposed, dataEvents)),
    await feed(verification, 'run', events),
  ].filter((problem) => problem !== null);
  const rows = await conclude(verification);
  return {
    verdict: verdictOf(problems.length === 0 ? rows : unreadable(rows, problems.join('; '))),
    proposed,
    opened: verification.pinned.opened,
  };
};
