import quantile from '@stdlib/stats-base-dists-normal-quantile';
import type { Claim, Look } from './events.ts';

/** The level at which the intervals of all claims of a study hold together. */
export const JOINT_LEVEL = 0.95;

/**
 * The share of the joint error that the nth look may spend: 1 ÷ (n × (n + 1)), so 1/2, 1/6, 1/12, … The shares of any
 * number of looks add up to less than 1 (1/(n(n + 1)) = 1/n − 1/(n + 1)), so nobody has to say beforehand how often
 * he will look.
 *
 * @param look - from 1
 * @throws RangeError for what is no count
 */
export const lookShare = (look: number): number => {
  if (!Number.isSafeInteger(look) || look < 1)
    throw new RangeError(`a look is counted from 1, this one is ${look}`);
  return 1 / (look * (look + 1));
};

/** What was counted when the sealed rows were opened. */
export type CountedLook = Omit<Look, 'share' | 'multiplier'>;

/**
 * The look with what its counts come to. The greater of the two counts is what it pays for: so the shares add up to
 * less than 1 over the study's looks, and over all studies' looks at the same data as well.
 *
 * @throws RangeError for what is no count
 */
export const lookOf = (counted: CountedLook): Look => {
  const { ofStudy, ofData, claims } = counted;
  if (!Number.isSafeInteger(claims) || claims < 1)
    throw new RangeError(`a look has claims, this one ${claims}`);
  const share = Math.min(lookShare(ofStudy), lookShare(ofData));
  // The tail itself, since 1 less a very small tail would lose its digits.
  const tail = ((1 - JOINT_LEVEL) * share) / (2 * claims);
  return { ...counted, share, multiplier: -quantile(tail, 0, 1) };
};

/**
 * The interval of a claim that holds together with those of all the study's other claims, of all its looks: alpha
 * spending over the looks, Bonferroni over the claims of one.
 *
 * @example jointInterval({ estimate: 0, standardError: 1 }, lookOf(first)) // −2.24 to 2.24 for a single claim
 */
export const jointInterval = (
  { estimate, standardError }: Pick<Claim, 'estimate' | 'standardError'>,
  { multiplier }: Look,
): Claim['interval'] => ({
  level: JOINT_LEVEL,
  lower: estimate - multiplier * standardError,
  upper: estimate + multiplier * standardError,
});
