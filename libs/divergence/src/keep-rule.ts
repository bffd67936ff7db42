import quantile from '@stdlib/stats-base-dists-normal-quantile';
import type { Estimate, FileDomain, HarnessPolicy } from '#libs/harness';

/** The arithmetic of a decision to keep, so that anybody can redo it. */
export interface KeepRuling {
  /** Improvement of the metric (positive is better) and its standard error, seeds included. */
  readonly improvement: number;
  readonly standardError: number;
  readonly z: number;
  /** The z that had to be exceeded, strictly. */
  readonly threshold: number;
  /** Trials that the budget can buy. */
  readonly trials: number;
}

/** Decides whether a candidate beats noise. */
export type KeepRule = (
  policy: Pick<HarnessPolicy, 'budget' | 'keep'>,
  difference: Estimate,
  seedDeviation: number,
) => KeepRuling;

/** The most mutations of files that a budget can buy. */
export const affordableTrials = ({ total, costs }: HarnessPolicy['budget']): number => {
  const cheapest = Math.min(costs.hyperparameter, costs.feature, costs.architecture);
  return Math.max(1, Math.floor(total / (costs.hypothesis + cheapest)));
};

/**
 * The share of the run's bound on false keeps that a mutation may spend: the bound is spent as the budget is, so that
 * whatever the agent buys, the levels of all trials add up to the bound at most (alpha spending by cost).
 */
export const keepLevel = (
  { budget, keep }: Pick<HarnessPolicy, 'budget' | 'keep'>,
  domain: FileDomain,
): number => (keep.falseKeeps * (budget.costs.hypothesis + budget.costs[domain])) / budget.total;

/**
 * The default rule: the paired difference must be below zero by a one-sided z test whose level is shared out over
 * all trials that the budget can buy (Bonferroni), so that the chance that a run keeps anything that is no better
 * than noise stays below the policy's bound. The noise of two trainings' seeds is added to that of the dev rows.
 * A difference without measurable noise is no evidence: its z is 0.
 */
export const pairedKeepRule: KeepRule = (policy, difference, seedDeviation) => {
  const improvement = difference.value === 0 ? 0 : -difference.value;
  const standardError = Math.sqrt(difference.standardError ** 2 + 2 * seedDeviation ** 2);
  const trials = affordableTrials(policy.budget);
  return {
    improvement,
    standardError,
    z: standardError > 0 ? improvement / standardError : 0,
    threshold: quantile(1 - policy.keep.falseKeeps / trials, 0, 1),
    trials,
  };
};

export const isKept = (ruling: KeepRuling): boolean => ruling.z > ruling.threshold;
