import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FairnessPolicy } from '#libs/harness';
import { uniform } from '../../../test/support/fixture-study.ts';
import { examplePolicy } from '../../harness/src/testing/policy.ts';
import { fairness, fairnessOfCounts, leastTold, type ProtectedCounts } from './index.ts';

const policy: FairnessPolicy = {
  threshold: 0.5,
  favourable: 'positive',
  minimumGroup: 10,
  decide: 'estimate',
  level: 0.95,
  intersections: [],
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

/** The report of these predictions, the favourable outcome called `granted`. */
const reportOf = (
  attributes: readonly ProtectedCounts[],
  change: Partial<FairnessPolicy> = {},
  probabilities: readonly number[] = predictions,
) =>
  fairness(probabilities, attributes, {
    policy: { ...policy, ...change },
    label: 'granted',
    leastTold: 0,
  });

const measureOf = (
  attributes: readonly ProtectedCounts[],
  name: string,
  change: Partial<FairnessPolicy> = {},
) => reportOf(attributes, change).measures.find(({ measure }) => measure === name)!;

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
    expect(reportOf(table).groups).toEqual([
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
    const { measures } = reportOf(table);
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
      reportOf(table, { threshold }, [0.5, 0.5]).groups[0]!.favoured;
    expect(at(0.5)).toBe(100);
    expect(at(0.5000001)).toBe(0);
  });

  it('turns both decision and outcome round where the negative is the good one', () => {
    const { groups, measures } = reportOf(table, { favourable: 'negative' });
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
    expect(reportOf(two).measures.map(({ attribute }) => attribute)).toEqual([
      ...Array.from({ length: 4 }, () => 'origin'),
      ...Array.from({ length: 4 }, () => 'sex'),
    ]);
  });

  describe('fails closed', () => {
    const blocked = { value: null, standardError: null, interval: null, passed: false };

    it('for a group that is too small', () => {
      const groups = attribute(half(5, 9, 'a'), half(60, 100, 'b'));
      expect(measureOf(groups, 'disparate-impact')).toMatchObject({
        ...blocked,
        reason: 'found 9 in a; expected 10 people in each group',
      });
    });

    it('for a group below the minimum cell without its count, but in runs of version 1', () => {
      const groups = attribute(half(5, 9, 'a'), half(8, 15, 'b'), half(60, 100, 'c'));
      const reason = (least: number) =>
        fairness(predictions, groups, {
          policy: { ...policy, minimumGroup: 20 },
          label: 'granted',
          leastTold: least,
        }).measures[0]?.reason;
      expect(reason(11)).toBe(
        'found fewer than 11 in a, 15 in b; expected 20 people in each group',
      );
      expect(reason(0)).toBe('found 9 in a, 15 in b; expected 20 people in each group');
      const { data } = examplePolicy;
      expect(leastTold(data)).toBe(11);
      expect(leastTold({ ...data, disclosure: null })).toBe(0);
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
        reason: 'nobody in any group is decided "granted"',
      });
      expect(measureOf(groups, 'demographic-parity')).toMatchObject({ value: 0, passed: true });
    });

    it('for one group only, and for no attribute at all', () => {
      expect(measureOf(attribute(half(50, 100, 'a')), 'disparate-impact')).toMatchObject(blocked);
      const { groups, measures } = reportOf([]);
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
      expect(() => reportOf(table, {}, [Number.NaN, 0.5])).toThrow(RangeError);
      expect(() => reportOf(table, {}, [0.5])).toThrow(RangeError);
    });
  });

  describe('by intervals', () => {
    const byInterval = { decide: 'interval' } as const;

    it('asks the lower end of a ratio and the upper end of a difference', () => {
      // 85 of 100 against 100 of 100 shares: 0.85 is above four fifths, its interval is not.
      const few = attribute(half(85, 100, 'a'), half(100, 100, 'b'));
      const many = attribute(half(8500, 10_000, 'a'), half(10_000, 10_000, 'b'));
      expect(measureOf(few, 'disparate-impact')).toMatchObject({ value: 0.85, passed: true });
      const impact = measureOf(few, 'disparate-impact', byInterval);
      expect(impact).toMatchObject({ value: 0.85, passed: false });
      expect(impact.interval!.lower).toBeLessThan(0.8);
      expect(measureOf(many, 'disparate-impact', byInterval).passed).toBe(true);
      expect(measureOf(few, 'demographic-parity', { demographicParity: 0.16 }).passed).toBe(true);
      expect(
        measureOf(few, 'demographic-parity', { ...byInterval, demographicParity: 0.16 }).passed,
      ).toBe(false);
      expect(
        measureOf(many, 'demographic-parity', { ...byInterval, demographicParity: 0.16 }).passed,
      ).toBe(true);
    });

    it('is that of the two groups, where there are two', () => {
      // Newcombe 1998, table II: 56/70 less 48/80.
      const { interval } = measureOf(
        attribute(half(56, 70, 'a'), half(48, 80, 'b')),
        'demographic-parity',
      );
      expect(interval!.lower).toBeCloseTo(0.0524, 4);
      expect(interval!.upper).toBeCloseTo(0.3339, 4);
      expect(interval).toMatchObject({ pair: ['b', 'a'], limit: ['b', 'a'] });
    });

    it('lets a small group be the limit, though its estimate is not the worst', () => {
      const groups = attribute(
        half(500, 1000, 'large'),
        half(420, 1000, 'low'),
        half(9, 20, 'small'),
      );
      const { interval } = measureOf(groups, 'disparate-impact');
      expect(interval).toMatchObject({ pair: ['low', 'large'], limit: ['small', 'large'] });
    });

    it('grows with the pairs that are compared', () => {
      const widths = [2, 3, 5, 8].map((count) => {
        const groups = Array.from({ length: count }, (_, i) => half(60, 100, String(i)));
        return measureOf(attribute(...groups), 'disparate-impact').interval!.lower;
      });
      expect(widths).toEqual(widths.toSorted((a, b) => b - a));
      expect(new Set(widths).size).toBe(4);
    });

    it('is given without a bound too, and its level is the policy’s', () => {
      const change = { ...byInterval, disparateImpact: null };
      const at95 = measureOf(table, 'disparate-impact', change);
      const at99 = measureOf(table, 'disparate-impact', { ...change, level: 0.99 });
      expect(at95).toMatchObject({ bound: null, passed: true });
      expect(at99.interval!.lower).toBeLessThan(at95.interval!.lower);
    });

    it('covers the worst pair of four unequal groups at its level, near 0 and 1 too', () => {
      const draw = uniform(7);
      const people = [30, 60, 120, 400];
      const truths = [
        [0.5, 0.5, 0.5, 0.5],
        [0.3, 0.4, 0.5, 0.6],
        [0.97, 0.99, 0.98, 0.99],
        [0.05, 0.02, 0.04, 0.03],
      ];
      const rounds = 300;
      const shares = truths.map((rates) => {
        const [least, most] = [Math.min(...rates), Math.max(...rates)];
        let [ratio, gap] = [0, 0];
        for (let round = 0; round < rounds; round += 1) {
          const groups = rates.map((rate, i) => {
            const size = people[i]!;
            const chosen = Array.from({ length: size }, draw).filter((u) => u < rate).length;
            return half(chosen, size, String(i));
          });
          const impact = measureOf(attribute(...groups), 'disparate-impact').interval;
          const parity = measureOf(attribute(...groups), 'demographic-parity').interval!;
          // Where nobody is favoured the gate blocks: nothing is claimed.
          if (impact === null || (impact.lower <= least / most && least / most <= impact.upper))
            ratio += 1;
          if (parity.lower <= most - least + 1e-12 && most - least <= parity.upper + 1e-12)
            gap += 1;
        }
        return [ratio / rounds, gap / rounds];
      });
      console.log(
        `coverage of the worst pair: ${shares.map(([r, g]) => `ratio ${r}, gap ${g}`).join('; ')}`,
      );
      expect(Math.min(...shares.flat())).toBeGreaterThanOrEqual(0.93);
    });

    it('follows from the counts alone', () => {
      const report = reportOf(table, byInterval);
      const again = fairnessOfCounts([{ attribute: 'origin', groups: report.groups }], {
        policy: { ...policy, ...byInterval },
        label: 'granted',
        leastTold: 0,
      });
      expect(again).toEqual(report);
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
