import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { eventTypes, openSqliteEventLog, type EventLog } from '#libs/event-log';
import { eventId, type Fact } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import { openReadModels } from '#libs/read-models';
import { runDecider, type RunEvent } from '#libs/run';
import { longRun, makeWorkshop } from './long-run.ts';
import { median } from './median.ts';

/** Events a second. */
export interface ReplayBench {
  readonly events: number;
  /** Folding alone, of events in memory. */
  readonly evolved: number;
  /** A run's state from its log file: read, hashes and links checked, parsed, folded. */
  readonly loaded: number;
  /** All views made anew from the log file. */
  readonly rebuilt: number;
}

const BATCH = 1000;

const fill = async (log: EventLog, stream: string, facts: readonly Fact[]): Promise<void> => {
  for (let at = 0; at < facts.length; at += BATCH) {
    const events = facts.slice(at, at + BATCH).map(({ type, data }, index) => ({
      id: eventId(stream, at + index),
      type,
      data,
      metadata: {
        correlationId: 'bench',
        causationId: 'bench',
        actor: { role: 'harness', id: 'bench' } as const,
        time: '2026-01-01T00:00:00.000Z',
        schemaVersion: schemaVersionOf(type),
      },
    }));
    const appended = await log.append(stream, at === 0 ? 'no-stream' : at - 1, events);
    if (!appended.ok) throw new Error(appended.error.message);
  }
};

const perSecond = async (
  repetitions: number,
  events: number,
  work: () => Promise<void> | void,
): Promise<number> => {
  const speeds: number[] = [];
  // Repetition 0 warms up.
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    const since = performance.now();
    await work();
    speeds.push((events * 1000) / (performance.now() - since));
  }
  return median(speeds.slice(1));
};

/** One run's log of about so many events, folded and projected; the events' payloads are checked elsewhere. */
export const benchReplay = async (wanted: number, repetitions = 3): Promise<ReplayBench> => {
  const { run, runId, study, studyId } = longRun(makeWorkshop(), wanted);
  const [facts, stream] = [run as readonly RunEvent[], `run-${runId}`];
  const folder = await mkdtemp(join(tmpdir(), 'bench-replay-'));
  try {
    const types = eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null })));
    const opened = openSqliteEventLog(join(folder, 'log.sqlite'), types);
    if (!opened.ok) throw new Error(opened.error.message);
    const { log } = opened.value;
    await fill(log, `study-${studyId}`, study);
    await fill(log, stream, facts);
    const views = await openReadModels({ kind: 'sqlite', path: join(folder, 'views.sqlite') });
    const { initialState, evolve } = runDecider;
    const result = {
      events: facts.length,
      evolved: await perSecond(repetitions, facts.length, () => {
        facts.reduce(evolve, initialState);
      }),
      loaded: await perSecond(repetitions, facts.length, async () => {
        let state = initialState;
        for await (const event of log.readStream<RunEvent>(stream))
          state = evolve(state, event as unknown as RunEvent);
      }),
      rebuilt: await perSecond(repetitions, facts.length, async () => {
        await views.rebuild(log);
      }),
    };
    await views.close();
    await log.close();
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
