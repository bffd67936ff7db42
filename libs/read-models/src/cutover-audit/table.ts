import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

/**
 * pending: on trial, or about to be. reverted: the candidate at which a divergence was detected. undone: kept
 * before, taken back by a divergence. unfinished: the loop ended first.
 */
export type Decision =
  | 'pending'
  | 'kept'
  | 'discarded'
  | 'reverted'
  | 'undone'
  | 'failed'
  | 'timed-out'
  | 'halted'
  | 'unfinished';

/** One row an attempt: what changed, when, why, by whom, from which restore point, and what became of it. */
export interface CutoverAuditTable {
  readonly position: number;
  readonly mutationId: string;
  readonly runId: string;
  readonly hypothesisId: string;
  readonly number: number;
  readonly proposedAt: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly summary: string;
  readonly declaredDomain: string;
  readonly measuredDomain: string | null;
  readonly cost: number | null;
  readonly fromTree: string;
  readonly toTree: string;
  readonly proposedCommit: string;
  readonly restorePointId: string | null;
  readonly cutOverAt: string | null;
  readonly decision: Decision;
  readonly decidedAt: string | null;
  readonly metric: number | null;
  readonly metricError: number | null;
  readonly difference: number | null;
  readonly differenceError: number | null;
  readonly z: number | null;
  readonly threshold: number | null;
  readonly reason: string | null;
}

/** Why an attempt was made: one row a hypothesis, also of those that led to no mutation. */
export interface HypothesesTable {
  readonly position: number;
  readonly hypothesisId: string;
  readonly runId: string;
  readonly number: number;
  readonly statement: string;
  readonly expectedEffect: number;
  readonly proposedAt: string;
}

export const cutoverAuditMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('cutoverAudit')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('mutationId', text, (column) => column.primaryKey())
      .addColumn('runId', text, (column) => column.notNull())
      .addColumn('hypothesisId', text, (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('proposedAt', text, (column) => column.notNull())
      .addColumn('actorRole', text, (column) => column.notNull())
      .addColumn('actorId', text, (column) => column.notNull())
      .addColumn('summary', text, (column) => column.notNull())
      .addColumn('declaredDomain', text, (column) => column.notNull())
      .addColumn('measuredDomain', text)
      .addColumn('cost', 'double precision')
      .addColumn('fromTree', text, (column) => column.notNull())
      .addColumn('toTree', text, (column) => column.notNull())
      .addColumn('proposedCommit', text, (column) => column.notNull())
      .addColumn('restorePointId', text)
      .addColumn('cutOverAt', text)
      .addColumn('decision', text, (column) => column.notNull())
      .addColumn('decidedAt', text)
      .addColumn('metric', 'double precision')
      .addColumn('metricError', 'double precision')
      .addColumn('difference', 'double precision')
      .addColumn('differenceError', 'double precision')
      .addColumn('z', 'double precision')
      .addColumn('threshold', 'double precision')
      .addColumn('reason', text)
      .execute();
    await db.schema
      .createIndex('cutoverAuditByRun')
      .on('cutoverAudit')
      .columns(['runId', 'position'])
      .execute();
    await db.schema
      .createTable('hypotheses')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('hypothesisId', text, (column) => column.primaryKey())
      .addColumn('runId', text, (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('statement', text, (column) => column.notNull())
      .addColumn('expectedEffect', 'double precision', (column) => column.notNull())
      .addColumn('proposedAt', text, (column) => column.notNull())
      .execute();
  },
};
