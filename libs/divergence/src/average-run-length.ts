import normal from '@stdlib/stats-base-dists-normal-cdf';
import { gaussLegendre } from './gauss-legendre.ts';
import { quietChances } from './quiet.ts';
import { quietTogether } from './two-sides.ts';

/** A chart whose values are in units of their noise: normal with standard deviation 1. */
export interface NoiseScaledChart {
  /** k, in standard deviations. */
  readonly allowance: number;
  /** h, in standard deviations. */
  readonly decisionInterval: number;
  /** 1: only the upper sum is watched. 2: both. */
  readonly sides: 1 | 2;
  /** How far the true mean stands from the reference, in standard deviations; 0: nothing is wrong. */
  readonly shift: number;
}

/**
 * One side of a chart as an integral equation (Page 1954), on the nodes of a Gauss–Legendre rule: what a sum at one
 * place becomes at the next observation. Place 0 is the sum at zero, which holds a share of its own.
 */
interface Side {
  readonly places: number;
  /** Row by row: the weight of each place after one observation from each place. */
  readonly weights: Float64Array;
}

/** From this h on (in standard deviations) the nodes would lie too far apart; Siegmund's approximation takes over. */
const WIDEST = 60;

const DENSITY_AT_MEAN = 1 / Math.sqrt(2 * Math.PI);

const sideOf = ({ allowance, decisionInterval }: NoiseScaledChart, shift: number): Side => {
  const { nodes, weights: rule } = gaussLegendre(Math.ceil(24 + 4 * decisionInterval));
  const half = decisionInterval / 2;
  const sums = [0, ...nodes.map((node) => half * (node + 1))];
  const places = sums.length;
  const weights = new Float64Array(places * places);
  for (let from = 0; from < places; from += 1) {
    // The mean of the next sum, before it is cut off at zero.
    const mean = sums[from]! + shift - allowance;
    weights[from * places] = normal(-mean, 0, 1);
    for (let to = 1; to < places; to += 1)
      weights[from * places + to] =
        half * rule[to - 1]! * DENSITY_AT_MEAN * Math.exp(-((sums[to]! - mean) ** 2) / 2);
  }
  return { places, weights };
};

/** Solves (I − weights) x = 1 by elimination with partial pivoting; the first of x. */
const expectedSteps = ({ places, weights }: Side): number => {
  const rows = Array.from({ length: places }, (_, i) => {
    const row = new Float64Array(places + 1);
    for (let j = 0; j < places; j += 1) row[j] = (i === j ? 1 : 0) - weights[i * places + j]!;
    row[places] = 1;
    return row;
  });
  // From the last place to the first, so that what is asked for is left over at the end.
  for (let column = places - 1; column > 0; column -= 1) {
    let best = column;
    for (let i = 0; i < column; i += 1)
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[best]![column]!)) best = i;
    const pivot = rows[best]!;
    rows[best] = rows[column]!;
    rows[column] = pivot;
    for (let i = 0; i < column; i += 1) {
      const row = rows[i]!;
      const factor = row[column]! / pivot[column]!;
      if (factor === 0) continue;
      for (let j = 0; j < column; j += 1) row[j]! -= factor * pivot[j]!;
      row[places]! -= factor * pivot[places]!;
    }
  }
  return rows[0]![places]! / rows[0]![0]!;
};

/** Beyond this the equations are singular to double precision. */
const LONGEST = 1e12;

/** Siegmund (1985), Sequential Analysis, (2.57): a random walk in continuous time, its overshoot put into h. */
const siegmund = ({ allowance, decisionInterval }: NoiseScaledChart, shift: number): number => {
  const drift = shift - allowance;
  const height = decisionInterval + 1.166;
  return drift === 0
    ? height ** 2
    : (Math.exp(-2 * drift * height) + 2 * drift * height - 1) / (2 * drift ** 2);
};

const oneSided = (chart: NoiseScaledChart, shift: number): number => {
  const steps =
    chart.decisionInterval > WIDEST
      ? Math.max(1, siegmund(chart, shift))
      : expectedSteps(sideOf(chart, shift));
  return steps >= 1 - 1e-9 && steps < LONGEST ? steps : Number.POSITIVE_INFINITY;
};

/**
 * Observations that a CUSUM chart takes on average before it fires, starting from zero: with a shift of 0 the mean
 * distance between false alarms, otherwise the mean delay until the shift is seen. Infinity from 10¹² on. Right to
 * about six digits up to h = 60; beyond, by Siegmund's approximation, to about one per cent.
 * Source: the integral equation of Page (1954), Biometrika 41, 100–115, by Gauss–Legendre quadrature. The two sides
 * are combined as 1/ARL = 1/ARL₊ + 1/ARL₋, which is exact where both have the same k and h, as here: a side that
 * fires finds the other one at zero (Van Dobben de Bruyn 1968; Lucas and Crosier 1982).
 *
 * @example averageRunLength({ allowance: 0.5, decisionInterval: 5, sides: 2, shift: 0 }) // about 465
 */
export const averageRunLength = (chart: NoiseScaledChart): number => {
  const upper = oneSided(chart, chart.shift);
  return chart.sides === 1 ? upper : 1 / (1 / upper + 1 / oneSided(chart, -chart.shift));
};

/** The chance that a side stays quiet for so many observations, for each of these numbers. */
const quiet = ({ places, weights }: Side, counts: readonly number[]): readonly number[] =>
  quietChances(
    places,
    (from, chances) => {
      let sum = 0;
      for (let to = 0; to < places; to += 1) sum += weights[from * places + to]! * chances[to]!;
      return sum;
    },
    counts,
  );

const within = (chance: number): number => Math.min(1, Math.max(0, chance));

/**
 * The chance that the chart fires at least once in so many observations (whole numbers), starting from zero, for each of
 * these numbers: right to about six digits for one side and to a thousandth for two, whose sums are followed together.
 * For a chart of an h above 60 it is taken as if firing were as likely at each observation.
 *
 * @example alarmProbabilities({ allowance: 0.5, decisionInterval: 5, sides: 2, shift: 0 }, [100]) // [0.19]
 */
export const alarmProbabilities = (
  chart: NoiseScaledChart,
  counts: readonly number[],
): readonly number[] => {
  if (chart.decisionInterval > WIDEST) {
    const runLength = averageRunLength(chart);
    return counts.map((count) => -Math.expm1(-count / runLength));
  }
  const upper = quiet(sideOf(chart, chart.shift), counts);
  if (chart.sides === 1) return upper.map((chance) => within(1 - chance));
  const lower = quiet(sideOf(chart, -chart.shift), counts);
  const together = quietTogether(chart, counts);
  return counts.map((_, at) => within(1 - upper[at]! * lower[at]! * together[at]!));
};

/** {@link alarmProbabilities} of one number of observations. */
export const alarmProbability = (chart: NoiseScaledChart, observations: number): number =>
  alarmProbabilities(chart, [observations])[0]!;
