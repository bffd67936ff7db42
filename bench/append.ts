import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import {
  chain,
  eventTypes,
  openSqliteEventLog,
  unchained,
  type ChainedEvent,
  type EventLog,
  type EventTypes,
} from '#libs/event-log';
import { eventId, type Fact, type NewEvent } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import { longRun, makeWorkshop } from './long-run.ts';
import { median } from './median.ts';

const types = eventTypes(EVENT_TYPES);
const uncheckedTypes = eventTypes(EVENT_TYPES.map((type) => ({ ...type, payload: null })));

/** What the iterations of a run append, over and over. */
export const iterationEvents = (): readonly Fact[] => {
  const { run } = longRun(makeWorkshop(), 1);
  return run.slice(run.findIndex(({ type }) => type === 'HypothesisProposed'));
};

const nth = (fact: Fact, ordinal: number): NewEvent => ({
  id: eventId('bench', ordinal),
  ...fact,
  metadata: {
    correlationId: 'bench',
    causationId: 'bench',
    actor: { role: 'harness', id: 'bench' },
    time: '2026-01-01T00:00:00.000Z',
    schemaVersion: schemaVersionOf(fact.type),
  },
});

export const nthOf = (facts: readonly Fact[], ordinal: number): NewEvent =>
  nth(facts[ordinal % facts.length]!, ordinal);

const GROUP = 32;

export interface AppendBench {
  /** Events a second. */
  readonly oneByOne: number;
  readonly rawOneByOne: number;
  readonly grouped: number;
  readonly rawGrouped: number;
  /** Ours ÷ raw, the median over rounds that take turns. */
  readonly oneByOneRatio: number;
  readonly groupedRatio: number;
  /** The same without the payload's class: what is left is what the log itself adds. */
  readonly uncheckedOneByOne: number;
  readonly uncheckedGrouped: number;
  readonly uncheckedOneByOneRatio: number;
  readonly uncheckedGroupedRatio: number;
  /** Mean size of an event's canonical form. */
  readonly eventBytes: number;
}

const rawTable = (path: string) => {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE events (
      position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL,
      id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, canonical BLOB NOT NULL, hash TEXT NOT NULL,
      UNIQUE (stream, revision)
    ) STRICT`);
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const head = database.prepare('SELECT max(revision) FROM events WHERE stream = ?');
  const insert = database.prepare(
    'INSERT INTO events (stream, revision, id, type, canonical, hash) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return {
    write: (events: readonly ChainedEvent[]) => {
      begin.run();
      for (const { stream, revision, event, canonical, hash } of events) {
        head.get(stream);
        insert.run(stream, revision, event.id, event.type, canonical, hash);
      }
      commit.run();
    },
    close: () => database.close(),
  };
};

export const perSecond = async (
  events: number,
  work: () => Promise<void> | void,
): Promise<number> => {
  const start = performance.now();
  await work();
  return (events * 1000) / (performance.now() - start);
};

const mustOpen = (path: string, known: EventTypes): EventLog => {
  const opened = openSqliteEventLog(path, known);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value.log;
};

const mustAppend = async (
  log: EventLog,
  stream: string,
  revision: number,
  event: NewEvent,
): Promise<void> => {
  const appended = await log.append(stream, revision === 0 ? 'no-stream' : revision - 1, [event]);
  if (!appended.ok) throw new Error(appended.error.message);
};

/**
 * Appends and reads beside raw node:sqlite with the same table, durability and check of the revision; raw is
 * given ready bytes, ours validates, canonicalises, hashes and chains. The events are those of a real run's iterations. Grouped: 32 streams in flight, one
 * event each, against 32 events in one raw transaction.
 */
export const benchAppend = async (rounds = 15, perRound = 800): Promise<AppendBench> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-append-'));
  try {
    const log = mustOpen(join(folder, 'checked'), types);
    const unchecked = mustOpen(join(folder, 'unchecked'), uncheckedTypes);
    const raw = rawTable(join(folder, 'raw'));
    const kinds = ['raw', 'checked', 'unchecked'] as const;
    const none = () => ({ raw: [], checked: [], unchecked: [] });
    const one: Record<(typeof kinds)[number], number[]> = none();
    const group: Record<(typeof kinds)[number], number[]> = none();
    const ones = perRound / 4;
    let eventBytes = 0;
    const facts = iterationEvents();
    let next = 0;
    // Round 0 warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const first = next;
      next += ones + perRound;
      const batch = Array.from({ length: ones + perRound }, (_, index) =>
        nthOf(facts, first + index),
      );
      const streamOf = (index: number) =>
        index < ones ? `one-${round}` : `group-${round}-${(index - ones) % GROUP}`;
      const revisionOf = (index: number) =>
        index < ones ? index : Math.floor((index - ones) / GROUP);
      const ready = batch.map(
        (event, index) => chain(null, [unchained(streamOf(index), revisionOf(index), event)])[0]!,
      );
      eventBytes = Math.round(
        ready.reduce((sum, { canonical }) => sum + canonical.byteLength, 0) / ready.length,
      );
      const into = (target: EventLog) => (from: number, to: number) =>
        Promise.all(
          batch
            .slice(from, to)
            .map((event, index) =>
              mustAppend(target, streamOf(from + index), revisionOf(from + index), event),
            ),
        );
      const writers = {
        raw: (from: number, to: number) => raw.write(ready.slice(from, to)),
        checked: into(log),
        unchecked: into(unchecked),
      };
      for (const kind of kinds) {
        const write = writers[kind];
        one[kind].push(
          await perSecond(ones, async () => {
            for (let index = 0; index < ones; index += 1) await write(index, index + 1);
          }),
        );
        group[kind].push(
          await perSecond(perRound, async () => {
            for (let index = ones; index < ones + perRound; index += GROUP) {
              await write(index, index + GROUP);
            }
          }),
        );
      }
    }
    await log.close();
    await unchecked.close();
    raw.close();
    const warm = (speeds: readonly number[]) => median(speeds.slice(1));
    const ratio = (ours: readonly number[], theirs: readonly number[]) =>
      warm(ours.map((value, round) => value / theirs[round]!));
    return {
      oneByOne: warm(one.checked),
      rawOneByOne: warm(one.raw),
      grouped: warm(group.checked),
      rawGrouped: warm(group.raw),
      oneByOneRatio: ratio(one.checked, one.raw),
      groupedRatio: ratio(group.checked, group.raw),
      uncheckedOneByOne: warm(one.unchecked),
      uncheckedGrouped: warm(group.unchecked),
      uncheckedOneByOneRatio: ratio(one.unchecked, one.raw),
      uncheckedGroupedRatio: ratio(group.unchecked, group.raw),
      eventBytes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
