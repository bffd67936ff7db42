import { describe, expect, it } from 'vitest';
import { comparePredictions } from './compare-predictions.ts';

const compare = (a: readonly number[], b: readonly number[], tolerance = 1e-6) =>
  comparePredictions(Float64Array.from(a), Float64Array.from(b), tolerance);

describe('comparing the predictions of a replay', () => {
  it.each([
    ['bit-exact', [0.1, 0.2], [0.1, 0.2], 0],
    ['within-tolerance', [0.1, 0.25], [0.1, 0.25 + 2 ** -30], 2 ** -30],
    ['not-reproducible', [0.1, 0.25], [0.1, 0.5], 0.25],
    ['not-reproducible', [0.1], [0.1, 0.2], null],
    ['not-reproducible', [0.1, NaN], [0.1, NaN], null],
    ['not-reproducible', [0.1, Infinity], [0.1, 0.2], null],
  ] as const)('calls it %s', (kind, recorded, replayed, largestDifference) => {
    expect(compare(recorded, replayed)).toMatchObject({ class: kind, largestDifference });
  });

  it('takes the tolerance itself as within it, and zeros of two signs as not the same bits', () => {
    expect(compare([0], [0.5], 0.5).class).toBe('within-tolerance');
    expect(compare([0], [-0], 0).class).toBe('within-tolerance');
  });
});
