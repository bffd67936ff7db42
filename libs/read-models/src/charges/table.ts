import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

/** The ledger: one row a charge. */
export interface ChargesTable {
  readonly position: number;
  /** Id of the event that charged it. */
  readonly chargeId: string;
  readonly runId: string;
  readonly chargedAt: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly charge: string;
  readonly cost: number;
  /** What was left after it. */
  readonly remaining: number;
  readonly description: string;
  /** The hypothesis, mutation or secondary metric that it paid for. */
  readonly paysFor: string;
}

export const chargesMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('charges')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('chargeId', text, (column) => column.primaryKey())
      .addColumn('runId', text, (column) => column.notNull())
      .addColumn('chargedAt', text, (column) => column.notNull())
      .addColumn('actorRole', text, (column) => column.notNull())
      .addColumn('actorId', text, (column) => column.notNull())
      .addColumn('charge', text, (column) => column.notNull())
      .addColumn('cost', 'double precision', (column) => column.notNull())
      .addColumn('remaining', 'double precision', (column) => column.notNull())
      .addColumn('description', text, (column) => column.notNull())
      .addColumn('paysFor', text, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('chargesByRun')
      .on('charges')
      .columns(['runId', 'position'])
      .execute();
  },
};
