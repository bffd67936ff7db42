import type { DatabaseSync } from 'node:sqlite';
import { ok, reasonOf, type Refusal, type Result } from '#libs/kernel';
import { admit, type AdmittedBatch } from './admission.ts';
import { EventLogUnavailable } from './errors.ts';
import type { EventTypes } from './event-types.ts';
import { place, type LogIndex } from './placement.ts';
import type { Appended, AppendRefusalCode, EventLog, StoredEvent } from './port.ts';
import { reading, type Pages } from './reading.ts';
import { openSqliteFile, type LogUnreadable, type Recovery } from './sqlite-file.ts';
import { decodeStored, justRecorded } from './stored-event.ts';
import { news } from './subscription.ts';

/** An opened log, and what opening it had to drop. */
export interface OpenedSqliteEventLog {
  readonly log: EventLog;
  readonly recovered: Recovery;
}

type Outcome = Result<Appended, Refusal<AppendRefusalCode>>;

interface QueuedAppend {
  readonly batch: AdmittedBatch;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A page ends at whichever comes first, so that reading takes the same memory however long the log is. */
const PAGE_EVENTS = 512;
const PAGE_BYTES = 4 * 1024 * 1024;

/** A transaction takes no more queued appends once it holds this many events. */
const GROUP_EVENTS = 1024;

const COLUMNS = 'position, stream, revision, id, type, canonical, hash';

const unavailable = (doing: string, cause: unknown): EventLogUnavailable =>
  new EventLogUnavailable(`${doing} failed: ${reasonOf(cause)}`, { cause });

const statementsOf = (database: DatabaseSync) => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  rollback: database.prepare('ROLLBACK'),
  insert: database.prepare(
    'INSERT INTO events (stream, revision, id, type, canonical, hash) VALUES (?, ?, ?, ?, ?, ?)',
  ),
  head: database.prepare(
    'SELECT revision, hash FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1',
  ),
  at: database.prepare('SELECT hash FROM events WHERE stream = ? AND revision = ?'),
  byId: database.prepare(`SELECT ${COLUMNS} FROM events WHERE id = ?`),
  lastPosition: database.prepare('SELECT max(position) AS position FROM events'),
  byPosition: database.prepare(
    `SELECT ${COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
  ),
  forwards: database.prepare(
    `SELECT ${COLUMNS} FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision LIMIT ?`,
  ),
  backwards: database.prepare(
    `SELECT ${COLUMNS} FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision DESC LIMIT ?`,
  ),
});

const pageOf = (rows: Iterable<unknown>): readonly StoredEvent[] => {
  const page: StoredEvent[] = [];
  let bytes = 0;
  for (const row of rows) {
    const stored = row as StoredEvent;
    page.push(stored);
    bytes += stored.canonical.byteLength;
    if (bytes >= PAGE_BYTES) break;
  }
  return page;
};

/** The log in an open database that holds its table. */
export const sqliteEventLog = (database: DatabaseSync, types: EventTypes): EventLog => {
  const statements = statementsOf(database);
  const appended = news();
  let queue: QueuedAppend[] = [];
  let closed = false;

  const assertOpen = () => {
    if (closed) throw new EventLogUnavailable('the event log is closed');
  };

  const index: LogIndex = {
    head: (stream) => (statements.head.get(stream) ?? null) as ReturnType<LogIndex['head']>,
    byId: (id) => (statements.byId.get(id) ?? null) as StoredEvent | null,
    at: (stream, revision) =>
      (statements.at.get(stream, revision) ?? null) as ReturnType<LogIndex['at']>,
  };

  /** Places and inserts a batch. Its answer holds only once the transaction is committed. */
  const write = (batch: AdmittedBatch): (() => Outcome) => {
    const placed = place(index, batch);
    if (!placed.ok) return () => placed;
    if (placed.value.kind === 'repeated') {
      const stored = placed.value.events;
      return () =>
        ok({ events: stored.map((event) => decodeStored(event, types)), repeated: true });
    }
    const written = placed.value.events.map((chained) => {
      const { stream, revision, event, canonical, hash } = chained;
      const { id, type } = event;
      const inserted = statements.insert.run(stream, revision, id, type, canonical, hash);
      return { chained, position: Number(inserted.lastInsertRowid) };
    });
    return () =>
      ok({
        events: written.map(({ chained, position }) => justRecorded(chained, position)),
        repeated: false,
      });
  };

  /** One transaction for a group of appends: each is accepted or refused by itself, all answered after the commit. */
  const writeGroup = (group: readonly QueuedAppend[]) => {
    let outcomes: readonly (() => Outcome)[];
    try {
      statements.begin.run();
      outcomes = group.map(({ batch }) => write(batch));
      statements.commit.run();
    } catch (error) {
      if (database.isTransaction) statements.rollback.run();
      const failure = unavailable('appending to the event log', error);
      for (const { reject } of group) reject(failure);
      return;
    }
    group.forEach(({ resolve, reject }, ordinal) => {
      try {
        resolve(outcomes[ordinal]!());
      } catch (error) {
        reject(error);
      }
    });
    appended.announce();
  };

  const takeGroup = (): readonly QueuedAppend[] => {
    let events = 0;
    let taken = 0;
    while (taken < queue.length && events < GROUP_EVENTS) {
      events += queue[taken]!.batch.events.length;
      taken += 1;
    }
    const group = queue.slice(0, taken);
    queue = queue.slice(taken);
    return group;
  };

  const flush = () => {
    if (queue.length === 0) return;
    writeGroup(takeGroup());
    if (queue.length > 0) setImmediate(flush);
  };

  const asking = <T>(ask: () => T): T => {
    assertOpen();
    try {
      return ask();
    } catch (error) {
      throw unavailable('reading the event log', error);
    }
  };

  const pages: Pages = {
    byPosition: (after, upTo, limit) =>
      asking(() =>
        pageOf(
          statements.byPosition.iterate(
            after,
            Math.min(upTo, Number.MAX_SAFE_INTEGER),
            Math.min(limit, PAGE_EVENTS),
          ),
        ),
      ),
    byRevision: (stream, from, to, direction, limit) =>
      asking(() =>
        pageOf(statements[direction].iterate(stream, from, to, Math.min(limit, PAGE_EVENTS))),
      ),
    lastPosition: () =>
      asking(() => (statements.lastPosition.get()?.['position'] as number | null) ?? 0),
    lastRevision: (stream) => asking(() => index.head(stream)?.revision ?? -1),
    closed: () => closed,
  };

  return {
    ...reading(pages, types, appended),

    append: async (stream, expected, events) => {
      assertOpen();
      const admitted = admit(types, stream, expected, events);
      if (!admitted.ok) return admitted;
      return new Promise<Outcome>((resolve, reject) => {
        // What is appended until the event loop turns shares one transaction and one sync.
        if (queue.length === 0) setImmediate(flush);
        queue.push({ batch: admitted.value, resolve, reject });
      });
    },

    close: async () => {
      if (closed) return;
      while (queue.length > 0) writeGroup(takeGroup());
      closed = true;
      database.close();
      appended.announce();
    },
  };
};

/**
 * Opens the log in the SQLite file at `path`, or makes it. Several processes may have it open at once.
 * An interrupted write is dropped and reported in `recovered`; a file that is not a whole log is refused.
 */
export const openSqliteEventLog = (
  path: string,
  types: EventTypes,
): Result<OpenedSqliteEventLog, LogUnreadable> => {
  const opened = openSqliteFile(path);
  if (!opened.ok) return opened;
  return ok({
    log: sqliteEventLog(opened.value.database, types),
    recovered: opened.value.recovery,
  });
};
