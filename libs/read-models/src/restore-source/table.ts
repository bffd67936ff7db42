import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

/** One row a restore point: the state before a mutation. */
export interface RestoreSourceTable {
  readonly position: number;
  readonly restorePointId: string;
  readonly runId: string;
  readonly mutationId: string;
  readonly takenAt: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly commit: string;
  readonly tree: string;
  readonly trainingId: string;
  readonly metric: number;
  /** JSON: each chart's sums. */
  readonly monitor: string;
  readonly seed: number;
  /** For audit only: a restore never rewinds the budget. */
  readonly budgetRemaining: number;
}

export const restoreSourceMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('restoreSource')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('restorePointId', text, (column) => column.primaryKey())
      .addColumn('runId', text, (column) => column.notNull())
      .addColumn('mutationId', text, (column) => column.notNull())
      .addColumn('takenAt', text, (column) => column.notNull())
      .addColumn('actorRole', text, (column) => column.notNull())
      .addColumn('actorId', text, (column) => column.notNull())
      .addColumn('commit', text, (column) => column.notNull())
      .addColumn('tree', text, (column) => column.notNull())
      .addColumn('trainingId', text, (column) => column.notNull())
      .addColumn('metric', 'double precision', (column) => column.notNull())
      .addColumn('monitor', text, (column) => column.notNull())
      .addColumn('seed', 'bigint', (column) => column.notNull())
      .addColumn('budgetRemaining', 'double precision', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('restoreSourceByRun')
      .on('restoreSource')
      .columns(['runId', 'position'])
      .execute();
  },
};
