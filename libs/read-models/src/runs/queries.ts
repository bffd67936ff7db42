import type { Kysely } from 'kysely';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { RunsTable, RunStatus } from './table.ts';

export interface RunRow extends RunsTable {
  /** Share of the budget that is spent, from 0 to 1. */
  readonly utilization: number;
}

export interface RunFilter extends Filter {
  readonly status?: RunStatus;
}

export const queryRuns = async (
  db: Kysely<ViewTables>,
  filter: RunFilter = {},
): Promise<Page<RunRow>> => {
  const read = await db
    .selectFrom('runs')
    .selectAll()
    .where((eb) => eb.and(conditions('runs', 'openedAt', filter, { status: filter.status })))
    .orderBy('position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => ({
    ...row,
    utilization: row.total === 0 ? 0 : row.spent / row.total,
  }));
};
