import { closeSync, fsyncSync, linkSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';
import { inspectWal, type WalContent } from './wal-file.ts';

/** The file can't be used as a log; the message says what was found and what to do. */
export type LogUnreadable = Refusal<'log-unreadable'>;

/** What opening found in the write-ahead file that an earlier process left behind. */
export interface Recovery {
  /** Size of the write-ahead file in bytes; 0 after a clean close. */
  readonly walBytes: number;
  /** Frames (pages) of finished writes in it: all kept. */
  readonly keptFrames: number;
  /** Frames, whole or cut, of a write that was never finished and so never acknowledged: dropped. */
  readonly droppedFrames: number;
  readonly droppedBytes: number;
  /** The same for a person to read; null when nothing was dropped. */
  readonly message: string | null;
}

/** In the file's header: "HFST". */
const APPLICATION_ID = 0x48465354;
/** Of the table below. */
const FORMAT = 1;

/** `hash` stands before `canonical`, so that a stream's head is read without walking a large payload's pages. */
const SCHEMA = `
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    hash TEXT NOT NULL,
    canonical BLOB NOT NULL,
    UNIQUE (stream, revision)
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

const BUSY_MILLISECONDS = 10_000;

const unreadable = (
  path: string,
  found: string,
  todo = 'restore the file, and the -wal file beside it, from a copy',
): { readonly ok: false; readonly error: LogUnreadable } =>
  refused({
    code: 'log-unreadable',
    message: `the event log ${path} cannot be opened: ${found}. Nothing was changed; ${todo}.`,
  });

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: no room for the file that readers share (sqlite.org/rescode.html). */
const FULL = [13, 4874];

/** The disk has no room left: nothing is wrong with the file. */
const isFull = (error: unknown): boolean => {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return code === 'ENOSPC' || FULL.includes(Number(errcode));
};

const connect = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: BUSY_MILLISECONDS });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return database;
};

const sizeOf = (path: string): number | null =>
  statSync(path, { throwIfNoEntry: false })?.size ?? null;

const syncFolder = (path: string): void => {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

/**
 * Makes a new log beside `path` and links it into place: a log that is there is never empty, so an empty
 * file is known to be a damaged one, and of two processes that start together one makes it.
 */
const create = (path: string): void => {
  const draft = `${path}.${process.pid}.new`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  try {
    const database = connect(draft);
    database.exec(SCHEMA);
    database.close();
    linkSync(draft, path);
    syncFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
};

/** What is missing of the main file, counted by its header and by the write-ahead file; null if all is there. */
const missing = (path: string): string | null => {
  // The write-ahead file is read first: what a checkpoint moves meanwhile is then seen in the main file.
  const wal = inspectWal(`${path}-wal`);
  if (wal.damage !== null)
    return `its write-ahead file was damaged after it was written: ${wal.damage}`;
  const header = new DataView(new ArrayBuffer(100));
  const file = openSync(path, 'r');
  let read: number;
  try {
    read = readSync(file, header, 0, 100, 0);
  } finally {
    closeSync(file);
  }
  const bytes = statSync(path).size;
  if (bytes === 0) {
    return 'the file is empty, which a log never is (if it never held one, remove it)';
  }
  const magic = Buffer.from(header.buffer, 0, 16).toString('latin1');
  if (read < 100 || magic !== 'SQLite format 3\0') {
    return `its ${bytes} bytes do not start as a SQLite database does`;
  }
  const pageSize = header.getUint16(16) === 1 ? 65_536 : header.getUint16(16);
  const pages = wal.databasePages ?? header.getUint32(28);
  for (let page = Math.floor(bytes / pageSize) + 1; page <= pages; page += 1) {
    if (!wal.committedPages.has(page)) {
      return `the file was cut: it has ${bytes} bytes and should have ${pages * pageSize} (${pages} pages of ${pageSize})`;
    }
  }
  return null;
};

/** As {@link missing}, but looks again: another process's checkpoint can pass between two looks. */
const missingForGood = (path: string): string | null => {
  let found = missing(path);
  for (let look = 0; look < 3 && found !== null; look += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    found = missing(path);
  }
  return found;
};

const pragma = (database: DatabaseSync, name: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];

/** What the write-ahead file holds while nobody writes, so that no living process's write is taken for a torn one. */
const inspectQuietly = (database: DatabaseSync, path: string): WalContent => {
  database.exec('BEGIN IMMEDIATE');
  try {
    return inspectWal(`${path}-wal`);
  } finally {
    database.exec('ROLLBACK');
  }
};

const settle = (database: DatabaseSync, path: string): Result<Recovery, string> => {
  if (pragma(database, 'application_id') !== APPLICATION_ID) {
    return refused('it is a SQLite database, but not an event log of Holdfast');
  }
  const format = pragma(database, 'user_version');
  if (format !== FORMAT) {
    return refused(`it has format ${String(format)}; this program reads format ${FORMAT}`);
  }
  const wal = inspectQuietly(database, path);
  if (wal.droppedBytes > 0) {
    const check = pragma(database, 'quick_check(1)');
    if (check !== 'ok') return refused(`it is damaged: ${String(check)}`);
    // Moves what is kept into the main file and empties the other, so that this is said once.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }
  return ok({
    walBytes: wal.bytes,
    keptFrames: wal.committedFrames,
    droppedFrames: wal.droppedFrames,
    droppedBytes: wal.droppedBytes,
    message:
      wal.droppedBytes > 0
        ? `the last write to ${path} was interrupted: ${wal.droppedBytes} bytes of it (${wal.droppedFrames} frames, never acknowledged) were dropped, ${wal.committedFrames} frames of finished writes were kept`
        : null,
  });
};

/** Opens the log file at `path`, or makes it (mode 0600), and says what an interrupted write left behind. */
export const openSqliteFile = (
  path: string,
): Result<{ readonly database: DatabaseSync; readonly recovery: Recovery }, LogUnreadable> => {
  let database: DatabaseSync | null = null;
  try {
    if (sizeOf(path) === null) {
      if ((sizeOf(`${path}-wal`) ?? 0) > 0) {
        return unreadable(path, 'the file is missing, but its write-ahead file is there');
      }
      create(path);
    }
    const gone = missingForGood(path);
    if (gone !== null) return unreadable(path, gone);
    // `missing` saw the write-ahead file as it was left; opening it is what lets SQLite recover.
    database = connect(path);
    const settled = settle(database, path);
    if (settled.ok) return ok({ database, recovery: settled.value });
    database.close();
    return unreadable(path, settled.error);
  } catch (error) {
    database?.close();
    return isFull(error)
      ? unreadable(path, reasonOf(error), 'make room on the disk and try again')
      : unreadable(path, reasonOf(error));
  }
};
