import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { chargesMigration, type ChargesTable } from './charges/table.ts';
import {
  cutoverAuditMigration,
  type CutoverAuditTable,
  type HypothesesTable,
} from './cutover-audit/table.ts';
import { findingsMigration, type FindingsTable } from './findings/table.ts';
import { restoreSourceMigration, type RestoreSourceTable } from './restore-source/table.ts';
import { runsMigration, type RunsTable } from './runs/table.ts';

export interface ViewTables {
  readonly runs: RunsTable;
  readonly cutoverAudit: CutoverAuditTable;
  readonly hypotheses: HypothesesTable;
  readonly restoreSource: RestoreSourceTable;
  readonly charges: ChargesTable;
  readonly findings: FindingsTable;
  readonly viewPosition: ViewPositionTable;
}

/** One row: how far into the log the views have come. */
export interface ViewPositionTable {
  readonly id: string;
  /** The last event projected; null before the first. */
  readonly position: number | null;
}

/** The tables that a rebuild empties and fills again. */
export const PROJECTED = [
  'runs',
  'cutoverAudit',
  'hypotheses',
  'restoreSource',
  'charges',
  'findings',
] as const satisfies readonly (keyof ViewTables)[];

export const POSITION_ROW = 'views';

const positionMigration: Migration = {
  up: async (db) => {
    await db.schema
      .createTable('viewPosition')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('position', 'bigint')
      .execute();
    await db.insertInto('viewPosition').values({ id: POSITION_ROW, position: null }).execute();
  },
};

// Run in the order of their names. One that changes a view ends by setting the position to null and emptying the
// tables: the next catch-up fills them again.
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-position': positionMigration,
  '002-runs': runsMigration,
  '003-cutover-audit': cutoverAuditMigration,
  '004-restore-source': restoreSourceMigration,
  '005-charges': chargesMigration,
  '006-findings': findingsMigration,
};

/** Brings the tables to today's form. */
export const migrate = async (db: Kysely<ViewTables>): Promise<void> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('The views could not be migrated.', { cause: error });
};
