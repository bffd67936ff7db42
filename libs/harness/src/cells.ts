import type { CohortDimension } from './policy.ts';

/** The most cells that a study's dimensions may span: a program predicts for every one. */
export const MOST_CELLS = 20_000;

/** Cells of the full Cartesian product of the dimensions; 1 without any. */
export const cellCount = (dimensions: readonly Pick<CohortDimension, 'labels'>[]): number =>
  dimensions.reduce((cells, { labels }) => cells * labels.length, 1);

/**
 * How far apart two neighbours in each dimension are: a cell's id counts through the product in row-major order
 * from 0, the last dimension fastest.
 */
export const strides = (
  dimensions: readonly Pick<CohortDimension, 'labels'>[],
): readonly number[] => dimensions.map((_, index) => cellCount(dimensions.slice(index + 1)));

/** A cell's label in each dimension. */
export const cellLabels = (
  dimensions: readonly Pick<CohortDimension, 'labels'>[],
  cell: number,
): readonly string[] => {
  const stride = strides(dimensions);
  return dimensions.map(
    ({ labels }, index) => labels[Math.floor(cell / stride[index]!) % labels.length]!,
  );
};
