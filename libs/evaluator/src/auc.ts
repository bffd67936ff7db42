import type { Estimate } from '#libs/harness';
import { scoredCells, type CellCounts } from './counts.ts';
import { meanOf } from './moments.ts';
import { clip } from './predictions.ts';

/**
 * The structural components of DeLong, DeLong and Clarke-Pearson (1988), which are the same for everybody with the
 * same cell and outcome: for a positive the share of negatives that it outranks, for a negative the share of
 * positives that outrank it. A tie counts half.
 */
interface Components {
  readonly ofPositive: ReadonlyMap<number, number>;
  readonly ofNegative: ReadonlyMap<number, number>;
}

const components = (
  predictions: ArrayLike<number>,
  counts: CellCounts,
  cells: readonly number[],
): Components | null => {
  const positives = total(cells, (cell) => counts.positive[cell]!);
  const negatives = total(cells, (cell) => counts.people[cell]!) - positives;
  if (positives === 0 || negatives === 0) return null;
  const ofPositive = new Map<number, number>();
  const ofNegative = new Map<number, number>();
  const ranked = [...cells].sort((a, b) => clip(predictions[a]) - clip(predictions[b]));
  let positivesBelow = 0;
  let negativesBelow = 0;
  for (let from = 0, to = 0; from < ranked.length; from = to) {
    const p = clip(predictions[ranked[from]!]);
    while (to < ranked.length && clip(predictions[ranked[to]!]) === p) to += 1;
    const tied = ranked.slice(from, to);
    const positivesTied = total(tied, (cell) => counts.positive[cell]!);
    const negativesTied = total(tied, (cell) => counts.people[cell]!) - positivesTied;
    const positivesAbove = positives - positivesBelow - positivesTied;
    for (const cell of tied) {
      ofPositive.set(cell, (negativesBelow + negativesTied / 2) / negatives);
      ofNegative.set(cell, (positivesAbove + positivesTied / 2) / positives);
    }
    positivesBelow += positivesTied;
    negativesBelow += negativesTied;
  }
  return { ofPositive, ofNegative };
};

const total = (cells: readonly number[], of: (cell: number) => number): number =>
  cells.reduce((sum, cell) => sum + of(cell), 0);

/** The mean of a component over the positives, and the variances of both components, as DeLong puts them together. */
const estimate = (
  name: string,
  counts: CellCounts,
  cells: readonly number[],
  ofPositive: (cell: number) => number,
  ofNegative: (cell: number) => number,
): Estimate | null => {
  const overPositives = meanOf(
    cells.map((cell) => ({ value: ofPositive(cell), weight: counts.positive[cell]! })),
  );
  const overNegatives = meanOf(
    cells.map((cell) => ({
      value: ofNegative(cell),
      weight: counts.people[cell]! - counts.positive[cell]!,
    })),
  );
  if (overPositives === null || overNegatives === null) return null;
  return {
    name,
    value: overPositives.value,
    standardError: Math.hypot(overPositives.standardError, overNegatives.standardError),
    n: overPositives.n + overNegatives.n,
  };
};

/**
 * Area under the ROC curve over the cells with at least `minimumCell` people: the chance that a random positive is
 * ranked above a random negative, ties counting half (Hanley and McNeil 1982), with the standard error of DeLong,
 * DeLong and Clarke-Pearson (1988). Null where either outcome has fewer than two people.
 */
export const auc = (
  predictions: ArrayLike<number>,
  counts: CellCounts,
  minimumCell: number,
): Estimate | null => {
  const cells = scoredCells(counts, minimumCell);
  const own = components(predictions, counts, cells);
  if (own === null) return null;
  return estimate(
    'auc',
    counts,
    cells,
    (cell) => own.ofPositive.get(cell)!,
    (cell) => own.ofNegative.get(cell)!,
  );
};

/**
 * AUC of `predictions` less that of `incumbent` on the same people, with DeLong's paired standard error: the
 * variance of the difference of the components is the variance that their covariance matrices give.
 */
export const aucDifference = (
  predictions: ArrayLike<number>,
  incumbent: ArrayLike<number>,
  counts: CellCounts,
  minimumCell: number,
): Estimate | null => {
  const cells = scoredCells(counts, minimumCell);
  const own = components(predictions, counts, cells);
  const other = components(incumbent, counts, cells);
  if (own === null || other === null) return null;
  return estimate(
    'auc-difference',
    counts,
    cells,
    (cell) => own.ofPositive.get(cell)! - other.ofPositive.get(cell)!,
    (cell) => own.ofNegative.get(cell)! - other.ofNegative.get(cell)!,
  );
};
