import type { Kysely } from 'kysely';
import type { RestorePointTaken } from '#libs/run';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { RestoreSourceTable } from './table.ts';

export interface RestorePointRow extends Omit<RestoreSourceTable, 'monitor'> {
  readonly studyId: string;
  /** The study's nth run. */
  readonly runNumber: number;
  readonly monitor: RestorePointTaken['data']['monitor'];
}

export interface RestorePointFilter extends Filter {
  readonly restorePoint?: string;
  /** The mutation before which it was taken. */
  readonly mutation?: string;
}

export const queryRestoreSource = async (
  db: Kysely<ViewTables>,
  filter: RestorePointFilter = {},
): Promise<Page<RestorePointRow>> => {
  const more = { restorePointId: filter.restorePoint, mutationId: filter.mutation };
  const read = await db
    .selectFrom('restoreSource')
    .innerJoin('runs', 'runs.runId', 'restoreSource.runId')
    .selectAll('restoreSource')
    .select(['runs.studyId', 'runs.number as runNumber'])
    .where((eb) => eb.and(conditions('restoreSource', 'takenAt', filter, more)))
    .orderBy('restoreSource.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => ({
    ...row,
    monitor: JSON.parse(row.monitor) as RestorePointRow['monitor'],
  }));
};
