/**
 * What the agent is told of a score: the Ladder of Blum and Hardt (2015), for a score of which lower is better.
 * The told score changes only when `score` beats it by more than `step`, and is a multiple of `step`; so a
 * stream of crafted predictions learns about one bit each, and nothing at all of a small difference.
 *
 * @param best what was told last; null at first
 * @param step the Ladder's step size, in the score's unit
 * @example ladder(0.65, 0.634, 0.01) // 0.63
 * @example ladder(0.65, 0.645, 0.01) // 0.65
 */
export const ladder = (best: number | null, score: number, step: number): number => {
  if (!Number.isFinite(score)) throw new RangeError(`the Ladder takes finite scores, not ${score}`);
  if (!(step > 0)) throw new RangeError(`the Ladder's step must be greater than 0, not ${step}`);
  if (best !== null && score >= best - step) return best;
  // 63 × 0.01 is 0.6300000000000001: twelve digits give the multiple as people write it.
  return Number((Math.round(score / step) * step).toPrecision(12));
};
