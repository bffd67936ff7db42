import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';
import type { ReplayClass } from '#libs/findings';

/** none: no human has looked at it yet. */
export type ReviewState = 'none' | 'accepted' | 'rejected';

export interface FindingsTable {
  readonly position: number;
  readonly findingId: string;
  readonly runId: string;
  /** The run's nth finding. */
  readonly number: number;
  readonly proposedAt: string;
  readonly actorRole: string;
  readonly actorId: string;
  readonly statement: string;
  readonly kind: string;
  readonly cohort: string;
  readonly outcome: string;
  readonly statistic: string;
  readonly estimate: number;
  readonly standardError: number;
  readonly level: number;
  readonly lower: number;
  readonly upper: number;
  readonly relative: number;
  readonly n: number;
  /** JSON: the mutations' summaries, in order. */
  readonly changes: string;
  /** JSON: dimensions in use that were planted in the data on purpose. */
  readonly planted: string;
  readonly fromTree: string;
  readonly toTree: string;
  readonly sealedLook: number;
  /** Looks at the same data by then, of all studies; null, as are the four after it, of a claim under version 1. */
  readonly dataLook: number | null;
  /** Runs that the study had counted by then. */
  readonly lookRuns: number | null;
  /** Units that it had spent by then. */
  readonly lookSpent: number | null;
  /** Claims that share the look. */
  readonly lookClaims: number | null;
  /** Standard errors to either side of the estimate. */
  readonly multiplier: number | null;
  readonly verdict: 'PASS' | 'BLOCK' | null;
  /** JSON: the verdict's rows, null before it. */
  readonly rows: string | null;
  readonly trust: string | null;
  readonly verifiedAt: string | null;
  readonly discardedAt: string | null;
  readonly review: ReviewState;
  /** JSON: the reviewer's reason, sealed. */
  readonly reviewReason: string | null;
  readonly reviewedBy: string | null;
  readonly reviewedAt: string | null;
  /** When the accepted line was moved to it. */
  readonly acceptedAt: string | null;
  /** How often its program was trained again. */
  readonly replays: number;
  /** What came of the newest time; null: none. */
  readonly replayed: ReplayClass | null;
  readonly replayedAt: string | null;
}

export const findingsMigration: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('findings')
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('findingId', text, (column) => column.primaryKey())
      .addColumn('runId', text, (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('proposedAt', text, (column) => column.notNull())
      .addColumn('actorRole', text, (column) => column.notNull())
      .addColumn('actorId', text, (column) => column.notNull())
      .addColumn('statement', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('cohort', text, (column) => column.notNull())
      .addColumn('outcome', text, (column) => column.notNull())
      .addColumn('statistic', text, (column) => column.notNull())
      .addColumn('estimate', 'double precision', (column) => column.notNull())
      .addColumn('standardError', 'double precision', (column) => column.notNull())
      .addColumn('level', 'double precision', (column) => column.notNull())
      .addColumn('lower', 'double precision', (column) => column.notNull())
      .addColumn('upper', 'double precision', (column) => column.notNull())
      .addColumn('relative', 'double precision', (column) => column.notNull())
      .addColumn('n', 'bigint', (column) => column.notNull())
      .addColumn('changes', text, (column) => column.notNull())
      .addColumn('planted', text, (column) => column.notNull())
      .addColumn('fromTree', text, (column) => column.notNull())
      .addColumn('toTree', text, (column) => column.notNull())
      .addColumn('sealedLook', 'bigint', (column) => column.notNull())
      .addColumn('verdict', text)
      .addColumn('rows', text)
      .addColumn('trust', text)
      .addColumn('verifiedAt', text)
      .addColumn('discardedAt', text)
      .addColumn('review', text, (column) => column.notNull())
      .addColumn('reviewReason', text)
      .addColumn('reviewedBy', text)
      .addColumn('reviewedAt', text)
      .addColumn('acceptedAt', text)
      .execute();
    await db.schema
      .createIndex('findingsByRun')
      .on('findings')
      .columns(['runId', 'position'])
      .execute();
  },
};

/** What the interval of a claim is corrected for. */
export const addLooks = async (db: Kysely<unknown>): Promise<void> => {
  for (const [column, type] of [
    ['dataLook', 'bigint'],
    ['lookRuns', 'bigint'],
    ['lookSpent', 'double precision'],
    ['lookClaims', 'bigint'],
    ['multiplier', 'double precision'],
  ] as const)
    await db.schema.alterTable('findings').addColumn(column, type).execute();
};

/** Whether a finding's program could be trained again. */
export const addReplays = async (db: Kysely<unknown>): Promise<void> => {
  const text = textOf(db);
  for (const [column, type] of [
    ['replays', 'bigint'],
    ['replayed', text],
    ['replayedAt', text],
  ] as const)
    await db.schema.alterTable('findings').addColumn(column, type).execute();
};
