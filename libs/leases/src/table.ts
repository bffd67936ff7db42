import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

export interface LeaseTables {
  readonly leases: LeasesTable;
}

/** One row a name that was ever taken; it stays, so that its token goes on growing. */
export interface LeasesTable {
  readonly name: string;
  /** Drawn anew for each lease. */
  readonly holder: string;
  readonly token: number;
  readonly ttlMs: number;
  /** Milliseconds since 1970; 0 when it was released. */
  readonly expiresAt: number;
}

const leasesMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('leases')
      .addColumn('name', text, (column) => column.primaryKey())
      .addColumn('holder', text, (column) => column.notNull())
      .addColumn('token', 'bigint', (column) => column.notNull())
      .addColumn('ttlMs', 'bigint', (column) => column.notNull())
      .addColumn('expiresAt', 'bigint', (column) => column.notNull())
      .execute();
  },
};

export const MIGRATIONS: Readonly<Record<string, Migration>> = { '001-leases': leasesMigration };
