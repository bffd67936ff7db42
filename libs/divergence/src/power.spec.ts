import quantile from '@stdlib/stats-base-dists-normal-quantile';
import { describe, expect, it } from 'vitest';
import { difference } from '#libs/evaluator';
import { uniform } from '../../../test/support/fixture-study.ts';
import { keepPower, outcomeEntropy, powerRemedies } from './index.ts';

/**
 * Cells of equal size whose true probabilities lie `spread` (in logits) about a base rate; the incumbent predicts the
 * base rate, the candidate the truth.
 */
const world = (spread: number, people: number) => {
  const cells = 12;
  const truth = Array.from(
    { length: cells },
    (_, cell) => 1 / (1 + Math.exp(0.6 - spread * ((2 * cell) / (cells - 1) - 1))),
  );
  const base = truth.reduce((sum, p) => sum + p, 0) / cells;
  const gain =
    truth.reduce(
      (sum, p) => sum + p * Math.log(p / base) + (1 - p) * Math.log((1 - p) / (1 - base)),
      0,
    ) / cells;
  const each = Math.round(people / cells);
  return {
    truth,
    incumbent: truth.map(() => base),
    gain,
    entropy: outcomeEntropy(base, 1),
    people: each * cells,
    /** One draw of the dev rows. */
    draw: (next: () => number) => ({
      people: truth.map(() => each),
      positive: truth.map((p) => {
        let positive = 0;
        for (let person = 0; person < each; person += 1) if (next() < p) positive += 1;
        return positive;
      }),
    }),
  };
};

const DRAWS = 3000;

describe('the power of a keep', () => {
  // Gains of about 0.3, 0.5 and 1 per cent of the entropy, on 2,400, 2,400 and 1,200 people.
  it.each([
    { spread: 0.13, people: 2400 },
    { spread: 0.16, people: 2400 },
    { spread: 0.24, people: 1200 },
  ])('is what the evaluator measures: spread $spread', ({ spread, people }) => {
    const made = world(spread, people);
    const next = uniform(17);
    const level = 0.05;
    const threshold = quantile(1 - level, 0, 1);
    let [kept, sum, squares] = [0, 0, 0];
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const found = difference(made.truth, made.incumbent, made.draw(next), 11);
      if (found === null) throw new Error('there is nobody to score');
      const z = -found.value / found.standardError;
      sum += z;
      squares += z * z;
      if (z > threshold) kept += 1;
    }
    const mean = sum / DRAWS;
    expect(mean).toBeCloseTo(Math.sqrt((made.people * made.gain) / 2), 1);
    expect(Math.abs(squares / DRAWS - mean ** 2 - 1)).toBeLessThan(0.12);
    const effect = made.gain / made.entropy;
    const told = keepPower({ people: made.people, metric: made.entropy, effect, level });
    expect(told).toBeGreaterThan(0.2);
    expect(told).toBeLessThan(0.95);
    expect(Math.abs(kept / DRAWS - told)).toBeLessThan(0.03);
  });

  it('is the level itself where nothing is gained, and grows with people, effect and level', () => {
    const question = { people: 5000, metric: 0.65, effect: 0.02, level: 0.004 };
    const power = keepPower(question);
    expect(keepPower({ ...question, effect: 0 })).toBeCloseTo(0.004, 9);
    expect(keepPower({ ...question, people: 9000 })).toBeGreaterThan(power);
    expect(keepPower({ ...question, effect: 0.03 })).toBeGreaterThan(power);
    expect(keepPower({ ...question, level: 0.01 })).toBeGreaterThan(power);
  });

  it('is what was asked for once any one remedy is taken', () => {
    const question = { people: 900, metric: 0.65, effect: 0.02, level: 0.004 };
    const remedies = powerRemedies(question, 0.8);
    expect(keepPower(question)).toBeLessThan(0.8);
    for (const remedy of ['people', 'effect', 'level'] as const)
      expect(keepPower({ ...question, [remedy]: remedies[remedy] })).toBeCloseTo(0.8, 6);
  });
});

describe('the entropy of an outcome', () => {
  it('is log 2 for a fair one and 0 for a sure one', () => {
    expect(outcomeEntropy(50, 100)).toBeCloseTo(Math.log(2), 12);
    expect(outcomeEntropy(0, 100)).toBe(0);
    expect(outcomeEntropy(100, 100)).toBe(0);
  });
});
