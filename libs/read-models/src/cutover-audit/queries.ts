import type { Kysely } from 'kysely';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { CutoverAuditTable, Decision } from './table.ts';

export interface CutoverRow extends CutoverAuditTable {
  readonly studyId: string;
  /** The study's nth run. */
  readonly runNumber: number;
  readonly hypothesis: string | null;
  readonly expectedEffect: number | null;
}

export interface CutoverFilter extends Filter {
  /** The measured domain. */
  readonly domain?: string;
  readonly decision?: Decision;
  readonly mutation?: string;
}

export const queryCutoverAudit = async (
  db: Kysely<ViewTables>,
  filter: CutoverFilter = {},
): Promise<Page<CutoverRow>> => {
  const { domain, decision, mutation } = filter;
  const more = { measuredDomain: domain, decision, mutationId: mutation };
  const read = await db
    .selectFrom('cutoverAudit')
    .innerJoin('runs', 'runs.runId', 'cutoverAudit.runId')
    .leftJoin('hypotheses', 'hypotheses.hypothesisId', 'cutoverAudit.hypothesisId')
    .selectAll('cutoverAudit')
    .select([
      'runs.studyId',
      'runs.number as runNumber',
      'hypotheses.statement as hypothesis',
      'hypotheses.expectedEffect',
    ])
    .where((eb) => eb.and(conditions('cutoverAudit', 'proposedAt', filter, more)))
    .orderBy('cutoverAudit.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => row);
};
