import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChartPolicy, Observation } from '#libs/harness';
import { advance, chartInput, ZERO, type Sums } from './index.ts';

const gain: ChartPolicy = { kind: 'gain', reference: 0, allowance: 0.05, decisionInterval: 0.1 };
const gap: ChartPolicy = { kind: 'gap', reference: 0, allowance: 0.5, decisionInterval: 5 };
const value: ChartPolicy = { kind: 'value', reference: 10, allowance: 0.5, decisionInterval: 5 };

const observation = (metric: number, difference: number | null): Observation => ({
  metric: { name: 'log-loss', value: metric, standardError: 0.01, n: 1000 },
  auc: null,
  secondary: [],
  difference:
    difference === null
      ? null
      : { name: 'log-loss', value: difference, standardError: 0.002, n: 1000 },
  check: null,
  gapChange: null,
  cells: { scored: 10, suppressed: 0 },
});

const run = (chart: ChartPolicy, values: readonly number[]) => {
  let sums: Sums = ZERO;
  return values.map((x) => {
    const reading = advance(chart, sums, x);
    sums = reading;
    return reading;
  });
};

describe('a CUSUM chart', () => {
  it('follows the tabular CUSUM of Montgomery, Introduction to Statistical Quality Control, table 9.1', () => {
    const x = [
      9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.2, 10.34, 9.03, 11.47, 10.51, 9.4,
      10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.9, 9.33, 12.29, 11.5, 10.6, 11.08, 10.38, 11.62,
      11.31, 10.52,
    ];
    const readings = run(value, x);
    expect(readings[4]?.upper).toBeCloseTo(2.82, 2);
    expect(readings[2]?.lower).toBeCloseTo(1.77, 2);
    expect(readings[28]?.upper).toBeCloseTo(5.28, 2);
    expect(readings.findIndex(({ fired }) => fired)).toBe(28);
  });

  it('fires strictly above the decision interval, not at it', () => {
    const exact: ChartPolicy = { kind: 'gain', reference: 0, allowance: 0.5, decisionInterval: 1 };
    expect(advance(exact, ZERO, 1.5).fired).toBe(false);
    expect(advance(exact, ZERO, 1.5000001).fired).toBe(true);
  });

  it('lets a jump fire at once and honest small steps never', () => {
    expect(run(gain, [0.16]).at(-1)?.fired).toBe(true);
    expect(
      run(
        gain,
        Array.from({ length: 200 }, () => 0.03),
      ).some(({ fired }) => fired),
    ).toBe(false);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s', (x) => {
    expect(() => advance(gain, ZERO, x)).toThrow(RangeError);
  });

  it('never has a negative sum, and one-sided charts keep their lower sum at zero', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true })), (values) => {
        for (const { upper, lower } of run(value, values)) {
          expect(upper).toBeGreaterThanOrEqual(0);
          expect(lower).toBeGreaterThanOrEqual(0);
        }
        for (const { lower } of run(gain, values)) expect(lower).toBe(0);
      }),
    );
  });
});

describe("a chart's input", () => {
  it('is the relative gain over the incumbent', () => {
    expect(chartInput(gain, observation(0.56, -0.09))).toBeCloseTo(0.09 / 0.65);
  });
  it('counts a candidate that is not better as no gain', () => {
    expect(chartInput(gain, observation(0.66, 0.01))).toBe(0);
  });
  it('is absent where it was not measured', () => {
    expect(chartInput(gain, observation(0.65, null))).toBeNull();
    expect(chartInput(gap, observation(0.65, -0.1))).toBeNull();
  });
  it('is the gap in standard errors', () => {
    const gapChange = { name: 'gap', value: 0.006, standardError: 0.002, n: 2000 };
    expect(chartInput(gap, { ...observation(0.6, -0.1), gapChange })).toBeCloseTo(3);
  });
});
