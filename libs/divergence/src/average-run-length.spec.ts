import { describe, expect, it } from 'vitest';
import { alarmProbability, averageRunLength } from './average-run-length.ts';

const chart = { allowance: 0.5, decisionInterval: 5, sides: 2, shift: 0 } as const;

describe('average run length', () => {
  // Montgomery, Introduction to Statistical Quality Control, table 9.3 (k = 0.5, two-sided).
  it.each([
    { decisionInterval: 4, shift: 0, published: 168 },
    { decisionInterval: 4, shift: 0.25, published: 74.2 },
    { decisionInterval: 4, shift: 0.5, published: 26.6 },
    { decisionInterval: 4, shift: 1, published: 8.38 },
    { decisionInterval: 4, shift: 2, published: 3.34 },
    { decisionInterval: 5, shift: 0, published: 465 },
    { decisionInterval: 5, shift: 0.25, published: 139 },
    { decisionInterval: 5, shift: 0.5, published: 38 },
    { decisionInterval: 5, shift: 1, published: 10.4 },
    { decisionInterval: 5, shift: 2, published: 4.01 },
  ])('h $decisionInterval with a shift of $shift is $published', (row) => {
    const { decisionInterval, shift, published } = row;
    const found = averageRunLength({ ...chart, decisionInterval, shift });
    expect(Math.abs(found / published - 1)).toBeLessThan(0.005);
  });

  it('of one side is twice that of two when nothing is wrong', () => {
    expect(averageRunLength({ ...chart, sides: 1 })).toBeCloseTo(2 * averageRunLength(chart), 6);
  });

  // Simulated: 44 % and 19 % of runs of 100 iterations.
  it.each([
    { decisionInterval: 4, share: 0.44 },
    { decisionInterval: 5, share: 0.19 },
  ])('a false alarm in 100 observations at h $decisionInterval: $share', (row) => {
    const found = alarmProbability({ ...chart, decisionInterval: row.decisionInterval }, 100);
    expect(Math.abs(found - row.share)).toBeLessThan(0.01);
  });

  it('is infinite where double precision can tell no end', () => {
    const never = { allowance: 5, decisionInterval: 50, shift: 0 };
    expect(averageRunLength({ ...never, sides: 1 })).toBe(Number.POSITIVE_INFINITY);
    expect(averageRunLength({ ...never, sides: 2 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('an alarm is certain in the end, and impossible before the first observation', () => {
    expect(alarmProbability(chart, 0)).toBeCloseTo(0, 12);
    expect(alarmProbability({ ...chart, shift: 2 }, 50)).toBeGreaterThan(0.9999);
  });
});
