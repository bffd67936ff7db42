import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type SqliteDatabase,
} from 'kysely';

/** SQLite's result code for a database that somebody else is writing to. */
const SQLITE_BUSY = 5;

export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;

/** Kysely's SQLite parts over the SQLite that Node brings along. */
export const nodeSqliteDialect = (
  path: string,
  { readOnly }: { readonly readOnly: boolean },
): Dialect => ({
  createDriver: () =>
    new SqliteDriver({ database: () => Promise.resolve().then(() => open(path, readOnly)) }),
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

const open = (path: string, readOnly: boolean): SqliteDatabase => {
  // A short wait: it blocks the process. Longer waits are the caller's, between attempts.
  const database = new DatabaseSync(path, { readOnly, timeout: 50 });
  try {
    // The views can be rebuilt from the log at any time, so a lost last second costs nothing.
    if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  } catch (error) {
    database.close();
    throw error;
  }
  return inKyselysShape(database, readOnly);
};

/** Kysely asks for better-sqlite3's methods, which `node:sqlite` nearly has. */
const inKyselysShape = (database: DatabaseSync, readOnly: boolean): SqliteDatabase => {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
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
      const statement = prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) =>
          // On a full disk SQLite rolls back by itself; a second time would fail and hide why.
          sql === 'rollback' && !database.isTransaction
            ? { changes: 0, lastInsertRowid: 0 }
            : statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
};
