import type { FindingProposed, FindingVerified, VerdictRow } from '#libs/findings';
import { reasonOf } from '#libs/kernel';
import type { ForkPoint, RunOpened } from '#libs/run';
import type { Ancestor } from './check.ts';
import { readData, type Source } from './event-versions.ts';
import type { BareEvent, StoredBytes } from './ports.ts';
import {
  bodyOf,
  CHECKS,
  conclude,
  observe,
  observeRun,
  settle,
  startRunVerification,
  startVerification,
} from './verification.ts';
import type { Verification, VerificationPorts } from './verification.ts';

type Stored = StoredBytes | BareEvent;

/** Events in order, from a log or from a file: one by one, or many at a time, since waiting for each takes longer. */
export type StoredEvents = AsyncIterable<Stored | Iterable<Stored>> | Iterable<Stored>;

const lotOf = (given: Stored | Iterable<Stored>): Iterable<Stored> =>
  Symbol.iterator in given ? given : [given];

/** A finding's streams beside its run's, each from its first event. */
export interface OwnStreams {
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

/** A finding's streams, each from its first event. */
export interface FindingStreams extends OwnStreams {
  /** The stream `run-<id>` that the finding came out of. */
  readonly events: StoredEvents;
}

/** What the verifier needs of the world. */
interface World extends VerificationPorts {
  /**
   * The streams of a finding that leads to the state which a run was forked from; null where there is none. Left out:
   * no finding of a forked run passes, unless it was forked from its source.
   */
  readonly forkPoint?: (point: ForkPoint) => Promise<FindingStreams | null>;
}

/** A finding's streams, and the world. */
export interface FindingToVerify extends FindingStreams, World {}

/** The streams of findings that came out of the same run, and the world. */
export interface FindingsToVerify extends World {
  /** The stream `run-<id>` that all of them came out of. */
  readonly events: StoredEvents;
  readonly findings: readonly OwnStreams[];
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
  source: Source,
  events: StoredEvents,
  show: (event: Stored) => void,
  settled: () => Promise<void>,
): Promise<string | null> => {
  let sinceSettled = 0;
  try {
    for await (const given of events)
      for (const event of lotOf(given)) {
        show(event);
        sinceSettled += 1;
        if (sinceSettled < SETTLE_EVERY) continue;
        sinceSettled = 0;
        await settled();
      }
    return null;
  } catch (error) {
    return `the ${source} stream can't be read on: ${reasonOf(error)}`;
  }
};

interface Head {
  readonly events: readonly Stored[];
  readonly proposed: FindingProposed['data'] | null;
  readonly why: string;
}

/** The stream of the finding's data, asked for as it is read: what it is called comes out of the finding. */
async function* dataOf(
  { claim }: FindingProposed['data'],
  read: NonNullable<FindingToVerify['dataEvents']>,
): AsyncIterable<Stored | Iterable<Stored>> {
  const look = (claim as FindingProposed['data']['claim'] | undefined)?.look ?? null;
  if (look !== null) yield* read(look.dataDigest);
}

/** The finding's own stream is short; its first event says what is claimed. */
const readFinding = async (stored: StoredEvents): Promise<Head> => {
  const events: Stored[] = [];
  const unread = (why: string): Head => ({ events, proposed: null, why });
  try {
    for await (const given of stored) for (const event of lotOf(given)) events.push(event);
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
export const verifyFinding = async (request: FindingToVerify): Promise<Verdict> => {
  const [verdict] = await verifyFindings({ ...request, findings: [request] });
  return verdict!;
};

/**
 * Verifies findings of one run as {@link verifyFinding} does each, with the same verdicts: the run's events are read, and
 * what rests on them alone is checked, once for all of them.
 *
 * @returns a verdict for each finding, in their order
 */
export const verifyFindings = async (request: FindingsToVerify): Promise<readonly Verdict[]> =>
  (await verifyAt(request, 0)).map(({ verdict }) => verdict);

/** Forks of forks of forks: beyond so many nobody walks back. */
const DEEPEST = 32;

interface Verified {
  readonly verdict: Verdict;
  readonly proposed: FindingProposed['data'] | null;
  readonly opened: RunOpened['data'] | null;
}

/** A finding whose own streams were read. */
interface Claimed {
  readonly proposed: FindingProposed['data'];
  readonly verification: Verification;
  /** Why its streams can't be read on, if so. */
  readonly problems: readonly (string | null)[];
}

const verifyAt = async (
  { events, findings, forkPoint = () => Promise.resolve(null), ...ports }: FindingsToVerify,
  depth: number,
): Promise<readonly Verified[]> => {
  const run = startRunVerification(ports);
  const lookUp = async (point: ForkPoint): Promise<Ancestor | null> => {
    const streams = depth < DEEPEST ? await forkPoint(point) : null;
    if (streams === null) return null;
    const [found] = await verifyAt(
      { ...ports, events: streams.events, findings: [streams], forkPoint },
      depth + 1,
    );
    const finding = found?.proposed ?? null;
    if (found === undefined || finding === null) return null;
    return { verdict: found.verdict.verdict, finding, opened: found.opened };
  };
  let found: Promise<Ancestor | null> | null = null;
  // A run was forked from one point: all its findings ask for the same.
  const ancestor = (point: ForkPoint) => (found ??= lookUp(point));

  const claim = async (streams: OwnStreams): Promise<Claimed | Verified> => {
    const { findingEvents, studyEvents, dataEvents = () => [] } = streams;
    const { events: claimed, proposed, why } = await readFinding(findingEvents);
    if (proposed === null)
      return {
        verdict: verdictOf(
          CHECKS.map(({ row, expected }) => ({ row, passed: false, found: why, expected })),
        ),
        proposed,
        opened: null,
      };
    const verification = startVerification(proposed, run, ancestor);
    const own = (source: Exclude<Source, 'run'>, stored: StoredEvents) =>
      feed(
        source,
        stored,
        (event) => observe(verification, source, event),
        () => settle(verification),
      );
    const problems = [
      await own('finding', claimed),
      await own('study', studyEvents),
      await own('data', dataOf(proposed, dataEvents)),
    ];
    return { proposed, verification, problems };
  };

  const read: (Claimed | Verified)[] = [];
  for (const each of findings) read.push(await claim(each));
  const verifications = read.flatMap((each) => ('verification' in each ? each.verification : []));
  const problem =
    verifications.length === 0
      ? null
      : await feed(
          'run',
          events,
          (event) => observeRun(run, verifications, event),
          async () => {
            for (const each of [run, ...verifications]) await settle(each);
          },
        );

  const all: Verified[] = [];
  for (const each of read) {
    if ('verdict' in each) {
      all.push(each);
      continue;
    }
    const { proposed, verification, problems } = each;
    const rows = await conclude(verification);
    const said = [...problems, problem].filter((one) => one !== null);
    all.push({
      verdict: verdictOf(said.length === 0 ? rows : unreadable(rows, said.join('; '))),
      proposed,
      opened: run.pinned.opened,
    });
  }
  return all;
};
