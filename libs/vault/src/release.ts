import { stringify } from 'csv-stringify/sync';
import {
  cellCount,
  cellLabels,
  type CohortDimension,
  type DataPolicy,
  type Split,
} from '#libs/harness';
import type { Controlled, Tally } from './disclosure/control.ts';
import { written } from './disclosure/dominance.ts';

/** Columns of the released files beside the dimensions, so no dimension may be called so. */
export const RELEASE_COLUMNS = ['cell', 'n', 'positive'] as const;

/** The column of a magnitude's sums in the base table. */
export const sumColumn = (magnitude: string): string => `sum_${magnitude}`;

/**
 * What leaves the vault for a run, and every number that comes of individual train rows. The bytes are the same for the
 * same data, policy and key. `table` and `cells` are for the program and the agent; `report` is written into the log.
 */
export interface Release {
  /**
   * The base cohort table, CSV: `cell`, each dimension's label, `n`, `positive` and a `sum_<name>` for each magnitude;
   * released train cells only, and empty ones (n 0) where the policy shows them.
   */
  readonly table: Uint8Array;
  /** The full product of the dimensions, CSV: `cell`, each dimension's label. No row of the data is in it. */
  readonly cells: Uint8Array;
  readonly report: ReleaseReport;
}

export interface ReleaseReport {
  readonly minimumCell: number;
  /** What cells are numbered by, and how many of the policy's coarsening steps led there. */
  readonly dimensions: readonly CohortDimension[];
  readonly coarsened: number;
  /** Train cells in the table that hold somebody. */
  readonly released: Tally;
  /** Train cells that hold somebody and are not in the table; null: withheld. */
  readonly suppressed: Tally | null;
  /** People in each split; null: withheld, of all splits, for whoever knows the file's rows can subtract the others. */
  readonly people: Readonly<Record<Split, number>> | null;
  /** What the audit of all this found; null: version 1, not audited. */
  readonly audit: ReleaseAudit | null;
}

export interface ReleaseAudit {
  /** Whether the totals of the train rows are told in the log. */
  readonly totals: 'told' | 'withheld';
  /**
   * Cells hidden though no rule hides them, so that no other can be reckoned; null where that would say of a hidden
   * cell which rule hides it.
   */
  readonly complementary: number | null;
  /** Kinds of hidden cells that an intruder was set on. */
  readonly kinds: number;
}

export const release = (
  policy: Pick<DataPolicy, 'minimumCell' | 'magnitudes' | 'disclosure'>,
  { counts, contributions, control }: Controlled,
): Release => {
  const { dimensions, base, totals, hidden } = control;
  const { magnitudes } = policy;
  const names = dimensions.map(({ name }) => name);
  const occupied = base.filter(({ people }) => people > 0);
  const told = totals === 'told';
  const { train, dev, check, sealed } = counts;
  return {
    table: csv(
      ['cell', ...names, 'n', 'positive', ...magnitudes.map(({ name }) => sumColumn(name))],
      base.map(({ cell, people, positive }) => [
        cell,
        ...cellLabels(dimensions, cell),
        people,
        positive,
        ...magnitudes.map(({ decimals }, i) => written(contributions[i]![cell]!.sum, decimals)),
      ]),
    ),
    cells: csv(
      ['cell', ...names],
      Array.from({ length: cellCount(dimensions) }, (_, cell) => [
        cell,
        ...cellLabels(dimensions, cell),
      ]),
    ),
    report: {
      minimumCell: policy.minimumCell,
      dimensions,
      coarsened: control.coarsened,
      released: {
        cells: occupied.length,
        people: occupied.reduce((sum, { people }) => sum + people, 0),
      },
      suppressed: told ? hidden : null,
      people: told
        ? { train: train.people, dev: dev.people, check: check.people, sealed: sealed.people }
        : null,
      audit: auditOf(policy, control),
    },
  };
};

const auditOf = (
  { magnitudes, disclosure }: Pick<DataPolicy, 'magnitudes' | 'disclosure'>,
  { audit, totals, complementary }: Controlled['control'],
): ReleaseAudit | null => {
  if (audit.outcome !== 'passed') return null;
  // Where a rule hides cells of the minimum and more, the number would tell how many of the large ones it hides.
  const ambiguous = magnitudes.length > 0 || (disclosure?.minimumOutcome ?? 0) > 0;
  return { totals, complementary: ambiguous ? null : complementary, kinds: audit.kinds };
};

const csv = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Uint8Array => new TextEncoder().encode(stringify([header, ...rows]));
