import type { Estimate } from '#libs/harness';
import { scoredCells, type CellCounts } from './counts.ts';
import { meanOf, type Weighted } from './moments.ts';
import { clip } from './predictions.ts';

type Predictions = ArrayLike<number>;

/** What a person with a prediction (clipped) adds to a score, by the person's outcome. */
interface Loss {
  readonly positive: (p: number) => number;
  readonly negative: (p: number) => number;
}

const LOG_LOSS: Loss = {
  positive: (p) => -Math.log(p),
  negative: (p) => -Math.log1p(-p),
};

const BRIER: Loss = {
  positive: (p) => (1 - p) ** 2,
  negative: (p) => p ** 2,
};

/** Everybody in a cell has one of two values, by outcome. */
const overPeople = (
  name: string,
  cells: readonly number[],
  counts: CellCounts,
  positive: (cell: number) => number,
  negative: (cell: number) => number,
): Estimate | null => {
  const values = cells.flatMap((cell): Weighted[] => {
    const weight = counts.positive[cell]!;
    return [
      { value: positive(cell), weight },
      { value: negative(cell), weight: counts.people[cell]! - weight },
    ];
  });
  const mean = meanOf(values);
  return mean && { name, ...mean };
};

const meanLoss = (
  name: string,
  loss: Loss,
  predictions: Predictions,
  counts: CellCounts,
  cells: readonly number[],
): Estimate | null =>
  overPeople(
    name,
    cells,
    counts,
    (cell) => loss.positive(clip(predictions[cell])),
    (cell) => loss.negative(clip(predictions[cell])),
  );

/**
 * Binomial log-loss per person (natural logarithm) over the cells with at least `minimumCell` people; lower is
 * better. Grouped counts lose nothing: value and standard error are those of the individual rows.
 * Null where fewer than two people can be scored.
 *
 * @example score([0.25], { people: [20], positive: [5] }, 11) // 0.5623 ± 0.1091, n 20
 */
export const score = (
  predictions: Predictions,
  counts: CellCounts,
  minimumCell: number,
): Estimate | null =>
  meanLoss('log-loss', LOG_LOSS, predictions, counts, scoredCells(counts, minimumCell));

/**
 * Log-loss a person of `predictions` less that of `incumbent` on the same people, with the paired standard error:
 * the deviation is of each person's difference, so what both get wrong alike doesn't count as noise.
 * Negative: `predictions` is better. `cells` defaults to those with at least `minimumCell` people.
 */
export const difference = (
  predictions: Predictions,
  incumbent: Predictions,
  counts: CellCounts,
  minimumCell: number,
  cells: readonly number[] = scoredCells(counts, minimumCell),
): Estimate | null => {
  const less = (loss: (p: number) => number) => (cell: number) =>
    loss(clip(predictions[cell])) - loss(clip(incumbent[cell]));
  return overPeople(
    'log-loss-difference',
    cells,
    counts,
    less(LOG_LOSS.positive),
    less(LOG_LOSS.negative),
  );
};

/** The predictions of two trainings with the same seed. */
export interface SeedPair {
  readonly predictions: Predictions;
  readonly incumbent: Predictions;
}

/**
 * What a decision to keep rests on: the difference of log-losses averaged over seeds (each person's loss under
 * `predictions` less that under `incumbent`, averaged over the pairs), as the mean over people, with a standard error
 * that holds where `predictions` are no better. Negative: `predictions` are better. The value is the mean of the pairs'
 * {@link difference}s; how much the pairs differ from one another is not in the standard error.
 *
 * The sample's own variance ({@link difference}) is no measure of a change that few people show: where all 20 of a
 * cell had the outcome that the change bets on, it is next to nothing, and z comes out as √20 whatever the bet was. So
 * within each cell the variance is that of the observed share of positive outcomes or that of the share at which the
 * change breaks even there (a score test's variance), whichever is greater; between cells it is the sample's.
 *
 * Null where fewer than two people can be scored.
 * @throws RangeError without a pair
 */
export const differenceOverSeeds = (
  pairs: readonly SeedPair[],
  counts: CellCounts,
  minimumCell: number,
): Estimate | null => {
  if (pairs.length === 0) throw new RangeError('there is no seed to take the difference over');
  const cells = scoredCells(counts, minimumCell);
  const less = (loss: (p: number) => number, cell: number): number =>
    pairs.reduce(
      (sum, { predictions, incumbent }) =>
        sum + (loss(clip(predictions[cell])) - loss(clip(incumbent[cell]))),
      0,
    ) / pairs.length;
  const changes = cells.map((cell) => {
    const people = counts.people[cell]!;
    const share = counts.positive[cell]! / people;
    const positive = less(LOG_LOSS.positive, cell);
    const negative = less(LOG_LOSS.negative, cell);
    return { people, share, positive, negative, mean: share * positive + (1 - share) * negative };
  });
  const n = changes.reduce((sum, { people }) => sum + people, 0);
  if (n < 2) return null;
  const value = changes.reduce((sum, { people, mean }) => sum + people * mean, 0) / n;
  const squares = changes.reduce((sum, { people, share, positive, negative, mean }) => {
    const spread = positive - negative;
    // Where it is better (or worse) whatever the outcome, no share breaks even, and its variance is none.
    const even = spread === 0 ? 0 : Math.min(1, Math.max(0, -negative / spread));
    const ofShare = Math.max(share * (1 - share), even * (1 - even));
    return sum + people * ((mean - value) ** 2 + spread ** 2 * ofShare);
  }, 0);
  return {
    name: 'log-loss-difference',
    value,
    standardError: Math.sqrt(squares / (n - 1) / n),
    n,
  };
};

/** Mean squared error per person (Brier 1950) over the cells with at least `minimumCell` people; lower is better. */
export const brier = (
  predictions: Predictions,
  counts: CellCounts,
  minimumCell: number,
): Estimate | null =>
  meanLoss('brier', BRIER, predictions, counts, scoredCells(counts, minimumCell));

const CALIBRATION_BINS = 10;

/**
 * Expected calibration error: the mean over people of |observed − predicted| share in ten bins of equal width
 * (Naeini, Cooper, Hauskrecht 2015). Its standard error takes the sign of each bin's error as known, so near a
 * perfect calibration it is too small, and the value itself is biased upwards.
 */
export const calibrationError = (
  predictions: Predictions,
  counts: CellCounts,
  minimumCell: number,
): Estimate | null => {
  const cells = scoredCells(counts, minimumCell);
  const binOf = (p: number) => Math.min(CALIBRATION_BINS - 1, Math.floor(p * CALIBRATION_BINS));
  const errors = new Float64Array(CALIBRATION_BINS);
  for (const cell of cells) {
    const p = clip(predictions[cell]);
    errors[binOf(p)]! += counts.positive[cell]! - counts.people[cell]! * p;
  }
  const signed = (outcome: number) => (cell: number) => {
    const p = clip(predictions[cell]);
    return Math.sign(errors[binOf(p)]!) * (outcome - p);
  };
  return overPeople('calibration-error', cells, counts, signed(1), signed(0));
};
