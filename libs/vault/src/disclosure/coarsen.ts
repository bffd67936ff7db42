import type { CoarseningStep, CohortDimension } from '#libs/harness';
import type { CellCounts } from '#libs/evaluator';
import { cellCount, strides } from '../cells.ts';
import type { SplitCounts, VaultCounts } from '../counts.ts';
import { together, type Contribution } from './dominance.ts';

/** What is wrong with a step on dimensions as the steps before left them; null: nothing. */
export const misstep = (
  dimensions: readonly CohortDimension[],
  { dimension: name, merge, into }: CoarseningStep,
): string | null => {
  const dimension = dimensions.find((one) => one.name === name);
  if (dimension === undefined) return `no dimension "${name}"`;
  if (merge.length < 2 || new Set(merge).size !== merge.length)
    return `${name}: fewer than two different labels`;
  const strange = merge.filter((label) => !dimension.labels.includes(label));
  if (strange.length > 0) return `${name}: no label ${strange.map((one) => `"${one}"`).join(', ')}`;
  const others = dimension.labels.filter((label) => !merge.includes(label));
  if (others.includes(into)) return `${name}: the label "${into}" is taken`;
  return null;
};

/** The dimensions after these steps, each sound: {@link misstep}. */
export const coarsened = (
  dimensions: readonly CohortDimension[],
  steps: readonly CoarseningStep[],
): readonly CohortDimension[] => {
  let coarse = dimensions.map(({ name, labels }) => ({ name, labels }));
  for (const step of steps) {
    coarse = coarse.map((dimension) =>
      dimension.name === step.dimension
        ? { name: dimension.name, labels: mergedLabels(dimension.labels, step) }
        : dimension,
    );
  }
  return coarse;
};

const mergedLabels = (labels: readonly string[], { merge, into }: CoarseningStep) => {
  const first = labels.findIndex((label) => merge.includes(label));
  return labels.flatMap((label, i) => {
    if (i === first) return [into];
    return merge.includes(label) ? [] : [label];
  });
};

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
export const coarseCounts = (
  counts: VaultCounts,
  to: Uint32Array,
  cells: number,
): VaultCounts => {
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
