import { type Contrast, simultaneousInterval } from '#libs/evaluator';
import { JOINT_LEVEL, jointInterval, type Claim, type Look } from '#libs/findings';
import type { CohortDimension, HarnessPolicy } from '#libs/harness';
import type { KeptState } from '#libs/run';
import { plantedIn } from './planted.ts';

/** What a finding will compare: the kept mutations up to `to`, against the program `from`. */
export interface Comparison {
  readonly kind: Claim['kind'];
  readonly from: KeptState;
  readonly to: KeptState;
  /** Kept mutations from the source tree to `to`, in order. */
  readonly mutations: readonly string[];
}

const mutationsOf = (line: readonly KeptState[]): readonly string[] =>
  line.flatMap(({ mutationId }) => mutationId ?? []);

/**
 * What a line that stands has to say: each kept step against what stood before it and, where there are several, the
 * whole line against the source program. A line without a kept mutation says nothing.
 */
export const comparisons = (line: readonly KeptState[]): readonly Comparison[] => {
  const steps = line.slice(1).map((to, index): Comparison => ({
    kind: 'step',
    from: line[index] ?? to,
    to,
    mutations: mutationsOf(line.slice(0, index + 2)),
  }));
  const [first, last] = [line[0], line.at(-1)];
  return steps.length > 1 && first !== undefined && last !== undefined
    ? [{ kind: 'line', from: first, to: last, mutations: mutationsOf(line) }, ...steps]
    : steps;
};

/**
 * The claim of a comparison, from its one look at the sealed rows. A run under version 1 of the policy corrects for the
 * claims of the look alone, as it said when it opened. `predictions`: those of the claimed program, by cell of
 * `dimensions`.
 */
export const claimOf = (
  { kind }: Pick<Comparison, 'kind'>,
  contrast: Contrast,
  look: Look,
  changes: readonly string[],
  predictions: ArrayLike<number>,
  dimensions: readonly CohortDimension[],
  { version, data }: Pick<HarnessPolicy, 'version' | 'data'>,
): Claim => {
  const { estimate, standardError, relative, n } = contrast;
  return {
    kind,
    cohort: {
      description: `sealed people in cohorts of ${data.dimensions.map(({ name }) => name).join(', ')}`,
      outcome: data.outcome.name,
    },
    statistic: 'log-loss-reduction',
    estimate,
    standardError,
    interval:
      version === 1
        ? simultaneousInterval(contrast, JOINT_LEVEL, look.claims)
        : jointInterval(contrast, look),
    relative,
    n,
    changes,
    planted: plantedIn(predictions, { planted: data.planted, dimensions }),
    look: version === 1 ? null : look,
  };
};
