import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { eventTypes, openSqliteEventLog, type EventLog } from '#libs/event-log';
import { eventId, type Fact } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import { openReadModels, type DatabaseTarget } from '#libs/read-models';
import { postgresMissing, startPostgres } from '../test/support/postgres.ts';
import { longRun, makeWorkshop } from './long-run.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

export interface RebuildBench {
  readonly events: number;
  readonly runs: number;
  /** Events a second, of a rebuild from the log file. */
  readonly sqlite: number;
  /** The same into PostgreSQL on this machine, its commits not forced to disk; or why it was not measured. */
  readonly postgres: number | { readonly missing: string };
}

/** Events of a run before those of the next: as many runs at once leave them in the log. */
const TURN = 4;

/** The same run under another id, with all ids in it its own. */
const another = (facts: readonly Fact[], runId: string, number: number): readonly Fact[] => {
  const own = number.toString(16).padStart(12, '0');
  return facts.map(({ type, data }) => {
    const text = JSON.stringify(data).replace(
      /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)[0-9a-f]{12}/g,
      `$1${own}`,
    );
    const copy = JSON.parse(text) as Record<string, unknown>;
    return { type, data: 'runId' in copy ? { ...copy, runId, number } : copy };
  });
};

const append = async (
  log: EventLog,
  stream: string,
  revision: number,
  facts: readonly Fact[],
): Promise<void> => {
  const events = facts.map(({ type, data }, index) => ({
    id: eventId(stream, revision + index),
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
  const appended = await log.append(stream, revision === 0 ? 'no-stream' : revision - 1, events);
  if (!appended.ok) throw new Error(appended.error.message);
};

/** One study with many runs at once, all of its kinds of decision in each; returns how many events that are. */
const fill = async (log: EventLog, runs: number, eventsOfARun: number): Promise<number> => {
  const { run, study, studyId } = longRun(makeWorkshop(), eventsOfARun);
  const counted = study.filter(({ type }) => type === 'RunCounted');
  const names = Array.from({ length: runs }, (_, index) => `bench-${index + 1}`);
  const registered = [
    ...study.filter(({ type }) => type === 'StudyRegistered'),
    ...names.flatMap((name, index) => another(counted, name, index + 1)),
  ];
  await append(log, `study-${studyId}`, 0, registered);
  const streams = names.map((name, index) => another(run, name, index + 1));
  for (let at = 0; at < run.length; at += TURN)
    await Promise.all(
      streams.map((facts, index) =>
        append(log, `run-${names[index]}`, at, facts.slice(at, at + TURN)),
      ),
    );
  return registered.length + runs * run.length;
};

const speedOf = async (
  target: DatabaseTarget,
  log: EventLog,
  events: number,
  repetitions: number,
): Promise<number> => {
  const views = await openReadModels(target);
  try {
    const speeds: number[] = [];
    // Repetition 0 warms up.
    for (let repetition = 0; repetition <= repetitions; repetition += 1) {
      const since = performance.now();
      const rebuilt = await views.rebuild(log);
      if (rebuilt !== events) throw new Error(`rebuilt ${rebuilt} of ${events} events`);
      speeds.push((events * 1000) / (performance.now() - since));
    }
    return median(speeds.slice(1));
  } finally {
    await views.close();
  }
};

/** All views made anew from a log of many runs at once, on both databases. */
export const benchRebuild = async (
  runs = 100,
  eventsOfARun = 1_000,
  repetitions = 3,
): Promise<RebuildBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-rebuild-'));
  try {
    const types = eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null })));
    const opened = openSqliteEventLog(join(folder, 'log.sqlite'), types);
    if (!opened.ok) throw new Error(opened.error.message);
    const { log } = opened.value;
    const events = await fill(log, runs, eventsOfARun);
    const file = { kind: 'sqlite', path: join(folder, 'views.sqlite') } as const;
    const sqlite = await speedOf(file, log, events, repetitions);
    const postgres = await onPostgres(log, events, repetitions);
    await log.close();
    return { events, runs, sqlite, postgres };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const onPostgres = async (
  log: EventLog,
  events: number,
  repetitions: number,
): Promise<RebuildBench['postgres']> => {
  const missing = postgresMissing();
  if (missing !== null) return { missing };
  const server = await startPostgres();
  try {
    const target = { kind: 'postgres', connectionString: await server.database() } as const;
    return await speedOf(target, log, events, repetitions);
  } finally {
    await server.remove();
  }
};

const AIM = 20_000;

export const rebuildRows = ({ events, runs, sqlite, postgres }: RebuildBench): readonly Row[] => {
  const row = (measure: string, value: number): Row => ({
    ...{ measure, value, unit: '/s', beside: null, ratio: null },
    aim: { text: `at least ${AIM.toLocaleString('en-US')}/s`, met: value >= AIM },
  });
  const log = `${events.toLocaleString('en-US')} events, ${runs} runs`;
  const file = row(`into a SQLite file, ${log}`, sqlite);
  if (typeof postgres !== 'number')
    return [
      file,
      {
        ...{ measure: '  into PostgreSQL: not measured', value: 0, unit: '/s', ratio: null },
        ...{ beside: postgres.missing, aim: null },
      },
    ];
  return [
    file,
    {
      ...row('  into PostgreSQL, commits not forced to disk', postgres),
      beside: `into a SQLite file, ${Math.round(sqlite).toLocaleString('en-US')}/s`,
      ratio: postgres / sqlite,
    },
  ];
};
