import type { ReplayClass } from '#libs/findings';

export interface ReplayComparison {
  readonly class: ReplayClass;
  /** Largest absolute difference of two predictions; null where they can't be compared one by one. */
  readonly largestDifference: number | null;
  /** What was compared, or why it could not be. */
  readonly found: string;
}

/**
 * Compares the predictions of a training with those of its replay, cell by cell in the same order. `bit-exact`: the
 * same doubles. `within-tolerance`: as many, all finite, none further apart than `tolerance` (absolute, in the
 * predictions' own unit, probability). Anything else is `not-reproducible`.
 *
 * @example
 * comparePredictions(recorded, replayed, 1e-9).class; // 'within-tolerance'
 */
export const comparePredictions = (
  recorded: Float64Array,
  replayed: Float64Array,
  tolerance: number,
): ReplayComparison => {
  const incomparable = (found: string): ReplayComparison => ({
    class: 'not-reproducible',
    largestDifference: null,
    found,
  });
  if (recorded.length !== replayed.length)
    return incomparable(`${replayed.length} predictions, ${recorded.length} were recorded`);
  let exact = true;
  let largest = 0;
  for (const [at, value] of recorded.entries()) {
    const again = replayed[at] ?? NaN;
    const difference = Math.abs(value - again);
    if (!Number.isFinite(difference)) return incomparable(`prediction ${at} is not finite`);
    exact = exact && Object.is(value, again);
    largest = Math.max(largest, difference);
  }
  if (exact)
    return {
      class: 'bit-exact',
      largestDifference: 0,
      found: `${recorded.length} identical predictions`,
    };
  return {
    class: largest <= tolerance ? 'within-tolerance' : 'not-reproducible',
    largestDifference: largest,
    found: `${recorded.length} predictions, at most ${largest} apart`,
  };
};
