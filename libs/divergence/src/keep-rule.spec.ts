import normal from '@stdlib/stats-base-dists-normal-cdf';
import fc from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import type { Estimate, HarnessPolicy } from '#libs/harness';
import { affordableTrials, isKept, keepLevel, keepRuling, owesSeed } from './index.ts';

const costs = { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 };
type Terms = Pick<HarnessPolicy, 'version' | 'budget' | 'keep' | 'replicates'>;
const policy: Terms = {
  version: 2,
  budget: { total: 100, costs },
  keep: { falseKeeps: 0.05, effect: 0.02 },
  replicates: 3,
};
const difference = (value: number, standardError = 0.001): Estimate => ({
  name: 'log-loss',
  value,
  standardError,
  n: 1000,
});
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Evidence from each seed's difference; the rows' part is the same for all. */
const seeds = (values: readonly number[], standardError = 0.001) => ({
  differences: values.map((value) => difference(value, standardError)),
  overSeeds: values.map((_, at) => difference(mean(values.slice(0, at + 1)), standardError)),
  seedDeviation: 0,
});
const rule = (values: readonly number[], standardError = 0.001) =>
  keepRuling(policy, 'hyperparameter', seeds(values, standardError));

describe('the level of a trial', () => {
  it('is the share of the budget that it costs, of the bound on false keeps', () => {
    expect(keepLevel(policy, 'hyperparameter')).toBeCloseTo(0.05 * 0.15, 12);
    expect(keepLevel(policy, 'architecture')).toBeCloseTo(0.05 * 0.3, 12);
  });

  it('adds up to the bound at most, whatever a budget buys', () => {
    const domains = fc.constantFrom('hyperparameter', 'feature', 'architecture');
    fc.assert(
      fc.property(fc.array(domains), fc.integer({ min: 15, max: 2000 }), (bought, total) => {
        const terms = { ...policy, budget: { total, costs } };
        let left = total;
        let spent = 0;
        for (const domain of bought) {
          const cost = costs.hypothesis + costs[domain];
          if (cost > left) continue;
          left -= cost;
          spent += keepLevel(terms, domain);
        }
        expect(spent).toBeLessThanOrEqual(0.05 * (1 + 1e-12));
      }),
    );
  });
});

describe('the keep rule with one seed', () => {
  it('asks for the normal quantile of its level, strictly', () => {
    // 1 − 0.0075 → 2.4324 (normal table)
    const { threshold, level, seeds: trained, seedError } = rule([-0.01]);
    expect(threshold).toBeCloseTo(2.4324, 4);
    expect([level, trained, seedError]).toEqual([keepLevel(policy, 'hyperparameter'), [-0.01], 0]);
    const ruling = rule([-0.003]);
    expect(isKept(ruling)).toBe(true);
    expect(isKept({ ...ruling, z: ruling.threshold })).toBe(false);
    expect(isKept(rule([-0.002]))).toBe(false);
    expect(isKept(rule([0.003]))).toBe(false);
  });

  it('takes no difference without noise for evidence', () => {
    expect(isKept(rule([0], 0))).toBe(false);
    expect(isKept(rule([-0.1], 0))).toBe(false);
    expect(isKept(rule([-0.1, -0.1, -0.1], 0))).toBe(false);
  });
});

describe('the keep rule with several seeds', () => {
  it('is that of one seed where seeds make no difference', () => {
    const one = rule([-0.003]);
    expect(rule([-0.003, -0.003, -0.003])).toMatchObject({
      z: expect.closeTo(one.z, 12) as number,
      threshold: one.threshold,
    });
  });

  it('adds the variance of the mean over seeds, with the t quantile of its few degrees of freedom', () => {
    const ruling = rule([-0.004, -0.006, -0.005]);
    expect(ruling.improvement).toBeCloseTo(0.005, 12);
    // The sample deviation of the three is 0.001.
    expect(ruling.seedError).toBeCloseTo(0.001 / Math.sqrt(3), 12);
    expect(ruling.standardError).toBeCloseTo(Math.sqrt(1e-6 + 1e-6 / 3), 12);
    // t(2) at 1 − 0.0075 is 8.0728 (R: qt(0.9925, 2)).
    const expected = Math.sqrt((2.432379 ** 2 + 8.072787 ** 2 / 3) / (4 / 3));
    expect(ruling.threshold).toBeCloseTo(expected, 3);
  });

  it('is the t test where rows make no difference', () => {
    expect(rule([-0.004, -0.006, -0.005], 0).threshold).toBeCloseTo(8.0728, 3);
  });

  it('refuses several seeds without the difference over all of them', () => {
    const bare = { ...seeds([-0.004, -0.005]), overSeeds: [difference(-0.004)] };
    expect(() => keepRuling(policy, 'feature', bare)).toThrow('2 seeds without the difference');
  });
});

describe('the seeds that a candidate owes', () => {
  const owes = (values: readonly number[], terms = policy) =>
    owesSeed(terms, 'hyperparameter', seeds(values));

  it('are none where the first look does not beat noise', () => {
    expect(owes([-0.002])).toBe(false);
  });

  it('are all others where it does, however bad the next one is', () => {
    expect(owes([-0.003])).toBe(true);
    expect(owes([-0.003, 0.02])).toBe(true);
    expect(owes([-0.003, 0.02, 0.01])).toBe(false);
  });

  it('are none with one replicate, and none under version 1', () => {
    expect(owes([-0.003], { ...policy, replicates: 1 })).toBe(false);
    expect(owes([-0.003], { ...policy, version: 1 })).toBe(false);
  });
});

describe('the rule of version 1', () => {
  const old: Terms = { ...policy, version: 1 };
  const ruleOld = (value: number, seedDeviation: number) =>
    keepRuling(old, 'architecture', { ...seeds([value]), seedDeviation });

  it('shares its level out over the trials that the budget can buy, whatever they cost', () => {
    expect(affordableTrials(policy.budget)).toBe(6);
    // 1 − 0.05/6 = 0.991667 → 2.3940 (normal table)
    expect(ruleOld(-0.01, 0)).toMatchObject({
      threshold: expect.closeTo(2.394, 3) as number,
      trials: 6,
      level: null,
      seeds: null,
    });
  });

  it('counts the noise of two seeds', () => {
    expect(isKept(ruleOld(-0.003, 0))).toBe(true);
    const ruling = ruleOld(-0.003, 0.001);
    expect(ruling.standardError).toBeCloseTo(Math.sqrt(3e-6), 10);
    expect(isKept(ruling)).toBe(false);
  });
});

/** Standard normal values, two at a time (Box and Muller 1958), from a seeded generator. */
const gaussian = (seed: number): (() => number) => {
  const generator = xoroshiro128plus(seed);
  const uniform = () => ((generator.next() >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
};

describe('the chance of a false keep', () => {
  const DRAWS = 40_000;
  /** A bound of 30 % on a budget of six trials: a level of 4.5 %, which so many draws can tell. */
  const terms = { ...policy, keep: { falseKeeps: 0.3, effect: 0.02 } };
  const level = keepLevel(terms, 'hyperparameter');
  /** Two standard errors of a share of so many draws. */
  const margin = 2 * Math.sqrt((level * (1 - level)) / DRAWS);

  /** How often a candidate that is no better is kept: `spread` is what seeds add, in units of the rows' noise. */
  const rate = (spread: number, replicates: number): number => {
    const normalValue = gaussian(Math.round(1000 * spread) + replicates);
    let kept = 0;
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const ofRows = 0.001 * normalValue();
      const values = Array.from(
        { length: replicates },
        () => ofRows + 0.001 * spread * normalValue(),
      );
      const all = { ...terms, replicates };
      if (owesSeed(all, 'hyperparameter', seeds(values.slice(0, 1))))
        if (isKept(keepRuling(all, 'hyperparameter', seeds(values)))) kept += 1;
    }
    return kept / DRAWS;
  };

  it('is drawn as the normal table says', () => {
    const normalValue = gaussian(1);
    const below = Array.from({ length: DRAWS }, normalValue).filter((value) => value < -1).length;
    expect(below / DRAWS).toBeCloseTo(normal(-1, 0, 1), 2);
  });

  it('is the level where seeds make no difference', () => {
    expect(Math.abs(rate(0, 3) - level)).toBeLessThan(margin);
  });

  it.each([
    [0.3, 2],
    [0.3, 3],
    [1, 3],
    [3, 3],
    [10, 3],
    [1, 5],
    [10, 5],
  ])(
    'stays below the level with seeds that add %s of the rows, %s of them',
    (spread, replicates) => {
      expect(rate(spread, replicates)).toBeLessThan(level + margin);
    },
  );
});

describe('the chance of a false keep at the level of one trial in 125', () => {
  const terms: Terms = { ...policy, budget: { total: 1875, costs } };
  const level = keepLevel(terms, 'hyperparameter');

  /**
   * Exact but for the steps of the integral: the variance between three seeds is estimated with two degrees of
   * freedom, so that it is the true one times an exponential value of mean 1.
   */
  const chance = (ofRows: number, ofSeeds: number): number => {
    const [from, to, steps] = [Math.log(1e-9), Math.log(60), 2000];
    let sum = 0;
    for (let step = 0; step <= steps; step += 1) {
      const x = Math.exp(from + ((to - from) * step) / steps);
      // Three differences whose mean has this variance between seeds.
      const apart = Math.sqrt(3 * ofSeeds * x);
      const { threshold, standardError } = keepRuling(terms, 'hyperparameter', {
        ...seeds([-apart, 0, apart], Math.sqrt(ofRows)),
      });
      const needed = threshold * standardError;
      sum += x * Math.exp(-x) * normal(-needed / Math.sqrt(ofRows + ofSeeds), 0, 1);
    }
    return (sum * (to - from)) / steps;
  };

  it.each([0.001, 0.01, 0.1, 0.3, 1, 3, 10, 100, 10_000])(
    'stays below it with seeds whose variance is %s times that of the rows',
    (ratio) => {
      expect(chance(1, ratio) / level).toBeLessThanOrEqual(1.001);
      expect(chance(1, ratio)).toBeGreaterThan(0);
    },
  );
});
