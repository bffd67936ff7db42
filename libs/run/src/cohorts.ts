import type { CohortDimension } from '#libs/harness';
import type { RunOpened } from './events.ts';

/** What the cells of a run are numbered by: the policy's dimensions, coarsened as far as the vault had to. */
export const cohortDimensions = ({
  cohorts,
  policy,
}: Pick<RunOpened['data'], 'cohorts' | 'policy'>): readonly CohortDimension[] =>
  cohorts?.dimensions ?? policy.data.dimensions;
