import type { Kysely } from 'kysely';
import type { VerdictRow } from '#libs/findings';
import type { PrivateText } from '#libs/kernel';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { FindingsTable, ReviewState } from './table.ts';

export interface FindingRow extends Omit<
  FindingsTable,
  'changes' | 'planted' | 'rows' | 'reviewReason'
> {
  readonly reviewReason: PrivateText | null;
  readonly studyId: string;
  /** The study's nth run. */
  readonly runNumber: number;
  readonly changes: readonly string[];
  readonly planted: readonly string[];
  /** Empty before the verdict. */
  readonly rows: readonly VerdictRow[];
}

export interface FindingFilter extends Filter {
  readonly finding?: string;
  readonly verdict?: 'PASS' | 'BLOCK';
  readonly review?: ReviewState;
}

export const queryFindings = async (
  db: Kysely<ViewTables>,
  filter: FindingFilter = {},
): Promise<Page<FindingRow>> => {
  const more = { findingId: filter.finding, verdict: filter.verdict, review: filter.review };
  const read = await db
    .selectFrom('findings')
    .innerJoin('runs', 'runs.runId', 'findings.runId')
    .selectAll('findings')
    .select(['runs.studyId', 'runs.number as runNumber'])
    .where((eb) => eb.and(conditions('findings', 'proposedAt', filter, more)))
    .orderBy('findings.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => ({
    ...row,
    changes: JSON.parse(row.changes) as readonly string[],
    planted: JSON.parse(row.planted) as readonly string[],
    reviewReason: row.reviewReason === null ? null : (JSON.parse(row.reviewReason) as PrivateText),
    rows: row.rows === null ? [] : (JSON.parse(row.rows) as readonly VerdictRow[]),
  }));
};
