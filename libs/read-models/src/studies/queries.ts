import type { Kysely } from 'kysely';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { StudiesTable } from './table.ts';

export type StudyRow = StudiesTable;

/** A study has no run of its own to be filtered by; `actor` is who registered it. */
export type StudyFilter = Omit<Filter, 'run'>;

export const queryStudies = async (
  db: Kysely<ViewTables>,
  filter: StudyFilter = {},
): Promise<Page<StudyRow>> => {
  const read = await db
    .selectFrom('studies')
    .selectAll()
    .where((eb) => eb.and(conditions('studies', 'registeredAt', filter)))
    .orderBy('position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => row);
};
