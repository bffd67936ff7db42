import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

/**
 * requested: counted by its study, not opened yet. refused: it never will be. ended: the loop is over, the findings
 * are not.
 */
export type RunStatus = 'requested' | 'refused' | 'open' | 'halted' | 'ended' | 'closed';

export interface RunsTable {
  /** Of the event that counted it: a run keeps its place when it opens. */
  readonly position: number;
  readonly runId: string;
  readonly studyId: string;
  /** The study's title in the policy that the run is pinned to; null before it opens. */
  readonly title: string | null;
  /** The study's nth run. */
  readonly number: number;
  readonly status: RunStatus;
  readonly requestedAt: string;
  /** Null before it opens, as all that is pinned then. */
  readonly openedAt: string | null;
  /** When it was halted or closed. */
  readonly closedAt: string | null;
  /** Who asked for it; once it is open, who opened it. */
  readonly actorRole: string;
  readonly actorId: string;
  readonly seed: number;
  readonly sourceCommit: string | null;
  readonly policyDigest: string | null;
  readonly iterations: number;
  /** Kept mutations that stand: a revert takes back those that it undoes. */
  readonly kept: number;
  readonly discarded: number;
  readonly failed: number;
  readonly diverged: number;
  readonly spent: number;
  readonly total: number | null;
  readonly baselineMetric: number | null;
  /** Metric of the line that stands. */
  readonly lineMetric: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** JSON: why a human ended it, sealed; null where nobody did. */
  readonly note: string | null;
  readonly findingsPass: number;
  readonly findingsBlock: number;
  /** -1 before it opens. */
  readonly lastRevision: number;
}

/** As they were before requested runs were shown; {@link createRuns} takes their place. */
export const runsMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('runs')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('runId', text, (column) => column.primaryKey())
      .addColumn('studyId', text, (column) => column.notNull())
      .addColumn('title', text, (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('status', text, (column) => column.notNull())
      .addColumn('openedAt', text, (column) => column.notNull())
      .addColumn('closedAt', text)
      .addColumn('actorRole', text, (column) => column.notNull())
      .addColumn('actorId', text, (column) => column.notNull())
      .addColumn('seed', 'bigint', (column) => column.notNull())
      .addColumn('sourceCommit', text, (column) => column.notNull())
      .addColumn('policyDigest', text, (column) => column.notNull())
      .addColumn('iterations', 'bigint', (column) => column.notNull())
      .addColumn('kept', 'bigint', (column) => column.notNull())
      .addColumn('discarded', 'bigint', (column) => column.notNull())
      .addColumn('failed', 'bigint', (column) => column.notNull())
      .addColumn('diverged', 'bigint', (column) => column.notNull())
      .addColumn('spent', 'double precision', (column) => column.notNull())
      .addColumn('total', 'double precision', (column) => column.notNull())
      .addColumn('baselineMetric', 'double precision')
      .addColumn('lineMetric', 'double precision')
      .addColumn('reason', text)
      .addColumn('message', text)
      .addColumn('findingsPass', 'bigint', (column) => column.notNull())
      .addColumn('findingsBlock', 'bigint', (column) => column.notNull())
      .addColumn('lastRevision', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('runsByStudy')
      .on('runs')
      .columns(['studyId', 'position'])
      .execute();
  },
};

export const createRuns = async (db: Kysely<unknown>): Promise<void> => {
  const text = textOf(db);
  await db.schema
    .createTable('runs')
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('runId', text, (column) => column.primaryKey())
    .addColumn('studyId', text, (column) => column.notNull())
    .addColumn('title', text)
    .addColumn('number', 'bigint', (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('requestedAt', text, (column) => column.notNull())
    .addColumn('openedAt', text)
    .addColumn('closedAt', text)
    .addColumn('actorRole', text, (column) => column.notNull())
    .addColumn('actorId', text, (column) => column.notNull())
    .addColumn('seed', 'bigint', (column) => column.notNull())
    .addColumn('sourceCommit', text)
    .addColumn('policyDigest', text)
    .addColumn('iterations', 'bigint', (column) => column.notNull())
    .addColumn('kept', 'bigint', (column) => column.notNull())
    .addColumn('discarded', 'bigint', (column) => column.notNull())
    .addColumn('failed', 'bigint', (column) => column.notNull())
    .addColumn('diverged', 'bigint', (column) => column.notNull())
    .addColumn('spent', 'double precision', (column) => column.notNull())
    .addColumn('total', 'double precision')
    .addColumn('baselineMetric', 'double precision')
    .addColumn('lineMetric', 'double precision')
    .addColumn('reason', text)
    .addColumn('message', text)
    .addColumn('findingsPass', 'bigint', (column) => column.notNull())
    .addColumn('findingsBlock', 'bigint', (column) => column.notNull())
    .addColumn('lastRevision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('runsByStudy').on('runs').columns(['studyId', 'position']).execute();
};

/** What a human said who ended it: sealed, so that the views need no key. */
export const addNote = (db: Kysely<unknown>): Promise<void> =>
  db.schema.alterTable('runs').addColumn('note', textOf(db)).execute();
