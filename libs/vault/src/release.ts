import { stringify } from 'csv-stringify/sync';
import { SPLITS, type DataPolicy, type Split } from '#libs/harness';
import { cellCount, cellLabels } from './cells.ts';
import type { VaultCounts } from './counts.ts';
import type { BaseCell } from './requests.ts';

/** Columns of the released files beside the dimensions, so no dimension may be called so. */
export const RELEASE_COLUMNS = ['cell', 'n', 'positive'] as const;

export interface Tally {
  readonly cells: number;
  readonly people: number;
}

/** What leaves the vault for a run. The bytes are the same for the same data, policy and key. */
export interface Release {
  /** The base cohort table, CSV: `cell`, each dimension's label, `n`, `positive`; released train cells only. */
  readonly table: Uint8Array;
  /** The full product of the dimensions, CSV: `cell`, each dimension's label. It depends on the policy alone. */
  readonly cells: Uint8Array;
  readonly report: {
    readonly minimumCell: number;
    /** Train cells with at least the minimum, and those that hold somebody but fewer. */
    readonly released: Tally;
    readonly suppressed: Tally;
    readonly people: Readonly<Record<Split, number>>;
  };
}

/** The train cells with at least `minimumCell` people, by id. */
export const baseCells = (counts: VaultCounts, minimumCell: number): readonly BaseCell[] => {
  const { people, positive } = counts.train.cells;
  return Array.from(people, (n, cell) => ({ cell, people: n, positive: positive[cell]! })).filter(
    (cell) => cell.people >= Math.max(1, minimumCell),
  );
};

/** Train cells that hold somebody, but fewer than the minimum. */
export const suppression = (counts: VaultCounts, minimumCell: number): Tally => {
  const small = Array.from(counts.train.cells.people).filter((n) => n > 0 && n < minimumCell);
  return { cells: small.length, people: sum(small) };
};

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const release = (policy: DataPolicy, counts: VaultCounts): Release => {
  const { dimensions, minimumCell } = policy;
  const base = baseCells(counts, minimumCell);
  const names = dimensions.map(({ name }) => name);
  return {
    table: csv(
      ['cell', ...names, 'n', 'positive'],
      base.map(({ cell, people, positive }) => [
        cell,
        ...cellLabels(dimensions, cell),
        people,
        positive,
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
      minimumCell,
      released: { cells: base.length, people: sum(base.map(({ people }) => people)) },
      suppressed: suppression(counts, minimumCell),
      people: Object.fromEntries(SPLITS.map((split) => [split, counts[split].people])) as Record<
        Split,
        number
      >,
    },
  };
};

const csv = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Uint8Array => new TextEncoder().encode(stringify([header, ...rows]));
