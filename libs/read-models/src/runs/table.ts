import type { Migration } from 'kysely/migration';

export type RunStatus = 'open' | 'halted' | 'ended' | 'closed';

export interface RunsTable {
  readonly position: number;
  readonly runId: string;
  readonly studyId: string;
  readonly title: string;
  /** The study's nth run. */
  readonly number: number;
  readonly status: RunStatus;
  readonly openedAt: string;
  /** When it was halted or closed. */
  readonly closedAt: string | null;
  readonly actorRole: string;
  readonly actorId: string;
  readonly seed: number;
  readonly sourceCommit: string;
  readonly policyDigest: string;
  readonly iterations: number;
  /** Kept mutations that stand: a revert takes back those that it undoes. */
  readonly kept: number;
  readonly discarded: number;
  readonly failed: number;
  readonly diverged: number;
  readonly spent: number;
  readonly total: number;
  readonly baselineMetric: number | null;
  /** Metric of the line that stands. */
  readonly lineMetric: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly findingsPass: number;
  readonly findingsBlock: number;
  readonly lastRevision: number;
}

export const runsMigration: Migration = {
  up: async (db) => {
    await db.schema
      .createTable('runs')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('runId', 'text', (column) => column.primaryKey())
      .addColumn('studyId', 'text', (column) => column.notNull())
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('number', 'integer', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('openedAt', 'text', (column) => column.notNull())
      .addColumn('closedAt', 'text')
      .addColumn('actorRole', 'text', (column) => column.notNull())
      .addColumn('actorId', 'text', (column) => column.notNull())
      .addColumn('seed', 'bigint', (column) => column.notNull())
      .addColumn('sourceCommit', 'text', (column) => column.notNull())
      .addColumn('policyDigest', 'text', (column) => column.notNull())
      .addColumn('iterations', 'integer', (column) => column.notNull())
      .addColumn('kept', 'integer', (column) => column.notNull())
      .addColumn('discarded', 'integer', (column) => column.notNull())
      .addColumn('failed', 'integer', (column) => column.notNull())
      .addColumn('diverged', 'integer', (column) => column.notNull())
      .addColumn('spent', 'double precision', (column) => column.notNull())
      .addColumn('total', 'double precision', (column) => column.notNull())
      .addColumn('baselineMetric', 'double precision')
      .addColumn('lineMetric', 'double precision')
      .addColumn('reason', 'text')
      .addColumn('message', 'text')
      .addColumn('findingsPass', 'integer', (column) => column.notNull())
      .addColumn('findingsBlock', 'integer', (column) => column.notNull())
      .addColumn('lastRevision', 'integer', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('runsByStudy')
      .on('runs')
      .columns(['studyId', 'position'])
      .execute();
  },
};
