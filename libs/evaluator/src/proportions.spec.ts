import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  criticalValue,
  differenceInterval,
  ratioInterval,
  type Interval,
  type Proportion,
} from './proportions.ts';

const of = (hits: number, people: number): Proportion => ({ hits, people });
const Z95 = criticalValue(0.95);

describe('the interval of a difference', () => {
  // Newcombe 1998, table II, method 10.
  it.each([
    [of(56, 70), of(48, 80), 0.0524, 0.3339],
    [of(9, 10), of(3, 10), 0.1705, 0.809],
    [of(6, 7), of(2, 7), 0.0582, 0.8062],
    [of(5, 56), of(0, 29), -0.0381, 0.1926],
    [of(0, 10), of(0, 20), -0.1611, 0.2775],
    [of(0, 10), of(0, 10), -0.2775, 0.2775],
    [of(10, 10), of(0, 20), 0.6791, 1],
    [of(10, 10), of(0, 10), 0.6075, 1],
  ])('%o less %o', (a, b, lower, upper) => {
    const found = differenceInterval(a, b, Z95);
    expect(found.lower).toBeCloseTo(lower, 4);
    expect(found.upper).toBeCloseTo(upper, 4);
  });
});

describe('the interval of a ratio', () => {
  it('is that of the example of Koopman 1984', () => {
    const { lower, upper } = ratioInterval(of(36, 40), of(16, 80), Z95);
    expect(lower).toBeCloseTo(2.94, 2);
    expect(upper).toBeCloseTo(7.15, 2);
  });

  it('has width where both rates are 1, and says nothing where both are 0', () => {
    const { lower, upper } = ratioInterval(of(20, 20), of(20, 20), Z95);
    // The score interval of 20 of 20 (Wilson 1927) ends at 0.8389.
    expect(lower).toBeCloseTo(20 / (20 + Z95 ** 2), 3);
    expect(upper).toBeCloseTo(1 / lower, 9);
    expect(ratioInterval(of(0, 20), of(0, 20), Z95)).toEqual({ lower: 0, upper: Infinity });
  });

  it('turns over with its groups, and holds its estimate', () => {
    const group = fc
      .integer({ min: 1, max: 500 })
      .chain((people) =>
        fc.integer({ min: 0, max: people }).map((hits): Proportion => ({ hits, people })),
      );
    fc.assert(
      fc.property(group, group, (a, b) => {
        const [one, other] = [ratioInterval(a, b, Z95), ratioInterval(b, a, Z95)];
        expect(one.lower).toBeCloseTo(other.upper === Infinity ? 0 : 1 / other.upper, 6);
        expect(one.lower).toBeLessThanOrEqual(one.upper);
        if (b.hits > 0) {
          const estimate = a.hits / a.people / (b.hits / b.people);
          expect(one.lower).toBeLessThanOrEqual(estimate * (1 + 1e-9));
          expect(one.upper).toBeGreaterThanOrEqual(estimate * (1 - 1e-9));
        }
        const difference = differenceInterval(a, b, Z95);
        expect(difference.lower).toBeGreaterThanOrEqual(-1 - 1e-9);
        expect(difference.upper).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });
});

/** Chances of each count of hits, by the recurrence of the binomial. */
const binomial = (people: number, rate: number): readonly number[] => {
  const logs = [0];
  for (let hits = 1; hits <= people; hits += 1)
    logs.push((logs[hits - 1] ?? 0) + Math.log(people - hits + 1) - Math.log(hits));
  return logs.map((log, hits) =>
    Math.exp(log + hits * Math.log(rate) + (people - hits) * Math.log1p(-rate)),
  );
};

/** Exact coverage: every outcome of both groups, with its chance. No simulation could be nearer. */
const coverage = (
  interval: (a: Proportion, b: Proportion) => Interval,
  people: readonly [number, number],
  rates: readonly [number, number],
  truth: number,
): number => {
  const [first, second] = [binomial(people[0], rates[0]), binomial(people[1], rates[1])];
  let covered = 0;
  first.forEach((p, a) => {
    second.forEach((q, b) => {
      if (p * q < 1e-12) return;
      const { lower, upper } = interval(of(a, people[0]), of(b, people[1]));
      if (lower <= truth + 1e-12 && truth <= upper + 1e-12) covered += p * q;
    });
  });
  return covered;
};

describe('coverage at 95 %', () => {
  const sizes = [
    [30, 30],
    [30, 120],
    [100, 40],
  ] as const;
  const rates = [0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99];
  const cases = sizes.flatMap((people) =>
    rates.flatMap((p) => rates.map((q) => ({ people, rates: [p, q] as const }))),
  );

  it.each([
    [
      'difference',
      (a: Proportion, b: Proportion) => differenceInterval(a, b, Z95),
      (p: number, q: number) => p - q,
    ],
    [
      'ratio',
      (a: Proportion, b: Proportion) => ratioInterval(a, b, Z95),
      (p: number, q: number) => p / q,
    ],
  ])('of a %s', (name, interval, truth) => {
    const found = cases.map(({ people, rates: [p, q] }) =>
      coverage(interval, people, [p, q], truth(p, q)),
    );
    const mean = found.reduce((a, b) => a + b, 0) / found.length;
    const least = Math.min(...found);
    console.log(
      `coverage of a ${name} over ${found.length} cases: mean ${mean.toFixed(4)}, least ${least.toFixed(4)}`,
    );
    expect(mean).toBeGreaterThan(0.945);
    // Near 0 and 1 both are known to dip below their level in a few places.
    expect(least).toBeGreaterThan(0.89);
  });
});
