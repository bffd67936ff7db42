import { sql, type Kysely } from 'kysely';
import { storableText } from '#libs/database';
import type { ViewTables } from '../tables.ts';
import {
  auditRow,
  ofType,
  pageOfTrail,
  type AuditFilter,
  type AuditPage,
  type AuditRow,
} from './asked.ts';
import { historyOf, type Said } from './history.ts';

export interface ReviewRow extends AuditRow {
  readonly findingId: string;
  readonly decision: 'accepted' | 'rejected';
  /** The finding's verdict when it was reviewed, when and where that was recorded; null: it had none. */
  readonly verdict: 'PASS' | 'BLOCK' | null;
  readonly verdictAt: string | null;
  readonly verdictEvent: string | null;
}

export interface ReviewFilter extends AuditFilter {
  readonly finding?: string;
}

/** Who reviewed what, when and why, and what the verdict was by then; in log order. */
export const queryReviews = (
  db: Kysely<ViewTables>,
  filter: ReviewFilter = {},
): Promise<AuditPage<ReviewRow>> => {
  const { finding } = filter;
  const reviews = ofType('FindingReviewed');
  const belongs =
    finding === undefined
      ? reviews
      : sql<boolean>`(${reviews} and ${sql.ref('trail.findingId')} = ${storableText(finding)})`;
  return pageOfTrail(db, filter, belongs, async (rows) => {
    const histories = await historyOf(
      db,
      rows.map(({ findingId }) => findingId ?? ''),
      ['FindingVerified'],
    );
    return rows.map((row) => {
      const findingId = row.findingId ?? '';
      const { decision } = row.detail.said as Said;
      const verdict = (histories.get(findingId) ?? [])
        .filter(({ position }) => position < row.position)
        .at(-1);
      return {
        ...auditRow(row),
        findingId,
        decision: decision ?? 'rejected',
        verdict: verdict?.said.verdict ?? null,
        verdictAt: verdict?.at ?? null,
        verdictEvent: verdict?.place ?? null,
      };
    });
  });
};
