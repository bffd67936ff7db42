import {
  cellCount,
  strides,
  coarsened,
  type CoarseningStep,
  type CohortDimension,
} from '#libs/harness';
import type { CellCounts } from '#libs/evaluator';
import type { SplitCounts, VaultCounts } from '../counts.ts';
import { together, type Contribution } from './dominance.ts';

/** For each cell of the dimensions its cell after the steps. */
export const coarseCells = (
  dimensions: readonly CohortDimension[],
  steps: readonly CoarseningStep[],
): Uint32Array => {
  const after = coarsened(dimensions, steps);
  const coarseStride = strides(after);
  const fineStride = strides(dimensions);
  // For each dimension the place of each of its first labels among the last ones.
  const places = dimensions.map(({ name, labels }, i) =>
    labels.map((label) => {
      let now = label;
      for (const { dimension, merge, into } of steps)
        if (dimension === name && merge.includes(now)) now = into;
      return after[i]!.labels.indexOf(now);
    }),
  );
  return Uint32Array.from({ length: cellCount(dimensions) }, (_, cell) =>
    dimensions.reduce((coarse, { labels }, i) => {
      const label = Math.floor(cell / fineStride[i]!) % labels.length;
      return coarse + places[i]![label]! * coarseStride[i]!;
    }, 0),
  );
};

/** The same people by coarser cells. */
export const coarseCounts = (counts: VaultCounts, to: Uint32Array, cells: number): VaultCounts => {
  const sums = ({ people, positive }: CellCounts): CellCounts => {
    const coarse = { people: new Uint32Array(cells), positive: new Uint32Array(cells) };
    to.forEach((cell, fine) => {
      coarse.people[cell]! += people[fine]!;
      coarse.positive[cell]! += positive[fine]!;
    });
    return coarse;
  };
  const split = (fine: SplitCounts): SplitCounts => ({
    ...fine,
    cells: sums(fine.cells),
    protected: fine.protected.map(({ attribute, groups }) => ({
      attribute,
      groups: groups.map(({ group, counts }) => ({ group, counts: sums(counts) })),
    })),
  });
  return {
    train: split(counts.train),
    dev: split(counts.dev),
    check: split(counts.check),
    sealed: split(counts.sealed),
  };
};

export const coarseContributions = (
  contributions: readonly Contribution[],
  to: Uint32Array,
  cells: number,
  keep: number,
): readonly Contribution[] => {
  const parts: Contribution[][] = Array.from({ length: cells }, () => []);
  to.forEach((cell, fine) => parts[cell]!.push(contributions[fine]!));
  return parts.map((part) => together(part, keep));
};
