import normal from '@stdlib/stats-base-dists-normal-quantile';
import student from '@stdlib/stats-base-dists-t-quantile';
import type { Estimate, FileDomain, HarnessPolicy } from '#libs/harness';
import { recentre, UNKNOWN } from './self-starting.ts';

/** The arithmetic of a decision to keep, so that anybody can redo it. */
export interface KeepRuling {
  /** Improvement of the metric (positive is better), over all seeds that were trained, and its standard error. */
  readonly improvement: number;
  readonly standardError: number;
  readonly z: number;
  /** The z that had to be exceeded, strictly. */
  readonly threshold: number;
  /** Trials over which the level was shared out; null since version 2 of the policy, which spends it by cost. */
  readonly trials: number | null;
  /** The share of the run's bound on false keeps that this mutation spent; null before version 2. */
  readonly level: number | null;
  /** Candidate less incumbent for each seed, in the order of the seeds; null before version 2. */
  readonly seeds: readonly number[] | null;
  /** The two parts of the standard error: of the dev rows, and of the seeds (0 for one seed, which can't tell). */
  readonly rowError: number | null;
  readonly seedError: number | null;
}

/** What a ruling rests on. */
export interface KeepEvidence {
  /** The paired difference to the incumbent for each seed that was trained, in the order of the seeds. */
  readonly differences: readonly Estimate[];
  /**
   * For each of them that of the losses averaged over the seeds up to it, with a standard error that holds where the
   * candidate is no better (the evaluator's `differenceOverSeeds`). Version 1 has none.
   */
  readonly overSeeds: readonly Estimate[];
  /** Of the baseline's metric between seeds: what version 1 knows of seeds. */
  readonly seedDeviation: number;
}

type KeepTerms = Pick<HarnessPolicy, 'version' | 'budget' | 'keep' | 'replicates'>;

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

/** How many seeds a candidate has to be trained with before it can be kept. */
export const seedsToKeep = ({ version, replicates }: KeepTerms): number =>
  version === 1 ? 1 : replicates;

/** The negative of 0 is a −0 that would show. */
const improvementOf = ({ value }: Estimate): number => (value === 0 ? 0 : -value);

const zOf = (improvement: number, standardError: number): number =>
  standardError > 0 ? improvement / standardError : 0;

/** Version 1: Bonferroni over the trials that the budget can buy; the noise of two trainings' seeds is added. */
const sharedRule = (policy: KeepTerms, difference: Estimate, seedDeviation: number): KeepRuling => {
  const improvement = improvementOf(difference);
  const standardError = Math.sqrt(difference.standardError ** 2 + 2 * seedDeviation ** 2);
  const trials = affordableTrials(policy.budget);
  return {
    improvement,
    standardError,
    z: zOf(improvement, standardError),
    threshold: normal(1 - policy.keep.falseKeeps / trials, 0, 1),
    trials,
    level: null,
    seeds: null,
    rowError: null,
    seedError: null,
  };
};

/** Variance of a mean, from the values that it is the mean of: exactly 0 where they are equal; 0 for a single one. */
const varianceOfMean = (values: readonly number[]): number => {
  if (values.length < 2) return 0;
  const { squares, degrees } = recentre(UNKNOWN, values);
  return squares / degrees / values.length;
};

/** Since version 2: the level is spent by cost, and the seeds' own noise has the few degrees of freedom that it has. */
const spentRule = (
  policy: KeepTerms,
  domain: FileDomain,
  { differences, overSeeds }: KeepEvidence,
): KeepRuling => {
  const whole = overSeeds[differences.length - 1];
  if (whole === undefined)
    throw new Error(`${differences.length} seeds without the difference over all of them`);
  const level = keepLevel(policy, domain);
  const seeds = differences.map(({ value }) => value);
  const rowVariance = whole.standardError ** 2;
  const seedVariance = varianceOfMean(seeds);
  const variance = rowVariance + seedVariance;
  const improvement = improvementOf(whole);
  const ofRows = normal(1 - level, 0, 1);
  const ofSeeds = seedVariance === 0 ? 0 : student(1 - level, seeds.length - 1);
  return {
    improvement,
    standardError: Math.sqrt(variance),
    z: zOf(improvement, Math.sqrt(variance)),
    threshold:
      seedVariance === 0
        ? ofRows
        : Math.sqrt((rowVariance * ofRows ** 2 + seedVariance * ofSeeds ** 2) / variance),
    trials: null,
    level,
    seeds,
    rowError: whole.standardError,
    seedError: Math.sqrt(seedVariance),
  };
};

/**
 * Rules on a candidate: it is kept when z exceeds the threshold, strictly. Redone from the evidence it gives the same
 * numbers to the last bit. A difference without measurable noise is no evidence: its z is 0.
 *
 * Version 1 of the policy: the difference with the run's own seed, its level the bound shared out equally over all
 * trials that the budget can buy.
 *
 * Version 2: the improvement Δ is that of the losses averaged over R seeds. Its variance is a + b: a, that of the mean
 * over dev rows of each row's averaged difference, as if the candidate were no better; b, the variance between seeds of the paired differences, divided by
 * R. The part of both that rows and seeds make together is counted twice, which errs on the safe side. Kept if
 * Δ² > a·z² + b·t², with the quantiles at 1 − {@link keepLevel} of the normal distribution for the many rows, and of
 * Student's with R − 1 degrees of freedom for the few seeds. Whatever the two true variances are, the chance that a
 * candidate which is no better is kept is then at most the level (Banerjee 1960, 1961, for independent normal parts;
 * proved there for two-sided intervals at twice the level). With one seed (a first look, or a policy of one replicate)
 * b is not known and left out.
 *
 * Sources: Banerjee (1960), Sankhyā 22, 357–358; Banerjee (1961), Sankhyā A 23, 359–378. Rows and seeds as crossed
 * factors: Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1, 386–411.
 *
 * @throws Error for seeds without the difference over all of them: that is a bug of whoever measured
 */
export const keepRuling = (
  policy: KeepTerms,
  domain: FileDomain,
  evidence: KeepEvidence,
): KeepRuling => {
  if (policy.version !== 1) return spentRule(policy, domain, evidence);
  const [difference] = evidence.differences;
  if (difference === undefined) throw new Error('a ruling needs a difference');
  return sharedRule(policy, difference, evidence.seedDeviation);
};

export const isKept = (ruling: KeepRuling): boolean => ruling.z > ruling.threshold;

/**
 * Whether a candidate owes a training with one more seed: its first look beats noise, and not all seeds were trained.
 * The looks in between decide nothing, so that there are two chances to fail and one to be kept.
 */
export const owesSeed = (
  policy: KeepTerms,
  domain: FileDomain,
  evidence: KeepEvidence,
): boolean => {
  const { differences } = evidence;
  if (differences.length >= seedsToKeep(policy)) return false;
  const firstLook = { ...evidence, differences: differences.slice(0, 1) };
  return isKept(keepRuling(policy, domain, firstLook));
};
