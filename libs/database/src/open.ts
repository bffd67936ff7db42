import { setTimeout as sleep } from 'node:timers/promises';
import { CamelCasePlugin, Kysely, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { DatabaseUnavailable } from './errors.ts';
import { isPassing, isPostgresConflict, pgDialect } from './postgres.ts';
import { isBusy, isSqliteConflict, isSqliteError, nodeSqliteDialect } from './sqlite.ts';
import { placeOf, type DatabaseTarget } from './target.ts';

/** How long to wait for another process that writes to the same SQLite file, a rebuild at worst. */
const PATIENCE_MS = 120_000;
/** How often a transaction that others were in the way of is tried. */
const ATTEMPTS = 5;

/** Tables in snake_case, told of in camelCase. */
export interface Database<Tables> {
  readonly kind: DatabaseTarget['kind'];
  /** For messages; never a password. */
  readonly place: string;
  /** On PostgreSQL the schema of all tables; a SQLite file has none. */
  readonly schema: string;
  /** For queries. On SQLite a connection of its own: writes don't hold it up, and it never sees half of one. */
  readonly reader: Kysely<Tables>;
  /**
   * One transaction that writes. It is tried again while another process holds SQLite's write lock and after a
   * deadlock, so `work` must be able to run twice. Throws DatabaseUnavailable; then it may have been committed.
   */
  readonly write: <T>(work: (transaction: Kysely<Tables>) => Promise<T>) => Promise<T>;
  /** The same for one statement, which is a transaction of its own. */
  readonly writeOne: <T>(work: (db: Kysely<Tables>) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export interface DatabaseOptions {
  /** Name of the schema that holds the tables on PostgreSQL, made if it is missing; lower-case letters and `_`. */
  readonly schema: string;
  /** Run in the order of their names, each once. */
  readonly migrations: Readonly<Record<string, Migration>>;
  /** SQLite: whether a commit survives a loss of power. PostgreSQL decides that by its own settings. */
  readonly durable: boolean;
}

/**
 * Opens a database and brings its tables to today's form. Throws DatabaseUnavailable when it cannot be reached;
 * every later use reconnects by itself.
 *
 * @example
 * const database = await openDatabase<Tables>({ kind: 'sqlite', path }, { schema: 'holdfast_views', ...options });
 */
export const openDatabase = async <Tables>(
  target: DatabaseTarget,
  options: DatabaseOptions,
): Promise<Database<Tables>> => {
  const { schema, migrations, durable } = options;
  if (!/^[a-z_]{1,40}$/.test(schema)) throw new Error(`${schema} is no name for a schema here`);
  const place = placeOf(target);
  const connect = (readOnly: boolean): Kysely<Tables> =>
    new Kysely<Tables>({
      dialect:
        target.kind === 'sqlite'
          ? nodeSqliteDialect(target.path, { place, readOnly, durable })
          : pgDialect(target.connectionString, { place, schema }),
      plugins: [new CamelCasePlugin()],
    });
  const writer = connect(false);
  const write = <T>(work: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> =>
    patiently(place, () => writer.transaction().execute(work));
  try {
    // One transaction: processes that open a new database at once migrate it one after the other.
    await write(async (transaction) => {
      if (target.kind === 'postgres') await makeSchema(transaction, schema);
      await migrate(transaction, { place, schema, migrations, kind: target.kind });
    });
  } catch (error) {
    await writer.destroy();
    throw error;
  }
  const reader = target.kind === 'sqlite' ? connect(true) : writer;
  return {
    kind: target.kind,
    place,
    schema,
    reader,
    write,
    writeOne: (work) => patiently(place, () => work(writer)),
    close: async () => {
      if (reader !== writer) await reader.destroy();
      await writer.destroy();
    },
  };
};

/** Not before others that do the same: "if not exists" alone fails when two make it at once. */
const makeSchema = async <Tables>(db: Kysely<Tables>, schema: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtext(${`migrate ${schema}`}))`.execute(db);
  const { rows } = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db);
  // Asked first: an existing schema needs no right to make one.
  if (rows.length === 0) await db.schema.createSchema(schema).execute();
};

const migrate = async <Tables>(
  db: Kysely<Tables>,
  {
    place,
    schema,
    migrations,
    kind,
  }: Pick<DatabaseOptions, 'schema' | 'migrations'> & Pick<Database<Tables>, 'place' | 'kind'>,
): Promise<void> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    // Kysely looks for its own tables in all schemas, unless it is told in which.
    ...(kind === 'postgres' && { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  // What the database itself says of a damaged file is for the caller to tell apart.
  if (error instanceof DatabaseUnavailable || (error instanceof Error && isSqliteError(error)))
    throw error;
  throw new Error(
    `The tables in ${place} could not be brought to today's form; is it of a newer version, or another program's?`,
    { cause: error },
  );
};

/** Tries again while somebody else is in the way, without blocking this process in between. */
const patiently = async <T>(place: string, work: () => Promise<T>): Promise<T> => {
  const until = Date.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const busy = isBusy(error);
      if (!busy && !(isPassing(error) && attempt < ATTEMPTS)) throw error;
      if (busy && Date.now() > until) {
        throw new DatabaseUnavailable(
          `${place} can't be written: another process held its lock for ${PATIENCE_MS / 1000} s`,
          { cause: error },
        );
      }
      await sleep(25);
    }
  }
};

/** Whether a row broke a constraint: its key is taken, or a column that must be there is missing. */
export const isConflict = (error: unknown): boolean =>
  isSqliteConflict(error) || isPostgresConflict(error);
