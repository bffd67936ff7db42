import normal from '@stdlib/stats-base-dists-normal-cdf';
import quantile from '@stdlib/stats-base-dists-normal-quantile';

/** What the power of a keep is told from, before anything has run. */
export interface PowerQuestion {
  /** Dev people in the cells that are scored. */
  readonly people: number;
  /** Log-loss per person of a program that predicts everybody's base rate, in nats: the outcome's entropy. */
  readonly metric: number;
  /** The true gain, relative to that metric, e.g. 0.02. */
  readonly effect: number;
  /** One-sided level of the keep, of `keepLevel`. */
  readonly level: number;
}

/** The entropy of an outcome that so many of so many people have, in nats a person; 0 where all have it or none. */
export const outcomeEntropy = (positive: number, people: number): number =>
  [positive, people - positive].reduce(
    (sum, count) => (count > 0 ? sum - (count / people) * Math.log(count / people) : sum),
    0,
  );

/** The z that a keep at this level has to exceed. */
const thresholdOf = (level: number): number => quantile(1 - level, 0, 1);

/** The mean of the paired z at a true gain of so many nats a person. */
const meanZ = (people: number, gain: number): number => Math.sqrt((people * gain) / 2);

/**
 * The chance that a candidate which truly gains so much is kept, before anything has run.
 *
 * A local approximation. Let D be what a person's log-loss falls by, from the incumbent to a candidate that predicts
 * with the true probabilities: the log of a likelihood ratio. Its mean is the gain E, the Kullback–Leibler divergence
 * of the two; to second order in how far they lie apart its variance is 2E, since both are half of, and all of, the
 * same squared distance (Kullback 1959, chapter 2.6). So the paired z of n people, √n × mean(D) ÷ deviation(D), is
 * about normal (Vuong 1989, Econometrica 57, theorem 5.1) with variance 1 and mean nE ÷ √(2nE) = √(nE/2); twice the
 * log of the whole ratio has the noncentrality 2nE. A candidate that is better, but not the truth, has more
 * variance at the same gain and is kept less often; so is one whose seeds scatter.
 *
 * @example keepPower({ people: 5000, metric: 0.65, effect: 0.02, level: 0.004 })
 */
export const keepPower = ({ people, metric, effect, level }: PowerQuestion): number =>
  normal(meanZ(people, effect * metric) - thresholdOf(level), 0, 1);

/** The least of a thing that brings a keep's power to `power`, everything else as it is. */
export interface PowerRemedies {
  readonly people: number;
  readonly effect: number;
  /** The greatest level. */
  readonly level: number;
}

/** What would have to be for a keep to have this power: each thing by itself. */
export const powerRemedies = (
  { people, metric, effect, level }: PowerQuestion,
  power: number,
): PowerRemedies => {
  const squared = 2 * (thresholdOf(level) + quantile(power, 0, 1)) ** 2;
  return {
    people: squared / (effect * metric),
    effect: squared / (people * metric),
    level: 1 - normal(meanZ(people, effect * metric) - quantile(power, 0, 1), 0, 1),
  };
};
