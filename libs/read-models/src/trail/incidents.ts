import type { ChartReading } from '#libs/divergence';
import type { Breach } from '#libs/harness';
import type { Kysely } from 'kysely';
import type { ViewTables } from '../tables.ts';
import {
  auditRow,
  listed,
  pageOfTrail,
  plain,
  summariesOf,
  trailRows,
  type AuditFilter,
  type AuditPage,
  type AuditRow,
  type TrailRow,
} from './asked.ts';
import type { IncidentDetail } from './facts.ts';
import type { IncidentKind } from './table.ts';

/** The observation at which charts fired, with every chart's reading after it. */
export interface Readings {
  readonly trainingId: string;
  readonly metric: number;
  readonly standardError: number;
  readonly charts: readonly ChartReading[];
}

export interface IncidentRow
  extends AuditRow, Omit<IncidentDetail, 'breaches' | 'fired' | 'undone'> {
  readonly incident: IncidentKind;
  /** What the mutation changes, in its own words. */
  readonly summary: string | null;
  /** Mutations that were taken back, in order. */
  readonly undone: readonly { readonly mutationId: string; readonly summary: string | null }[];
  /** What hit a wall: rule, found, expected, file, line. */
  readonly breaches: readonly Breach[];
  /** Charts that fired, each with its sum and its decision interval. */
  readonly fired: readonly {
    readonly chart: string;
    readonly sum: number;
    readonly decisionInterval: number;
  }[];
  /** Of a divergence and of the revert that it brought. */
  readonly readings: Readings | null;
}

export interface IncidentFilter extends AuditFilter {
  readonly incident?: IncidentKind;
}

/** Every halt, divergence and revert with its evidence, in log order. */
export const queryIncidents = (
  db: Kysely<ViewTables>,
  filter: IncidentFilter = {},
): Promise<AuditPage<IncidentRow>> =>
  pageOfTrail(db, filter, listed('incident', filter.incident), async (rows) => {
    const readings = await readingsOf(db, rows);
    const summaries = await summariesOf(
      db,
      rows.flatMap(({ detail }) => [
        detail.incident?.mutationId ?? '',
        ...(detail.incident?.undone ?? []),
      ]),
    );
    const summaryOf = (mutationId: string): string | null => summaries.get(mutationId) ?? null;
    return rows.map((row) => {
      const detail = row.detail.incident as IncidentDetail;
      return {
        ...auditRow(row),
        incident: row.incident as IncidentKind,
        ...detail,
        summary: summaryOf(detail.mutationId ?? ''),
        undone: detail.undone.map((mutationId) => ({
          mutationId,
          summary: summaryOf(mutationId),
        })),
        breaches: detail.breaches as IncidentRow['breaches'],
        fired: detail.fired as IncidentRow['fired'],
        readings: readings.get(detail.observed ?? '') ?? null,
      };
    });
  });

const readingsOf = async (
  db: Kysely<ViewTables>,
  rows: readonly TrailRow[],
): Promise<ReadonlyMap<string, Readings>> => {
  const places = rows.flatMap(({ detail }) => detail.incident?.observed ?? []);
  if (places.length === 0) return new Map();
  const read = await trailRows(db).where('trail.place', 'in', places).execute();
  return new Map(
    read
      .map(plain)
      .flatMap(({ place, detail }): [string, Readings][] =>
        detail.readings === undefined ? [] : [[place, detail.readings as Readings]],
      ),
  );
};
