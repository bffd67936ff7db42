import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FairnessPolicy } from '#libs/harness';
import { fairness, type ProtectedCounts } from './index.ts';

const policy: FairnessPolicy = {
  threshold: 0.5,
  favourable: 'positive',
  minimumGroup: 10,
  disparateImpact: { numerator: 4, denominator: 5 },
  demographicParity: 0.1,
  equalOpportunity: 0.1,
  equalizedOdds: 0.1,
};

const FAVOURED = 0.9;
const NOT = 0.1;
const predictions = [NOT, FAVOURED];

/** A group of so many, by decision (second pair: decided positive) and true outcome. */
const group = (
  name: string,
  rejected: { people: number; positive: number },
  chosen: { people: number; positive: number },
) => ({
  group: name,
  counts: {
    people: [rejected.people, chosen.people],
    positive: [rejected.positive, chosen.positive],
  },
});

const attribute = (...groups: ProtectedCounts['groups'][number][]): ProtectedCounts[] => [
  { attribute: 'origin', groups },
];

const measureOf = (
  attributes: readonly ProtectedCounts[],
  name: string,
  change: Partial<FairnessPolicy> = {},
) =>
  fairness(predictions, attributes, { ...policy, ...change }).measures.find(
    ({ measure }) => measure === name,
  )!;

const half = (chosen: number, people: number, name: string) =>
  group(
    name,
    { people: people - chosen, positive: Math.floor((people - chosen) / 2) },
    { people: chosen, positive: Math.ceil(chosen / 2) },
  );

describe('fairness', () => {
  const table = attribute(
    group('a', { people: 40, positive: 10 }, { people: 60, positive: 40 }),
    group('b', { people: 100, positive: 20 }, { people: 100, positive: 60 }),
  );

  it('counts decisions and outcomes in each group', () => {
    expect(fairness(predictions, table, policy).groups).toEqual([
      {
        attribute: 'origin',
        group: 'a',
        people: 100,
        favoured: 60,
        deserving: 50,
        deservingFavoured: 40,
      },
      {
        attribute: 'origin',
        group: 'b',
        people: 200,
        favoured: 100,
        deserving: 80,
        deservingFavoured: 60,
      },
    ]);
  });

  it('measures a table worked by hand', () => {
    const { measures } = fairness(predictions, table, policy);
    expect(measures.map(({ measure }) => measure)).toEqual([
      'demographic-parity',
      'disparate-impact',
      'equal-opportunity',
      'equalized-odds',
    ]);
    const [parity, impact, opportunity, odds] = measures;
    // 60/100 against 100/200
    expect(parity).toMatchObject({ value: 0.1, passed: true, bound: 'at most 0.1', reason: null });
    expect(parity!.standardError).toBeCloseTo(Math.sqrt(0.24 / 100 + 0.25 / 200), 14);
    expect(impact!.value).toBeCloseTo(5 / 6, 15);
    expect(impact!.standardError).toBeCloseTo(
      (5 / 6) * Math.sqrt(0.4 / 0.6 / 100 + 0.5 / 0.5 / 200),
      14,
    );
    expect(impact).toMatchObject({ passed: true, bound: 'at least 4/5' });
    // 40/50 against 60/80
    expect(opportunity!.value).toBeCloseTo(0.05, 15);
    // false positives: 20/50 against 40/120
    expect(odds!.value).toBeCloseTo(1 / 15, 15);
    expect(odds!.standardError).toBeCloseTo(Math.sqrt(0.24 / 50 + ((1 / 3) * (2 / 3)) / 120), 14);
  });

  it('passes four fifths exactly, and not one person less', () => {
    const impact = (low: number, high: number, people: number) =>
      measureOf(attribute(half(low, people, 'a'), half(high, people, 'b')), 'disparate-impact');
    expect(impact(80, 100, 1000)).toMatchObject({ value: 0.8, passed: true });
    expect(impact(79, 100, 1000).passed).toBe(false);
    // In floating point 4/50 over 5/50 is 0.7999999999999999.
    expect(4 / 50 / (5 / 50)).toBeLessThan(0.8);
    expect(impact(4, 5, 50).passed).toBe(true);
  });

  it('compares a difference with its bound exactly', () => {
    // 0.8 − 0.7 is 0.10000000000000009 in floating point.
    expect(0.8 - 0.7).toBeGreaterThan(0.1);
    const groups = attribute(half(70, 100, 'a'), half(80, 100, 'b'));
    expect(measureOf(groups, 'demographic-parity')).toMatchObject({ value: 0.1, passed: true });
    expect(
      measureOf(attribute(half(69, 100, 'a'), half(80, 100, 'b')), 'demographic-parity').passed,
    ).toBe(false);
  });

  it('decides at the threshold and above', () => {
    const at = (threshold: number) =>
      fairness([0.5, 0.5], table, { ...policy, threshold }).groups[0]!.favoured;
    expect(at(0.5)).toBe(100);
    expect(at(0.5000001)).toBe(0);
  });

  it('turns both decision and outcome round where the negative is the good one', () => {
    const { groups, measures } = fairness(predictions, table, {
      ...policy,
      favourable: 'negative',
    });
    expect(groups[0]).toMatchObject({ favoured: 40, deserving: 50, deservingFavoured: 30 });
    expect(groups[1]).toMatchObject({ favoured: 100, deserving: 120, deservingFavoured: 80 });
    // 40/100 against 100/200
    expect(measures[1]).toMatchObject({ value: 0.8, passed: true });
  });

  it('takes the worst pair of more than two groups', () => {
    const groups = attribute(half(60, 100, 'a'), half(30, 100, 'b'), half(90, 100, 'c'));
    expect(measureOf(groups, 'demographic-parity').value).toBe(0.6);
    expect(measureOf(groups, 'disparate-impact').value).toBeCloseTo(1 / 3, 15);
  });

  it('measures each attribute by itself', () => {
    const two = [...table, { ...table[0]!, attribute: 'sex' }];
    expect(fairness(predictions, two, policy).measures.map(({ attribute }) => attribute)).toEqual([
      ...Array.from({ length: 4 }, () => 'origin'),
      ...Array.from({ length: 4 }, () => 'sex'),
    ]);
  });

  describe('fails closed', () => {
    const blocked = { value: null, standardError: null, passed: false };

    it('for a group that is too small', () => {
      const groups = attribute(half(5, 9, 'a'), half(60, 100, 'b'));
      expect(measureOf(groups, 'disparate-impact')).toMatchObject({
        ...blocked,
        reason: 'found 9 in a; expected 10 people in each group',
      });
    });

    it('for too few people whose outcome is the favourable one', () => {
      const groups = attribute(
        group('a', { people: 50, positive: 4 }, { people: 50, positive: 5 }),
        half(60, 100, 'b'),
      );
      expect(measureOf(groups, 'demographic-parity').value).not.toBeNull();
      expect(measureOf(groups, 'equal-opportunity')).toMatchObject(blocked);
      expect(measureOf(groups, 'equalized-odds')).toMatchObject(blocked);
    });

    it('for too few others, which only equalized odds asks for', () => {
      const groups = attribute(
        group('a', { people: 50, positive: 46 }, { people: 50, positive: 45 }),
        half(60, 100, 'b'),
      );
      expect(measureOf(groups, 'equal-opportunity').value).not.toBeNull();
      expect(measureOf(groups, 'equalized-odds')).toMatchObject(blocked);
    });

    it('for a group that is declared and empty, whatever the minimum says', () => {
      const groups = attribute(half(0, 0, 'a'), half(60, 100, 'b'));
      expect(measureOf(groups, 'demographic-parity', { minimumGroup: 0 })).toMatchObject(blocked);
    });

    it('for a ratio where nobody is favoured', () => {
      const groups = attribute(half(0, 100, 'a'), half(0, 100, 'b'));
      expect(measureOf(groups, 'disparate-impact')).toMatchObject({
        ...blocked,
        reason: 'nobody in any group is decided favourably',
      });
      expect(measureOf(groups, 'demographic-parity')).toMatchObject({ value: 0, passed: true });
    });

    it('for one group only, and for no attribute at all', () => {
      expect(measureOf(attribute(half(50, 100, 'a')), 'disparate-impact')).toMatchObject(blocked);
      const { groups, measures } = fairness(predictions, [], policy);
      expect(groups).toEqual([]);
      expect(measures).toHaveLength(4);
      expect(measures.every(({ value, passed }) => value === null && !passed)).toBe(true);
    });

    it('but only under a bound', () => {
      const groups = attribute(half(5, 9, 'a'), half(60, 100, 'b'));
      expect(measureOf(groups, 'disparate-impact', { disparateImpact: null })).toMatchObject({
        value: null,
        bound: null,
        passed: true,
      });
    });

    it('and takes no prediction that is not a number', () => {
      expect(() => fairness([Number.NaN, 0.5], table, policy)).toThrow(RangeError);
      expect(() => fairness([0.5], table, policy)).toThrow(RangeError);
    });
  });

  it('agrees with all pairs of groups, compared one by one', () => {
    const counted = fc
      .record({
        people: fc.integer({ min: 10, max: 60 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ people, share }) => ({ people, chosen: Math.floor(share * people) }));
    fc.assert(
      fc.property(fc.array(counted, { minLength: 2, maxLength: 5 }), (counts) => {
        const groups = attribute(
          ...counts.map(({ people, chosen }, i) => half(chosen, people, String(i))),
        );
        const rates = counts.map(({ people, chosen }) => chosen / people);
        const pairs = rates.flatMap((a) => rates.map((b) => [a, b] as const));
        expect(measureOf(groups, 'demographic-parity').value).toBeCloseTo(
          Math.max(...pairs.map(([a, b]) => a - b)),
          12,
        );
        const ratios = pairs.filter(([, b]) => b > 0).map(([a, b]) => a / b);
        const impact = measureOf(groups, 'disparate-impact');
        if (ratios.length === 0) expect(impact.value).toBeNull();
        else expect(impact.value).toBeCloseTo(Math.min(...ratios), 12);
      }),
    );
  });
});
