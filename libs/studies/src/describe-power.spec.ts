import { describe, expect, it } from 'vitest';
import { keepLevel } from '#libs/divergence';
import { examplePolicy } from '../../harness/src/testing/policy.ts';
import { describePower } from './describe-power.ts';

const policy = {
  ...examplePolicy,
  budget: { ...examplePolicy.budget, total: 300 },
  keep: { falseKeeps: 0.05, effect: 0.02 },
};
const dev = (people: number) => ({ people, positive: people / 2 });

describe('the power of a study', () => {
  it('is told for each domain at its own share of the bound', () => {
    const told = describePower(policy, dev(5620));
    expect(told?.domains.map(({ domain, level }) => [domain, level])).toEqual(
      (['hyperparameter', 'feature', 'architecture'] as const).map((domain) => [
        domain,
        keepLevel(policy, domain),
      ]),
    );
    expect(told?.metric).toBeCloseTo(Math.log(2), 12);
    const [cheap, middle, dear] = told?.domains.map(({ power }) => power) ?? [];
    expect(cheap).toBeLessThan(middle ?? 0);
    expect(middle).toBeLessThan(dear ?? 0);
    expect(told?.words.join(' ')).toContain('(feature; 5,620 dev people)');
    expect(told?.warnings).toEqual([]);
  });

  it('warns where it is too small, with what would help', () => {
    const small = describePower(policy, dev(1500));
    expect(small?.warnings).toHaveLength(3);
    const warning = small?.warnings[1] ?? '';
    expect(warning).toMatch(/for feature, expected 80 %/);
    const [, people] = /: ([\d,]+) scored dev people/.exec(warning) ?? [];
    const [, total] = /a budget of at most ([\d,]+)/.exec(warning) ?? [];
    const [, effect] = /an effect of ([\d.]+) %/.exec(warning) ?? [];
    const powerOf = (changed: Partial<typeof policy>, scored = dev(1500)) =>
      describePower({ ...policy, ...changed }, scored)?.domains[1]?.power;
    expect(powerOf({}, dev(Number(people?.replaceAll(',', ''))))).toBeGreaterThanOrEqual(0.8);
    if (total !== undefined)
      expect(
        powerOf({ budget: { ...policy.budget, total: Number(total.replaceAll(',', '')) } }),
      ).toBeGreaterThanOrEqual(0.8);
    expect(
      powerOf({ keep: { falseKeeps: 0.05, effect: Number(effect) / 100 } }),
    ).toBeGreaterThanOrEqual(0.8);
  });

  it('names a smaller budget where fewer trials would do', () => {
    const told = describePower(policy, dev(1900));
    expect(told?.warnings.join()).toMatch(/a budget of at most \d+ \(fewer trials\)/);
  });

  it('is not told without an effect, nor of an outcome that all have', () => {
    expect(describePower({ ...policy, keep: { falseKeeps: 0.05, effect: null } }, dev(99))).toBe(
      null,
    );
    expect(describePower(policy, { people: 500, positive: 500 })).toBe(null);
    expect(describePower(policy, { people: 0, positive: 0 })).toBe(null);
  });
});
