import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MagnitudePolicy } from '#libs/harness';
import { isDominated, kept, together, written, type Contribution } from './dominance.ts';
import { contributionsOf } from './magnitudes.ts';

const magnitude = (change: Partial<MagnitudePolicy>): MagnitudePolicy => ({
  ...{ name: 'pay', column: 'pay', decimals: 0, dominance: null, priorPercent: null },
  ...change,
});
const of = (...numbers: readonly number[]): Contribution => ({
  sum: BigInt(numbers.reduce((a, b) => a + b, 0)),
  largest: numbers.map(BigInt).sort((a, b) => Number(b - a)),
});

describe('isDominated', () => {
  it('finds by the (n,k) rule where the n largest are more than k per cent', () => {
    const rule = magnitude({ dominance: { largest: 2, percent: 85 } });
    expect(isDominated(of(50, 35, 10, 5), rule)).toBe(false);
    expect(isDominated(of(50, 36, 10, 4), rule)).toBe(true);
  });

  it('finds by the p% rule where the second largest can tell the largest to within p per cent', () => {
    const rule = magnitude({ priorPercent: 10 });
    expect(isDominated(of(100, 50, 6, 4), rule)).toBe(false);
    expect(isDominated(of(100, 50, 6, 3), rule)).toBe(true);
    // A cell of two is always dominated.
    expect(isDominated(of(7, 7), rule)).toBe(true);
  });

  it('finds a sum of 0 by either rule: it tells the number of each', () => {
    const rules = [{ dominance: { largest: 2, percent: 85 } }, { priorPercent: 10 }];
    for (const rule of rules.map(magnitude)) {
      expect(isDominated(of(0, 0, 0, 0), rule)).toBe(true);
      expect(isDominated(of(1, 1, 1, 1, 1, 1, 0), rule)).toBe(false);
    }
  });
});

describe('contributions', () => {
  const numbers = fc.array(fc.bigInt({ min: 0n, max: 10n ** 17n }), { maxLength: 20 });
  const rules = fc.record({
    dominance: fc.option(
      fc.record({ largest: fc.integer({ min: 1, max: 4 }), percent: fc.constant(85) }),
    ),
    priorPercent: fc.option(fc.constant(15)),
  });

  it('keep the sum and the largest numbers of any rows, in any order and in parts', () => {
    fc.assert(
      fc.property(numbers, rules, fc.nat(20), (values, rule, cut) => {
        const policy = magnitude(rule);
        const keep = kept(policy);
        const counted = (rows: readonly bigint[]): Contribution => {
          const contributions = contributionsOf({ dimensions: [], magnitudes: [policy] });
          for (const row of rows) contributions.add(0, () => row);
          return contributions.all[0]![0]!;
        };
        const sorted = [...values].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
        const all = counted(values);
        expect(all).toEqual({
          sum: values.reduce((a, b) => a + b, 0n),
          largest: sorted.slice(0, keep),
        });
        const parts = [values.slice(0, cut), values.slice(cut)].map(counted);
        expect(together(parts, keep)).toEqual(all);
      }),
    );
  });
});

describe('written', () => {
  it.each([
    [0n, 0, '0'],
    [0n, 2, '0.00'],
    [5n, 2, '0.05'],
    [123456n, 2, '1234.56'],
    [10n ** 24n, 0, `1${'0'.repeat(24)}`],
  ] as const)('writes %d with %d decimals as %s', (sum, decimals, text) => {
    expect(written(sum, decimals)).toBe(text);
  });
});
