import { randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Database } from '#libs/database';
import { writePosition } from './position.ts';
import { MIGRATIONS, PROJECTED, type ViewTables } from './tables.ts';
import { indexTrail, unindexTrail } from './trail/table.ts';

/**
 * Empty tables beside the live ones, within one transaction: until it commits, everybody else sees the live ones,
 * and a process that is killed leaves nothing behind.
 */
export interface Beside {
  /** From here on, what the transaction says of the views is said of the empty tables. */
  readonly lay: (transaction: Kysely<ViewTables>) => Promise<void>;
  /** Holds off all who project into the live tables, until the transaction ends. Reads go on. */
  readonly holdOff: (transaction: Kysely<ViewTables>) => Promise<void>;
  /** Puts the tables in the place of the live ones. */
  readonly swap: (transaction: Kysely<ViewTables>) => Promise<void>;
  /** After the commit: throws away what was live before. */
  readonly clear: () => Promise<void>;
}

export const besideLive = (database: Database<ViewTables>): Beside =>
  database.kind === 'sqlite' ? IN_ONE_FILE : inASchema(database);

/** SQLite's readers go on seeing the last commit, so the live tables can be emptied at once. */
const IN_ONE_FILE: Beside = {
  lay: async (transaction) => {
    for (const table of PROJECTED) await transaction.deleteFrom(table).execute();
    await unindexTrail(transaction);
    await writePosition(transaction, null);
  },
  // The transaction has held the only write lock from its start.
  holdOff: () => Promise.resolve(),
  swap: indexTrail,
  clear: () => Promise.resolve(),
};

/** A rebuild's own limits: its statements wait for others, and it is idle while it reads the log. */
const REBUILD_MS = 600_000;

/**
 * On PostgreSQL the live tables stand in a schema, which all statements find by the search path. The new ones are
 * made in another, which takes the name over. Nobody's statement keeps a table by more than its name, so that each
 * finds the tables that are live when it starts.
 */
const inASchema = (database: Database<ViewTables>): Beside => {
  const live = database.schema;
  const id = randomBytes(6).toString('hex');
  const [next, old] = [`${live}_next_${id}`, `${live}_old_${id}`];
  const path = (schema: string) => sql`select set_config('search_path', ${schema}, true)`;
  return {
    lay: async (transaction) => {
      await sql`select set_config(name, ${String(REBUILD_MS)}, true) from unnest(array['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) as name`.execute(
        transaction,
      );
      // One rebuild at a time: two would only do the same.
      await sql`select pg_advisory_xact_lock(hashtext(${`rebuild ${live}`}))`.execute(transaction);
      await sql`create schema ${sql.id(next)}`.execute(transaction);
      await path(next).execute(transaction);
      for (const [, migration] of Object.entries(MIGRATIONS).toSorted(byName))
        await migration.up(transaction);
      await unindexTrail(transaction);
      // What has been migrated is known of the new tables too.
      for (const table of ['kysely_migration', 'kysely_migration_lock'])
        await sql`create table ${sql.id(table)} (like ${sql.id(live, table)} including all)`.execute(
          transaction,
        );
      await sql`insert into kysely_migration_lock select * from ${sql.id(live, 'kysely_migration_lock')}`.execute(
        transaction,
      );
      await sql`insert into kysely_migration select * from ${sql.id(live, 'kysely_migration')}`.execute(
        transaction,
      );
      await requireSameForm(transaction, live);
    },
    holdOff: async (transaction) => {
      // Projectors lock the row first of all, and find the table by its name again when this has passed.
      await sql`lock table ${sql.id(live, 'view_position')} in exclusive mode`.execute(transaction);
      await requireSameForm(transaction, live);
    },
    swap: async (transaction) => {
      await indexTrail(transaction);
      for (const table of PROJECTED) await sql`analyze ${sql.table(table)}`.execute(transaction);
      await sql`alter schema ${sql.id(live)} rename to ${sql.id(old)}`.execute(transaction);
      await sql`alter schema ${sql.id(next)} rename to ${sql.id(live)}`.execute(transaction);
    },
    // Apart from the swap: it waits for those who still read the old tables, and nobody needs to wait for it. What a
    // killed process has left goes as well.
    clear: async () => {
      const { rows } = await sql<{ name: string }>`
        select nspname as name from pg_namespace
        where starts_with(nspname, ${`${live}_old_`}) and pg_has_role(nspowner, 'usage')`.execute(
        database.reader,
      );
      for (const { name } of rows)
        await sql`drop schema if exists ${sql.id(name)} cascade`.execute(database.reader);
    },
  };
};

/** A newer program may have migrated the live tables since this one opened them: then they are not this one's to swap. */
const requireSameForm = async (transaction: Kysely<ViewTables>, live: string): Promise<void> => {
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.id(live, 'kysely_migration')}`.execute(transaction);
  const found = rows.map(({ name }) => name).toSorted();
  const expected = Object.keys(MIGRATIONS).toSorted();
  if (found.join() !== expected.join())
    throw new Error(
      `The views have another form than this program knows (found ${found.join(', ')}; expected ${expected.join(', ')}); rebuild with the newer program.`,
    );
};

const byName = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  one < other ? -1 : 1;
