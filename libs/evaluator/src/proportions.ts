import quantile from '@stdlib/stats-base-dists-normal-quantile';

/** So many of so many, as whole numbers; `people` is at least 1. */
export interface Proportion {
  readonly hits: number;
  readonly people: number;
}

export interface Interval {
  readonly lower: number;
  /** Infinity for a ratio that nothing bounds from above. */
  readonly upper: number;
}

/** Two-sided normal quantile of an interval that holds at `level` together with `simultaneous - 1` others. */
export const criticalValue = (level: number, simultaneous = 1): number => {
  if (!(level > 0 && level < 1) || !Number.isInteger(simultaneous) || simultaneous < 1)
    throw new RangeError(`no interval at level ${level} over ${simultaneous} comparisons`);
  return quantile(1 - (1 - level) / (2 * simultaneous), 0, 1);
};

/** Score interval of a proportion (Wilson 1927). */
const wilson = ({ hits, people }: Proportion, z: number): Interval => {
  const centre = hits + z ** 2 / 2;
  const half = z * Math.sqrt((hits * (people - hits)) / people + z ** 2 / 4);
  const total = people + z ** 2;
  // At no hits and at hits only one end is exact, whatever rounding makes of it.
  return {
    lower: hits === 0 ? 0 : (centre - half) / total,
    upper: hits === people ? 1 : (centre + half) / total,
  };
};

/**
 * Interval of the difference a − b of two proportions, by the hybrid of their score intervals (Newcombe 1998,
 * Statistics in Medicine 17:873–890, method 10). Behaves where a rate is 0 or 1: it never is of no width, and never
 * leaves −1 to 1.
 *
 * @param z two-sided critical value, of {@link criticalValue}
 */
export const differenceInterval = (a: Proportion, b: Proportion, z: number): Interval => {
  const [p, q] = [a.hits / a.people, b.hits / b.people];
  const [of, against] = [wilson(a, z), wilson(b, z)];
  return {
    lower: p - q - Math.hypot(p - of.lower, against.upper - q),
    upper: p - q + Math.hypot(of.upper - p, q - against.lower),
  };
};

/** Bisections of an end: each halves what is left of it, to the last digits of a double. */
const BISECTIONS = 60;

/**
 * Interval of the ratio a ÷ b of two proportions by inverting the score test (Koopman 1984, Biometrics 40:513–517).
 * Behaves where a rate is 0 or 1, unlike the interval of the logarithm (Katz 1978), which has no width where both are 1.
 * Nothing is known of the ratio where both are 0: it is 0 to infinity.
 *
 * @param z two-sided critical value, of {@link criticalValue}
 */
export const ratioInterval = (a: Proportion, b: Proportion, z: number): Interval => {
  const estimate = b.hits === 0 ? Infinity : (a.hits * b.people) / (b.hits * a.people);
  return {
    lower: a.hits === 0 ? 0 : end(a, b, 0, estimate, z),
    upper: b.hits === 0 ? Infinity : end(a, b, estimate, Infinity, -z),
  };
};

/**
 * The ratio between `from` and `to` where the score is `wanted`; the score falls as the ratio grows. Ratios from 0 to
 * infinity are searched as shares t, each standing for t / (1 − t).
 */
const end = (a: Proportion, b: Proportion, from: number, to: number, wanted: number): number => {
  const share = (ratio: number): number => (ratio === Infinity ? 1 : ratio / (1 + ratio));
  let [low, high] = [share(from), share(to)];
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (ratioScore(a, b, middle / (1 - middle)) > wanted) low = middle;
    else high = middle;
  }
  // The end that lies farther out: rounding never makes an interval narrower.
  const found = wanted > 0 ? low : high;
  return found / (1 - found);
};

/** Score statistic of the hypothesis that a's rate is `ratio` times b's, with the rates that fit it best. */
const ratioScore = (a: Proportion, b: Proportion, ratio: number): number => {
  const hits = a.hits + b.hits;
  const people = a.people + b.people;
  // The smaller root of ratio·people·q² − sum·q + hits = 0, free of cancellation.
  const sum = ratio * (a.people + b.hits) + a.hits + b.people;
  const q = (2 * hits) / (sum + Math.sqrt(Math.max(0, sum ** 2 - 4 * ratio * people * hits)));
  const p = Math.min(1, ratio * q);
  const variance = (p * (1 - p)) / a.people + (ratio ** 2 * q * (1 - q)) / b.people;
  const distance = a.hits / a.people - (ratio * b.hits) / b.people;
  return variance > 0 ? distance / Math.sqrt(variance) : Math.sign(distance) * Infinity || 0;
};
