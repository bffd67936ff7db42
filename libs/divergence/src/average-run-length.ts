import normal from '@stdlib/stats-base-dists-normal-cdf';

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

/** Steps that [0, h] is cut into: the run lengths are then right to about one in a thousand. */
const STATES = 100;

/**
 * The chance of going from one cell of the sum to another, of a sum that has not fired: a Markov chain whose first
 * cell is the sum at zero (Brook and Evans 1972).
 */
const transitions = (allowance: number, decisionInterval: number, shift: number): number[][] => {
  const width = (2 * decisionInterval) / (2 * STATES - 1);
  const below = (edge: number): number => normal(edge, shift - allowance, 1);
  return Array.from({ length: STATES }, (_, from) =>
    Array.from({ length: STATES }, (_, to) => {
      const edge = (to - from + 0.5) * width;
      return to === 0 ? below(edge) : below(edge) - below(edge - width);
    }),
  );
};

/** Solves (I − R) x = 1 by elimination; the matrix is diagonally dominant, so it needs no pivots. */
const expectedSteps = (chain: readonly (readonly number[])[]): number[] => {
  const rows = chain.map((row, i) => [...row.map((p, j) => (i === j ? 1 : 0) - p), 1]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let pivot = 0; pivot < STATES; pivot += 1) {
    for (let i = pivot + 1; i < STATES; i += 1) {
      const factor = at(i, pivot) / at(pivot, pivot);
      const row = rows[i] ?? [];
      for (let j = pivot; j <= STATES; j += 1) row[j] = at(i, j) - factor * at(pivot, j);
    }
  }
  const steps = new Array<number>(STATES).fill(0);
  for (let i = STATES - 1; i >= 0; i -= 1) {
    let sum = at(i, STATES);
    for (let j = i + 1; j < STATES; j += 1) sum -= at(i, j) * (steps[j] ?? 0);
    steps[i] = sum / at(i, i);
  }
  return steps;
};

/** Beyond this the equations are singular to double precision. */
const LONGEST = 1e12;

const oneSided = (chart: NoiseScaledChart, shift: number): number => {
  const [steps = 0] = expectedSteps(transitions(chart.allowance, chart.decisionInterval, shift));
  return steps >= 1 && steps < LONGEST ? steps : Number.POSITIVE_INFINITY;
};

/**
 * Observations that a CUSUM chart takes on average before it fires, starting from zero: with a shift of 0 the mean
 * distance between false alarms, otherwise the mean delay until the shift is seen. Infinity from 10¹² on.
 * Source: Brook and Evans (1972), Biometrika 59, 539–549; the two sides are combined as 1/ARL = 1/ARL₊ + 1/ARL₋
 * (Van Dobben de Bruyn 1968).
 *
 * @example averageRunLength({ allowance: 0.5, decisionInterval: 5, sides: 2, shift: 0 }) // about 465
 */
export const averageRunLength = (chart: NoiseScaledChart): number => {
  const upper = oneSided(chart, chart.shift);
  return chart.sides === 1 ? upper : 1 / (1 / upper + 1 / oneSided(chart, -chart.shift));
};

/**
 * The chance that the chart fires at least once in so many observations, from the same Markov chain. For two sides
 * it is taken as if they were independent, which is right to about a percentage point.
 */
export const alarmProbability = (chart: NoiseScaledChart, observations: number): number => {
  const quiet = (shift: number): number => {
    const chain = transitions(chart.allowance, chart.decisionInterval, shift);
    let at: readonly number[] = chain.map((_, state) => (state === 0 ? 1 : 0));
    for (let step = 0; step < observations; step += 1) {
      at = at.map((_, to) => at.reduce((sum, p, from) => sum + p * (chain[from]?.[to] ?? 0), 0));
    }
    return at.reduce((sum, p) => sum + p, 0);
  };
  const upper = quiet(chart.shift);
  return 1 - (chart.sides === 1 ? upper : upper * quiet(-chart.shift));
};
