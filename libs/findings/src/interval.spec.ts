import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normals } from '../../../test/support/normals.ts';
import { jointInterval, lookOf, lookShare, type CountedLook } from './index.ts';

const counted = (changed: Partial<CountedLook> = {}): CountedLook => ({
  dataDigest: 'ab'.repeat(32),
  ofStudy: 1,
  ofData: 1,
  runs: 1,
  spent: 100,
  claims: 1,
  ...changed,
});
const measured = { estimate: 0.02, standardError: 0.004 };

describe('the shares of the looks', () => {
  it('add up to less than 1 over any number of them', () => {
    let sum = 0;
    for (let look = 1; look <= 10_000; look += 1) {
      sum += lookShare(look);
      expect(sum).toBeLessThan(1);
    }
    expect(sum).toBeCloseTo(10_000 / 10_001, 9);
  });

  it('add up to less than 1 over the looks of each study, and over those of all studies at the same data', () => {
    const order = fc.array(
      fc.record({ study: fc.constantFrom('a', 'b', 'c'), data: fc.constantFrom('d', 'e') }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(order, (looks) => {
        const counts = new Map<string, number>();
        const spent = new Map<string, number>();
        const next = (name: string): number => {
          counts.set(name, (counts.get(name) ?? 0) + 1);
          return counts.get(name) ?? 0;
        };
        for (const { study, data } of looks) {
          const { share } = lookOf(counted({ ofStudy: next(study), ofData: next(data) }));
          for (const name of [study, data]) spent.set(name, (spent.get(name) ?? 0) + share);
        }
        for (const sum of spent.values()) expect(sum).toBeLessThan(1);
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse look %s', (look) => {
    expect(() => lookShare(look)).toThrow(RangeError);
    expect(() => lookOf(counted({ ofData: look }))).toThrow(RangeError);
    expect(() => lookOf(counted({ claims: look }))).toThrow(RangeError);
  });
});

describe('the interval of a claim', () => {
  // Normal table: 1 − 0.05/2/2 → 2.2414, 1 − 0.05/6/2 → 2.6383, 1 − 0.05/12/2/3 → 3.1970.
  it.each([
    { ofStudy: 1, ofData: 1, claims: 1, multiplier: 2.2414 },
    { ofStudy: 2, ofData: 1, claims: 1, multiplier: 2.6383 },
    { ofStudy: 1, ofData: 2, claims: 1, multiplier: 2.6383 },
    { ofStudy: 3, ofData: 2, claims: 3, multiplier: 3.197 },
  ])('of look $ofStudy, $ofData at the data, of $claims claims is $multiplier wide', (row) => {
    const { multiplier, ...counts } = row;
    const look = lookOf(counted(counts));
    expect(look.multiplier).toBeCloseTo(multiplier, 3);
    const { level, lower, upper } = jointInterval(measured, look);
    expect(level).toBe(0.95);
    expect(lower).toBeCloseTo(0.02 - multiplier * 0.004, 5);
    expect(upper).toBeCloseTo(0.02 + multiplier * 0.004, 5);
  });

  it('holds, with those of every other look, in 95 of 100 studies at the least', () => {
    const next = normals(11);
    const [studies, looks, claims] = [4000, 8, 2];
    let held = 0;
    for (let study = 0; study < studies; study += 1) {
      let all = true;
      for (let look = 1; look <= looks; look += 1)
        for (let claim = 0; claim < claims; claim += 1) {
          const { lower, upper } = jointInterval(
            { estimate: next(), standardError: 1 },
            lookOf(counted({ ofStudy: look, ofData: look, claims })),
          );
          if (lower > 0 || upper < 0) all = false;
        }
      if (all) held += 1;
    }
    const noise = Math.sqrt((0.95 * 0.05) / studies);
    expect(held / studies).toBeGreaterThan(0.95 - 3 * noise);
    // And is no wider than it must be: 8 of 9 parts of the error are spent.
    expect(held / studies).toBeLessThan(0.97);
  });

  it('is finite at the millionth look', () => {
    const { multiplier } = lookOf(counted({ ofStudy: 1e6, claims: 40 }));
    expect(multiplier).toBeGreaterThan(7);
    expect(multiplier).toBeLessThan(9);
  });
});
