import quantile from '@stdlib/stats-base-dists-normal-quantile';
import cdf from '@stdlib/stats-base-dists-t-cdf';

/** What is known so far of a process that is measured again and again: its centre, and its noise. */
export interface Memory {
  /** Measurements that the centre rests on. */
  readonly n: number;
  readonly mean: number;
  /** Sum of squares within, over every centre that there was; the noise's variance is `squares / degrees`. */
  readonly squares: number;
  readonly degrees: number;
}

/** Nothing is known. */
export const UNKNOWN: Memory = { n: 0, mean: 0, squares: 0, degrees: 0 };

/** How far a value stands from the mean of n before it, scaled to the deviation of a single one. */
const residual = ({ n, mean }: Memory, x: number): number => Math.sqrt(n / (n + 1)) * (x - mean);

/** One more measurement of the same centre (Welford 1962: equal values leave mean and squares exactly as they were). */
export const remember = (memory: Memory, x: number): Memory => {
  const { n, mean, squares, degrees } = memory;
  if (n === 0) return { n: 1, mean: x, squares, degrees };
  return {
    n: n + 1,
    mean: mean + (x - mean) / (n + 1),
    squares: squares + residual(memory, x) ** 2,
    degrees: degrees + 1,
  };
};

/**
 * A new centre, warmed up by its own replicates; the noise is kept, and what the replicates say of it is added. With
 * {@link UNKNOWN} it is the warm-up of a first centre.
 */
export const recentre = ({ squares, degrees }: Memory, replicates: readonly number[]): Memory =>
  replicates.reduce(remember, { n: 0, mean: 0, squares, degrees });

/** The standard normal value beyond which Φ⁻¹ has no numbers left: about −Φ⁻¹(5·10⁻³²⁴). */
const FURTHEST = 38;

/** Without noise any difference is beyond measure: it stands above every decision interval that a study file takes. */
export const BEYOND_MEASURE = 1000;

/**
 * The next value in units of the noise known before it, standard normal as long as nothing has changed, whatever mean
 * and deviation are: U = Φ⁻¹(F(T; ν)), T = √(n / (n + 1)) · (x − x̄ₙ) / s, with the pooled deviation s of ν degrees of
 * freedom, ν = n − 1 where there was one centre only. Successive values are independent.
 *
 * Where nothing before it differed there is no noise: an equal value reads 0, any other ±{@link BEYOND_MEASURE}.
 * Source: Hawkins (1987), Self-starting CUSUM charts for location and scale, The Statistician 36, 299–315, written
 * there for the nth value.
 *
 * @throws RangeError for a value that is not finite, and where fewer than two measurements were there before
 * @example standardised(recentre(UNKNOWN, [9, 10, 11]), 10) // 0
 */
export const standardised = (memory: Memory, x: number): number => {
  if (!Number.isFinite(x))
    throw new RangeError(`a self-starting chart takes finite values only, not ${x}`);
  const { n, squares, degrees } = memory;
  if (n < 1 || degrees < 1)
    throw new RangeError(
      `a self-starting chart needs two measurements or more before the first that it charts, not ${n}`,
    );
  const distance = residual(memory, x);
  if (distance === 0) return 0;
  const side = Math.sign(distance);
  if (squares === 0) return side * BEYOND_MEASURE;
  const t = Math.abs(distance) / Math.sqrt(squares / degrees);
  // The lower tail keeps its digits where the upper one is 1 to double precision.
  const size = Math.min(FURTHEST, -quantile(cdf(-t, degrees), 0, 1));
  // Next to the centre F is one half to double precision, and −0 would not outlive JSON.
  return size > 0 ? side * size : 0;
};
