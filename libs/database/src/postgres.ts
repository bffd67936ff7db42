import {
  PostgresAdapter,
  PostgresDialect,
  type Dialect,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely';
import { DatabaseError, Pool, types, type ClientBase, type PoolClient } from 'pg';
import { reasonOf } from '#libs/kernel';
import { DatabaseUnavailable } from './errors.ts';

/** Connections of one process: more wait for one of these. */
const MOST_CONNECTIONS = 10;
const CONNECT_MS = 5_000;
const IDLE_MS = 30_000;
/** No statement takes longer, and nobody holds a lock for longer while he does nothing. */
const STATEMENT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 30_000;

/** PostgreSQL's SQLSTATE classes and codes (its Appendix A) that mean broken infrastructure, not a bug. */
const BROKEN_CLASSES: ReadonlySet<string> = new Set([
  '08', // connection
  '28', // login refused
  '53', // out of disk, memory or connections
  '57', // shut down, or a time limit passed
  '58', // input or output
]);
const BROKEN_CODES: ReadonlySet<string> = new Set([
  '25006', // a read-only server: a standby
  '25P03', // idle in a transaction for too long
  '3D000', // no such database
  '42501', // a right is missing
  '55P03', // a lock was not given in time
]);
/** Somebody else was in the way: the same transaction may go through the next time. */
const PASSING_CODES: ReadonlySet<string> = new Set(['40001', '40P01']);

export const isPassing = (error: unknown): boolean =>
  error instanceof DatabaseError && PASSING_CODES.has(error.code ?? '');

/** Class 23: a broken constraint. */
export const isPostgresConflict = (error: unknown): boolean =>
  error instanceof DatabaseError && (error.code ?? '').startsWith('23');

export interface PostgresOptions {
  /** For messages. */
  readonly place: string;
  /** The schema of all tables, and the connection's name on the server. */
  readonly schema: string;
}

/** Kysely's PostgreSQL parts over a bounded pool whose errors say what they are. */
export const pgDialect = (connectionString: string, options: PostgresOptions): Dialect => {
  const pool = new Pool({
    connectionString,
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    application_name: options.schema,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: parserOf },
    // Awaited by the pool before it lends the connection.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- it awaits it, which its types don't say
    onConnect: (client) => prepare(client, options),
  });
  // An idle connection that breaks is dropped by the pool; the next use opens another, or says why it can't.
  pool.on('error', () => undefined);
  // So is one that breaks while it is lent, at its next use.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const lent = new WeakMap<PoolClient, PostgresPoolClient>();
  const dialect = new PostgresDialect({
    pool: {
      options: {},
      connect: async () => {
        const client = await pool.connect().catch((cause: unknown) => {
          throw unavailable(options.place, cause);
        });
        const known = lent.get(client) ?? named(client, options.place);
        lent.set(client, known);
        return known;
      },
      end: () => pool.end(),
    },
  });
  return {
    createDriver: () => dialect.createDriver(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createAdapter: () => new LockedByCallerAdapter(),
  };
};

/** Whoever migrates holds a lock of his transaction, which goes with it; Kysely's own would outlive a failure. */
class LockedByCallerAdapter extends PostgresAdapter {
  override acquireMigrationLock(): Promise<void> {
    return Promise.resolve();
  }
  override releaseMigrationLock(): Promise<void> {
    return Promise.resolve();
  }
}

const prepare = async (client: ClientBase, { schema }: PostgresOptions): Promise<void> => {
  const { rows } = await client.query<{ encoding: string }>(
    `select current_setting('server_encoding') as encoding,
       set_config('search_path', $1, false), set_config('client_encoding', 'UTF8', false),
       set_config('statement_timeout', $2, false), set_config('lock_timeout', $2, false),
       set_config('idle_in_transaction_session_timeout', $3, false)`,
    [schema, String(STATEMENT_MS), String(IDLE_IN_TRANSACTION_MS)],
  );
  const encoding = rows[0]?.encoding;
  if (encoding !== 'UTF8') {
    throw new Error(`the database is encoded in ${encoding}; make one with ENCODING 'UTF8'`);
  }
};

/**
 * A connection of the pool, as Kysely wants it, whose errors are told apart. What broke it is told again by whatever
 * fails on it afterwards, such as the transaction's rollback, whose own error would hide why.
 */
const named = (client: PoolClient, place: string): PostgresPoolClient => {
  let broke: DatabaseUnavailable | null = null;
  const query = async (sql: string, parameters: readonly unknown[]) => {
    try {
      return await client.query(sql, [...parameters]);
    } catch (cause) {
      if (!isBroken(cause)) throw cause;
      broke ??= unavailable(place, cause);
      throw cause instanceof DatabaseError ? unavailable(place, cause) : broke;
    }
  };
  return {
    // Kysely's second form, by cursor, is for streams, which nothing here uses.
    query: query as unknown as PostgresPoolClient['query'] &
      (() => Promise<PostgresQueryResult<unknown>>),
    release: (destroy) => {
      broke = null;
      client.release(destroy);
    },
  };
};

const isBroken = (error: unknown): boolean => {
  if (error instanceof DatabaseError) {
    const code = error.code ?? '';
    return BROKEN_CODES.has(code) || BROKEN_CLASSES.has(code.slice(0, 2));
  }
  // Without the server's code it is the connection, unless this program failed before or after it.
  return !(error instanceof TypeError || error instanceof RangeError);
};

const unavailable = (place: string, cause: unknown): DatabaseUnavailable =>
  new DatabaseUnavailable(`${place} can't be reached or used: ${whatHappened(cause)}`, { cause });

/** Node tries every address of a name, and gathers what came of it in an error without words. */
const whatHappened = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.message === '') {
    return cause.errors.map(whatHappened).join('; ');
  }
  return reasonOf(cause);
};

const INT8 = 20;

/** 64-bit integers come as numbers, exactly or not at all; everything else as pg reads it. */
const parserOf = ((oid: number, format?: 'text' | 'binary') =>
  oid === INT8 && format !== 'binary'
    ? exactNumber
    : (types.getTypeParser(oid, format) as (
        text: string,
      ) => unknown)) as typeof types.getTypeParser;

const exactNumber = (text: string): number => {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`the database holds ${text}, which is beyond 2^53 and has no exact number`);
};
