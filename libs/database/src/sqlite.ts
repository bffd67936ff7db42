import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type SqliteDatabase,
} from 'kysely';
import { DatabaseUnavailable } from './errors.ts';

/** SQLite's result code (sqlite.org/rescode.html) for a database that somebody else is writing to. */
const SQLITE_BUSY = 5;
/** Read-only, I/O error, full, cannot open. A file that is damaged or no database at all is another matter. */
const BROKEN: ReadonlySet<number> = new Set([8, 10, 13, 14]);

/** Prepared statements that are kept: filters come in many shapes, but not without end. */
const MOST_PREPARED = 500;

/** Pages of the writer that are held in memory: a batch comes to the pages of many rows again and again. */
const CACHE_KIB = 64 * 1024;

const primaryCode = (error: unknown): number | null =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : null;

export const isBusy = (error: unknown): boolean => primaryCode(error) === SQLITE_BUSY;

/** SQLite's result code for a broken constraint. */
const SQLITE_CONSTRAINT = 19;

export const isSqliteConflict = (error: unknown): boolean =>
  primaryCode(error) === SQLITE_CONSTRAINT;

export const isSqliteError = (error: unknown): boolean => primaryCode(error) !== null;

export interface SqliteOptions {
  /** For messages. */
  readonly place: string;
  readonly readOnly: boolean;
  /** Whether a commit survives a loss of power; it survives the process's end in any case. */
  readonly durable: boolean;
}

/** Kysely's SQLite parts over the SQLite that Node brings along. */
export const nodeSqliteDialect = (path: string, options: SqliteOptions): Dialect => ({
  createDriver: () =>
    new SqliteDriver({ database: () => Promise.resolve().then(() => open(path, options)) }),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createAdapter: () => new TransactionalDdlAdapter(),
});

/** SQLite can change tables within a transaction, which Kysely does not make use of by itself. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

const open = (path: string, options: SqliteOptions): SqliteDatabase => {
  const { readOnly, durable } = options;
  return named(options.place, () => {
    // A short wait: it blocks the process. Longer waits are the caller's, between attempts.
    const database = new DatabaseSync(path, { readOnly, timeout: 50 });
    try {
      if (!readOnly) {
        database.exec(
          `PRAGMA cache_size = -${CACHE_KIB}; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`,
        );
      }
    } catch (error) {
      database.close();
      throw error;
    }
    return inKyselysShape(database, options);
  });
};

/** Kysely asks for better-sqlite3's methods, which `node:sqlite` nearly has. */
const inKyselysShape = (
  database: DatabaseSync,
  { place, readOnly }: SqliteOptions,
): SqliteDatabase => {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    if (prepared.size >= MOST_PREPARED) prepared.clear();
    // A transaction of the writer always writes: taking the lock at its start, another process that catches up
    // waits here instead of failing halfway.
    const statement = database.prepare(sql === 'begin' && !readOnly ? 'begin immediate' : sql);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    close: () => {
      prepared.clear();
      database.close();
    },
    prepare: (sql) => {
      const statement = named(place, () => prepare(sql));
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => named(place, () => statement.all(...(parameters as SQLInputValue[]))),
        run: (parameters) =>
          // On a full disk SQLite rolls back by itself; a second time would fail and hide why.
          sql === 'rollback' && !database.isTransaction
            ? { changes: 0, lastInsertRowid: 0 }
            : named(place, () => statement.run(...(parameters as SQLInputValue[]))),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
};

const named = <T>(place: string, work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    if (!BROKEN.has(primaryCode(cause) ?? 0)) throw cause;
    throw new DatabaseUnavailable(
      `${place} can't be read or written: ${(cause as Error).message}; see whether the disk is full`,
      {
        cause,
      },
    );
  }
};
