import fc from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import type { ChartPolicy } from '#libs/harness';
import {
  advance,
  BEYOND_MEASURE,
  recentre,
  remember,
  standardised,
  UNKNOWN,
  ZERO,
  type Memory,
  type Sums,
} from './index.ts';

const stability: ChartPolicy = {
  kind: 'stability',
  allowance: 0.5,
  decisionInterval: 5,
  every: 5,
};

/** Standard normal values (Box and Muller 1958) from a seeded generator. */
const gaussian = (seed: number): (() => number) => {
  const generator = xoroshiro128plus(seed);
  const uniform = () => ((generator.next() >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
};

const draws = (next: () => number, many: number): readonly number[] =>
  Array.from({ length: many }, next);

/** What the chart takes of these values, one after the other. */
const charted = (start: Memory, values: readonly number[]): readonly number[] => {
  let memory = start;
  return values.map((x) => {
    const u = standardised(memory, x);
    memory = remember(memory, x);
    return u;
  });
};

/** How many values it takes until the chart fires; the number of values if it does not. */
const untilFired = (start: Memory, values: readonly number[]): number => {
  let sums: Sums = ZERO;
  const at = charted(start, values).findIndex((u) => {
    const reading = advance(stability, sums, u);
    sums = reading;
    return reading.fired;
  });
  return at < 0 ? values.length : at + 1;
};

const anyValue = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('the self-starting form', () => {
  it("is Hawkins' formula: mean and deviation of all before, Student's t turned into a normal value", () => {
    // T = √(3/4) · (12 − 10) / 1 = 1.7321 with 2 degrees of freedom: F = 0.8873, and Φ⁻¹ of it 1.2123.
    expect(standardised(recentre(UNKNOWN, [9, 10, 11]), 12)).toBeCloseTo(1.2123, 3);
    expect(standardised(recentre(UNKNOWN, [9, 10, 11]), 8)).toBeCloseTo(-1.2123, 3);
    expect(standardised(recentre(UNKNOWN, [9, 10, 11]), 10)).toBe(0);
  });

  it('remembers mean and squares as they would be computed at once', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 2, maxLength: 30 }), (values) => {
        const { n, mean, squares, degrees } = recentre(UNKNOWN, values);
        const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
        const within = values.reduce((sum, value) => sum + (value - expected) ** 2, 0);
        expect([n, degrees]).toEqual([values.length, values.length - 1]);
        expect(Math.abs(mean - expected)).toBeLessThanOrEqual(1e-9 * 1e6);
        expect(Math.abs(squares - within)).toBeLessThanOrEqual(1e-9 * (within + 1));
      }),
    );
  });

  it('does not depend on unit or origin', () => {
    const values = draws(gaussian(1), 12);
    const other = values.map((value) => 0.65 + 0.003 * value);
    const [a, b] = [values, other].map((all) =>
      charted(recentre(UNKNOWN, all.slice(0, 3)), all.slice(3)),
    );
    a?.forEach((u, index) => {
      expect(b?.[index]).toBeCloseTo(u, 6);
    });
  });

  it('gives independent standard normal values, whatever came before', () => {
    const next = gaussian(2);
    const all = Array.from({ length: 4000 }, () => {
      const values = draws(next, 8);
      return charted(recentre(UNKNOWN, values.slice(0, 3)), values.slice(3));
    });
    const flat = all.flat();
    const mean = flat.reduce((sum, u) => sum + u, 0) / flat.length;
    const variance = flat.reduce((sum, u) => sum + (u - mean) ** 2, 0) / flat.length;
    const lag =
      all.flatMap((us) => us.slice(1).map((u, at) => u * (us[at] ?? 0))).reduce((a, b) => a + b) /
      (all.length * 4);
    // Three standard errors of each.
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(flat.length));
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / flat.length));
    expect(Math.abs(lag)).toBeLessThan(3 / Math.sqrt(all.length * 4));
    const beyond = flat.filter((u) => Math.abs(u) > 2.5758).length / flat.length;
    expect(Math.abs(beyond - 0.01)).toBeLessThan(3 * Math.sqrt(0.01 / flat.length));
  });

  it('stays standard normal over a new centre, with the noise that is known', () => {
    const next = gaussian(3);
    const us = Array.from({ length: 8000 }, () => {
      const before = recentre(UNKNOWN, draws(next, 3));
      const after = recentre(
        before,
        draws(next, 3).map((value) => value - 40),
      );
      return standardised(after, next() - 40);
    });
    const variance = us.reduce((sum, u) => sum + u * u, 0) / us.length;
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / us.length));
    // Two centres of three: four degrees of freedom.
    expect(recentre(recentre(UNKNOWN, [1, 2, 3]), [11, 12, 13]).degrees).toBe(4);
  });

  it('keeps the false alarms of known parameters, and sees a shift the better the more warmed it up', () => {
    const next = gaussian(4);
    const alarms = (replicates: number, shift: number) =>
      Array.from({ length: 2000 }, () =>
        untilFired(
          recentre(UNKNOWN, draws(next, replicates)),
          draws(next, 20).map((value) => value + shift),
        ),
      ).filter((at) => at < 20).length / 2000;
    // With known parameters a chart of two sides fires in 3.4 of 100 such runs of 20 (Brook and Evans 1972).
    for (const replicates of [2, 3, 10]) expect(alarms(replicates, 0)).toBeLessThan(0.045);
    expect(alarms(10, 2)).toBeGreaterThan(0.8);
    expect(alarms(5, 5)).toBeGreaterThan(0.85);
    // What warmed it up with three is masked: the first shifted values become the noise.
    expect(alarms(3, 5)).toBeLessThan(0.3);
  });

  it('takes what its seed does not move at its word: equal reads 0, any difference fires', () => {
    const still = recentre(UNKNOWN, [0.1, 0.1, 0.1]);
    expect(charted(still, [0.1, 0.1])).toEqual([0, 0]);
    for (const x of [0.1 + 2 ** -50, 0.1 - 2 ** -50]) {
      const u = standardised(still, x);
      expect(Math.abs(u)).toBe(BEYOND_MEASURE);
      expect(Math.sign(u)).toBe(Math.sign(x - 0.1));
      expect(advance(stability, ZERO, u).fired).toBe(true);
    }
  });

  it('is finite for whatever is finite, and of the sign of the distance', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 2, maxLength: 10 }), anyValue, (warm, x) => {
        const memory = recentre(UNKNOWN, warm);
        const u = standardised(memory, x);
        expect(Number.isFinite(u)).toBe(true);
        if (u !== 0) expect(Math.sign(u)).toBe(Math.sign(x - memory.mean));
        expect(Object.is(u, -0)).toBe(false);
      }),
    );
    expect(standardised(recentre(UNKNOWN, draws(gaussian(5), 200)), 1e9)).toBe(38);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s', (x) => {
    expect(() => standardised(recentre(UNKNOWN, [1, 2]), x)).toThrow(RangeError);
  });

  it('refuses to chart what was measured less than twice', () => {
    expect(() => standardised(UNKNOWN, 1)).toThrow('needs two measurements');
    expect(() => standardised(recentre(UNKNOWN, [1]), 1)).toThrow('needs two measurements');
  });
});

describe('the stability chart', () => {
  it('watches both sides, and fires strictly above h', () => {
    expect(advance(stability, ZERO, 5.5)).toMatchObject({ upper: 5, lower: 0, fired: false });
    expect(advance(stability, ZERO, -5.5)).toMatchObject({ upper: 0, lower: 5, fired: false });
    expect(advance(stability, ZERO, 5.500001).fired).toBe(true);
    expect(advance(stability, ZERO, -5.500001).fired).toBe(true);
  });

  it('reads the value chart likewise when the baseline is its reference', () => {
    const value: ChartPolicy = { ...stability, kind: 'value', reference: 'baseline' };
    expect(advance(value, ZERO, -6)).toMatchObject({ chart: 'value', lower: 5.5, fired: true });
  });
});
