import type { Kysely } from 'kysely';
import { conditions, direction, pageOf, rowsToRead, type Filter, type Page } from '../page.ts';
import type { ViewTables } from '../tables.ts';
import type { ChargesTable } from './table.ts';

export interface ChargeRow extends ChargesTable {
  readonly studyId: string;
  /** The study's nth run. */
  readonly runNumber: number;
}

export interface ChargeFilter extends Filter {
  /** What it was for: hypothesis, a domain, or metric. */
  readonly charge?: string;
  /** The hypothesis or mutation that it paid for. */
  readonly paysFor?: string;
}

export const queryCharges = async (
  db: Kysely<ViewTables>,
  filter: ChargeFilter = {},
): Promise<Page<ChargeRow>> => {
  const more = { charge: filter.charge, paysFor: filter.paysFor };
  const read = await db
    .selectFrom('charges')
    .innerJoin('runs', 'runs.runId', 'charges.runId')
    .selectAll('charges')
    .select(['runs.studyId', 'runs.number as runNumber'])
    .where((eb) => eb.and(conditions('charges', 'chargedAt', filter, more)))
    .orderBy('charges.position', direction(filter))
    .limit(rowsToRead(filter))
    .execute();
  return pageOf(read, filter, (row) => row);
};
