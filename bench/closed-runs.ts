import type { EventLog } from '#libs/event-log';
import { eventId, type Actor, type Fact } from '#libs/kernel';
import { schemaVersionOf } from '#libs/payloads';
import { longRun, makeWorkshop } from './long-run.ts';

/** A log of many runs that have ended, with their findings, in several studies. */
export interface ClosedRuns {
  readonly events: number;
  readonly runs: number;
  readonly studies: readonly string[];
  /** The project of the last study; all others are in another one. */
  readonly smallProject: string;
  readonly agents: readonly string[];
}

interface Wanted {
  /** At least so many; whole runs are written. */
  readonly events: number;
  readonly eventsOfARun: number;
  readonly studies: number;
}

/** Runs whose events lie among each other's in the log, and events of each before those of the next. */
const [AT_ONCE, TURN] = [50, 25];
const AGENTS = 20;
const FIRST = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE = 60_000;

const HARNESS: Actor = { role: 'harness', id: 'bench' };
const AGENTS_OWN: readonly string[] = ['HypothesisProposed', 'MutationProposed'];

/** What the verifier says of an honest finding, in the number and length of its rows. */
const VERDICT_ROWS = Array.from({ length: 16 }, (_, row) => ({
  row: `row-${row + 1}`,
  passed: true,
  found: 'all of it is there and hashes to what the events say',
  expected: 'all of it',
}));

interface Line {
  readonly stream: string;
  readonly facts: readonly Fact[];
  readonly actorOf: (fact: Fact) => Actor;
  readonly time: string;
}

/** Appends more to streams that it knows. */
const writerOf = (log: EventLog) => {
  const heads = new Map<string, number>();
  let written = 0;
  const write = async ({ stream, facts, actorOf, time }: Line): Promise<void> => {
    const head = heads.get(stream) ?? -1;
    heads.set(stream, head + facts.length);
    const appended = await log.append(
      stream,
      head < 0 ? 'no-stream' : head,
      facts.map((fact, index) => ({
        id: eventId(stream, head + 1 + index),
        type: fact.type,
        data: fact.data,
        metadata: {
          ...{
            correlationId: stream,
            causationId: 'bench',
            time,
            schemaVersion: schemaVersionOf(fact.type),
          },
          actor: actorOf(fact),
        },
      })),
    );
    if (!appended.ok) throw new Error(appended.error.message);
    written += facts.length;
  };
  return { write, written: () => written };
};

/** Fills an empty log; the events' payloads are checked elsewhere, so its types had better not check them again. */
export const writeClosedRuns = async (
  log: EventLog,
  { events, eventsOfARun, studies: count }: Wanted,
): Promise<ClosedRuns> => {
  const honest = longRun(makeWorkshop(), eventsOfARun);
  const [loop, found] = [JSON.stringify(honest.run), JSON.stringify(honest.finding)];
  const signature = { keyId: 'ab'.repeat(16), value: 'A'.repeat(88) };
  const studies = Array.from({ length: count }, (_, index) => `study${index + 1}`);
  const agents = Array.from({ length: AGENTS }, (_, index) => `agent-${index + 1}`);
  const { write, written } = writerOf(log);
  const harness = (): Actor => HARNESS;
  const time = new Date(FIRST).toISOString();
  for (const [index, studyId] of studies.entries()) {
    const project = index === studies.length - 1 ? 'small' : 'large';
    await write({
      ...{ stream: `study-${studyId}`, actorOf: harness, time },
      facts: [
        { type: 'StudyRegistered', data: { studyId, title: `Study ${index + 1}` } },
        { type: 'StudyPlaced', data: { project, folder: studyId, priority: 5 } },
        ...honest.study.filter(({ type }) => type === 'SplitCommitted'),
      ],
    });
  }

  /** The run under an id of its own, with all ids in it its own. */
  const own = (text: string, ordinal: number): string =>
    text.replaceAll(
      /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)[0-9a-f]{12}/g,
      `$1${ordinal.toString(16).padStart(12, '0')}`,
    );
  const linesOf = (ordinal: number) => {
    const studyId = studies[ordinal % studies.length]!;
    const number = Math.floor(ordinal / studies.length) + 1;
    const runId = `${studyId}-${number}`;
    const findingId = `${runId}-f1`;
    const begun = new Date(FIRST + ordinal * MINUTE).toISOString();
    const agent: Actor = { role: 'agent', id: agents[ordinal % agents.length]! };
    const actorOf = ({ type }: Fact): Actor => (AGENTS_OWN.includes(type) ? agent : HARNESS);
    const run = (JSON.parse(own(loop, ordinal)) as Fact[]).map(({ type, data }) =>
      type === 'RunOpened'
        ? { type, data: { ...(data as object), runId, studyId, number } }
        : { type, data },
    );
    const finding = JSON.parse(own(found, ordinal)) as { type: string; data: { chain: object } };
    const head = (revision: number): Fact => ({
      type: 'RunHeadSigned',
      data: { revision, hash: 'cd'.repeat(32), signature },
    });
    const line = (stream: string, facts: readonly Fact[]): Line => ({
      ...{ stream, facts, actorOf, time: begun },
    });
    return {
      counted: line(`study-${studyId}`, [
        { type: 'RunRequested', data: { runId, number, seed: ordinal, agent: null } },
        { type: 'RunCounted', data: { runId, number, seed: ordinal } },
      ]),
      run: line(`run-${runId}`, [...run, head(run.length - 1)]),
      finding: line(`finding-${findingId}`, [
        {
          ...finding,
          data: { ...finding.data, findingId, chain: { ...finding.data.chain, runId, studyId } },
        },
        {
          type: 'FindingVerified',
          data: {
            ...{ findingId, verdict: 'PASS', rows: VERDICT_ROWS },
            ...{ trust: 'self-signed, unanchored', signature },
          },
        },
      ]),
      end: line(`run-${runId}`, [
        { type: 'RunClosed', data: { findings: [{ findingId, verdict: 'PASS' }] } },
        head(run.length + 1),
      ]),
    };
  };

  let runs = 0;
  while (written() < events) {
    const group = Array.from({ length: AT_ONCE }, (_, index) => linesOf(runs + index));
    runs += group.length;
    // One by one where they share a stream.
    for (const { counted } of group) await write(counted);
    const longest = Math.max(...group.map(({ run }) => run.facts.length));
    for (let at = 0; at < longest; at += TURN)
      await Promise.all(
        group.map(({ run }) => write({ ...run, facts: run.facts.slice(at, at + TURN) })),
      );
    await Promise.all(group.map(({ finding }) => write(finding)));
    await Promise.all(group.map(({ end }) => write(end)));
  }
  return { events: written(), runs, studies, smallProject: 'small', agents };
};
