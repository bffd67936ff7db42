import type { MagnitudePolicy } from '#libs/harness';

/** Numbers of a magnitude in one cell, in units of its last decimal, none below 0: their sum and the largest of them. */
export interface Contribution {
  readonly sum: bigint;
  /** Descending, as many as {@link kept} says; fewer where there are fewer people. */
  readonly largest: readonly bigint[];
}

export const NOTHING: Contribution = { sum: 0n, largest: [] };

/** How many of the largest numbers the rules of a magnitude look at; two for the p% rule. */
export const kept = ({ dominance, priorPercent }: MagnitudePolicy): number =>
  Math.max(dominance?.largest ?? 0, priorPercent === null ? 0 : 2);

export const together = (of: readonly Contribution[], keep: number): Contribution => ({
  sum: of.reduce((sum, each) => sum + each.sum, 0n),
  largest: of
    .flatMap(({ largest }) => largest)
    .sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    .slice(0, keep),
});

/**
 * Whether few people's numbers dominate a cell's sum (Hundepool et al. 2012, ch. 4.2): by the (n,k) rule where the n
 * largest are more than k per cent of the sum; by the p% rule where all but the two largest are less than p per cent of
 * the largest, for then the second largest can tell the largest that closely. A sum of 0 counts as dominated: no number is
 * below 0, so it tells that everybody's is 0.
 */
export const isDominated = (
  { sum, largest }: Contribution,
  { dominance, priorPercent }: MagnitudePolicy,
): boolean => {
  if (sum === 0n) return true;
  const top = (n: number) => largest.slice(0, n).reduce((a, b) => a + b, 0n);
  if (dominance !== null && 100n * top(dominance.largest) > BigInt(dominance.percent) * sum)
    return true;
  return priorPercent !== null && 100n * (sum - top(2)) < BigInt(priorPercent) * (largest[0] ?? 0n);
};

/** A sum as it is written: so many decimals, no more. */
export const written = (sum: bigint, decimals: number): string => {
  const digits = sum.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
};
