import { randomUUID } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import {
  DatabaseUnavailable,
  openDatabase,
  type Database,
  type DatabaseTarget,
} from '#libs/database';
import { leaseOf, momentOf } from './lease.ts';
import { requireLeasable } from './names.ts';
import { LeasesUnavailable, systemLeaseClock, type LeaseClock, type Leases } from './port.ts';
import { MIGRATIONS, type LeaseTables } from './table.ts';

/** On PostgreSQL the schema that holds the leases. */
const SCHEMA = 'holdfast_leases';

/**
 * Leases in a SQLite file (made if it is missing; of its own, so that no other writer holds it up) or on a PostgreSQL
 * server (in the schema `holdfast_leases`). There the server's clock says what has run out, whatever its clients' clocks
 * say; on a file it is `clock`, since all who share the file share the machine. A clock that was set back frees the
 * leases that were taken before, so that a dead holder's does not last until the old time comes round again. Throws
 * LeasesUnavailable.
 *
 * @example
 * const leases = await openLeases({ kind: 'postgres', connectionString });
 * const lease = await leases.acquire(`run-${runId}`, 15_000);
 * if (lease === null) return; // another runner drives it
 */
export const openLeases = async (
  target: DatabaseTarget,
  clock: LeaseClock = systemLeaseClock,
): Promise<Leases> => {
  // A token that was given must never be given again, after a loss of power either.
  const options = { schema: SCHEMA, migrations: MIGRATIONS, durable: true };
  const database = await named(() => openDatabase<LeaseTables>(target, options));
  return {
    acquire: async (name, ttlMs) => {
      requireLeasable(name, ttlMs);
      const holder = randomUUID();
      const since = momentOf(clock);
      const token = await named(() => take(database, clock, { name, holder, ttlMs }));
      if (token === null) return null;
      return leaseOf(
        { name, token, ttlMs, since },
        {
          renew: () => named(() => prolong(database, clock, { name, holder, ttlMs })),
          release: () => named(() => release(database, { name, holder })),
        },
        clock,
      );
    },
    close: database.close,
  };
};

interface Claim {
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
}

/** Read anew for each row, after any wait for it. */
const nowOf = ({ kind }: Database<LeaseTables>, clock: LeaseClock): RawBuilder<number> =>
  kind === 'postgres'
    ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql<number>`cast(${Math.floor(clock.wall())} as integer)`;

/** The token, or null when somebody holds the name: one statement, so nobody comes in between. */
const take = (
  database: Database<LeaseTables>,
  clock: LeaseClock,
  { name, holder, ttlMs }: Claim,
): Promise<number | null> =>
  database.writeOne(async (db) => {
    const now = nowOf(database, clock);
    const row = await db
      .insertInto('leases')
      .values({ name, holder, token: 1, ttlMs, expiresAt: sql<number>`${now} + ${sql.lit(ttlMs)}` })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet((expression) => ({
            holder: expression.ref('excluded.holder'),
            token: sql<number>`leases.token + 1`,
            ttlMs: expression.ref('excluded.ttlMs'),
            expiresAt: sql<number>`${now} + ${sql.lit(ttlMs)}`,
          }))
          // Run out, or taken in what is now the future: the clock was set back since.
          .where(
            sql<boolean>`(leases.expires_at <= ${now} or leases.expires_at > ${now} + 2 * leases.ttl_ms)`,
          ),
      )
      .returning('token')
      .executeTakeFirst();
    return row?.token ?? null;
  });

const prolong = (
  database: Database<LeaseTables>,
  clock: LeaseClock,
  { name, holder, ttlMs }: Claim,
): Promise<boolean> =>
  database.writeOne(async (db) => {
    const now = nowOf(database, clock);
    const row = await db
      .updateTable('leases')
      .set({ expiresAt: sql<number>`${now} + ${sql.lit(ttlMs)}` })
      .where('name', '=', name)
      .where('holder', '=', holder)
      .where('expiresAt', '>', now)
      .returning('token')
      .executeTakeFirst();
    return row !== undefined;
  });

const release = (
  database: Database<LeaseTables>,
  { name, holder }: Pick<Claim, 'name' | 'holder'>,
): Promise<void> =>
  database.writeOne(async (db) => {
    await db
      .updateTable('leases')
      .set({ expiresAt: 0 })
      .where('name', '=', name)
      .where('holder', '=', holder)
      .execute();
  });

const named = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DatabaseUnavailable)) throw cause;
    throw new LeasesUnavailable(`nobody can tell who holds what: ${cause.message}`, { cause });
  }
};
