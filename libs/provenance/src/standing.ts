import type { RunHandlers } from './check.ts';

/** A state of the program that stands: the baseline's, a kept one, or what a revert went back to. */
export interface Standing {
  readonly tree: string;
  readonly commit: string;
  readonly trainingId: string;
  readonly metric: number;
}

/**
 * Follows which state stands as the events say it; that they say it rightly is for `complete-chain`.
 * A check calls its handlers after it has looked at what stood before the event.
 */
export const followStanding = (): {
  readonly now: () => Standing | null;
  readonly run: Required<Pick<RunHandlers, 'BaselineEstablished' | 'MutationKept' | 'RunReverted'>>;
} => {
  let standing: Standing | null = null;
  return {
    now: () => standing,
    run: {
      BaselineEstablished: ({ tree, commit, trainingId, metric }) => {
        standing = { tree, commit, trainingId, metric };
      },
      MutationKept: ({ tree, commit, trainingId, metric }) => {
        standing = { tree, commit, trainingId, metric };
      },
      RunReverted: ({ toTree, toCommit, toTrainingId, toMetric }) => {
        standing = { tree: toTree, commit: toCommit, trainingId: toTrainingId, metric: toMetric };
      },
    },
  };
};
