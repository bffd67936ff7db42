import { describe, expect, it } from 'vitest';
import { affordableTrials, isKept, pairedKeepRule } from './index.ts';

const costs = { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 };
const policy = { budget: { total: 100, costs }, keep: { falseKeeps: 0.05, effect: 0.02 } };
const difference = (value: number, standardError: number) => ({
  name: 'log-loss',
  value,
  standardError,
  n: 1000,
});

describe('the paired keep rule', () => {
  it('shares its level out over the trials that the budget can buy', () => {
    expect(affordableTrials(policy.budget)).toBe(6);
    // 1 − 0.05/6 = 0.991667 → 2.3940 (normal table)
    expect(pairedKeepRule(policy, difference(-0.01, 0.001), 0).threshold).toBeCloseTo(2.394, 3);
  });

  it('keeps what beats noise and reverts what does not', () => {
    expect(isKept(pairedKeepRule(policy, difference(-0.003, 0.001), 0))).toBe(true);
    expect(isKept(pairedKeepRule(policy, difference(-0.002, 0.001), 0))).toBe(false);
    expect(isKept(pairedKeepRule(policy, difference(0.003, 0.001), 0))).toBe(false);
  });

  it('counts the noise of both seeds', () => {
    const ruling = pairedKeepRule(policy, difference(-0.003, 0.001), 0.001);
    expect(ruling.standardError).toBeCloseTo(Math.sqrt(3e-6), 10);
    expect(isKept(ruling)).toBe(false);
  });

  it('takes no difference without noise for evidence', () => {
    expect(isKept(pairedKeepRule(policy, difference(0, 0), 0))).toBe(false);
    expect(isKept(pairedKeepRule(policy, difference(-0.1, 0), 0))).toBe(false);
  });
});
