import { sql, type Kysely } from 'kysely';
import type { PrivateText } from '#libs/kernel';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { RunsTable, RunStatus } from './table.ts';

export interface RunRow extends Omit<RunsTable, 'title' | 'note'> {
  /** The study's, as the run's policy has it; before the run opens, as the study was registered. */
  readonly title: string;
  /** Share of the budget that is spent, from 0 to 1. */
  readonly utilization: number;
  /** Why a human ended it; null where nobody did. */
  readonly note: PrivateText | null;
}

/** `from` and `to` are of the request. */
export interface RunFilter extends Filter {
  readonly status?: RunStatus;
}

export const queryRuns = async (
  db: Kysely<ViewTables>,
  filter: RunFilter = {},
): Promise<Page<RunRow>> => {
  const read = await db
    .selectFrom('runs')
    .innerJoin('studies', 'studies.studyId', 'runs.studyId')
    .selectAll('runs')
    .select('studies.title as studyTitle')
    .where((eb) => eb.and(conditions('runs', 'requestedAt', filter, { status: filter.status })))
    .orderBy('runs.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, ({ studyTitle, ...row }) => ({
    ...row,
    title: row.title ?? studyTitle,
    note: row.note === null ? null : (JSON.parse(row.note) as PrivateText),
    utilization: row.total === null || row.total === 0 ? 0 : row.spent / row.total,
  }));
};

/** How many runs there are of each status; one without runs is left out. */
export const countRuns = async (
  db: Kysely<ViewTables>,
): Promise<Readonly<Partial<Record<RunStatus, number>>>> => {
  const counted = await db
    .selectFrom('runs')
    .select(['status', sql<number>`count(*)`.as('runs')])
    .groupBy('status')
    .execute();
  return Object.fromEntries(counted.map(({ status, runs }) => [status, Number(runs)]));
};
