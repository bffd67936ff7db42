import { describe, expect, it } from 'vitest';
import type { ChartPolicy } from '#libs/harness';
import { normals } from '../../../test/support/normals.ts';
import { alarmProbability, averageRunLength } from './average-run-length.ts';
import { advance, ZERO, type Sums } from './cusum.ts';

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

  // Simulated by 200,000 runs of 100 observations each; the standard errors are 0.0011 and less.
  it.each([
    { allowance: 0.5, decisionInterval: 4, shift: 0, share: 0.4459 },
    { allowance: 0.5, decisionInterval: 5, shift: 0, share: 0.1852 },
    { allowance: 0.25, decisionInterval: 3, shift: 0, share: 0.9975 },
    { allowance: 0.5, decisionInterval: 4, shift: 0.5, share: 0.9877 },
    { allowance: 1, decisionInterval: 2, shift: 0, share: 0.5401 },
  ])(
    'two sides together fire in $share of 100 observations: k $allowance, h $decisionInterval',
    (row) => {
      const { share, ...given } = row;
      expect(Math.abs(alarmProbability({ ...given, sides: 2 }, 100) - share)).toBeLessThan(0.003);
    },
  );

  it('says what a simulation of the chart itself says', () => {
    const next = normals(7);
    const two: ChartPolicy = { kind: 'value', reference: 0, allowance: 0.5, decisionInterval: 3 };
    const runs = 4000;
    let fired = 0;
    for (let run = 0; run < runs; run += 1) {
      let sums: Sums = ZERO;
      for (let step = 0; step < 50; step += 1) {
        const reading = advance(two, sums, next());
        sums = reading;
        if (!reading.fired) continue;
        fired += 1;
        break;
      }
    }
    const chance = alarmProbability({ ...chart, decisionInterval: 3 }, 50);
    const noise = Math.sqrt((chance * (1 - chance)) / runs);
    expect(Math.abs(fired / runs - chance)).toBeLessThan(4 * noise);
  });

  it('goes on without a jump where the approximation for wide charts takes over', () => {
    const at = (decisionInterval: number) =>
      averageRunLength({ ...chart, sides: 1, decisionInterval, shift: 1 });
    expect(at(60.001) / at(60)).toBeCloseTo(1, 2);
  });

  it('takes a few milliseconds', () => {
    const start = performance.now();
    alarmProbability(chart, 100);
    averageRunLength(chart);
    expect(performance.now() - start).toBeLessThan(200);
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
