import type {
  DataPolicy,
  FairnessPolicy,
  HarnessPolicy,
  KeepPolicy,
  OutcomePolicy,
} from './policy.ts';

/** A policy as it was written into `RunOpened` in version 1. */
export interface PolicyOfVersion1 extends Omit<
  HarnessPolicy,
  'version' | 'keep' | 'data' | 'gates' | 'sandbox'
> {
  readonly version: 1;
  readonly keep: Omit<KeepPolicy, 'effect'>;
  readonly data: Omit<DataPolicy, 'outcome' | 'coarsen' | 'magnitudes' | 'disclosure' | 'pii'> & {
    readonly outcome: Omit<OutcomePolicy, 'labels'>;
  };
  readonly gates: Omit<HarnessPolicy['gates'], 'postLoop'> & {
    readonly postLoop: Omit<FairnessPolicy, 'decide' | 'level' | 'intersections'>;
  };
}

/**
 * A policy of version 1 in today's shape. What it could not say yet gets the value that means the rule of then, so
 * that a run is judged for ever as it was when it ran; its version still says 1. The digest that a run pins is that of
 * the policy as it was written.
 */
export const upgradePolicy = (policy: PolicyOfVersion1): HarnessPolicy => ({
  ...policy,
  keep: { ...policy.keep, effect: null },
  data: {
    ...policy.data,
    outcome: { ...policy.data.outcome, labels: { positive: 'positive', negative: 'negative' } },
    coarsen: [],
    magnitudes: [],
    disclosure: null,
    pii: null,
  },
  gates: {
    ...policy.gates,
    postLoop: { ...policy.gates.postLoop, decide: 'estimate', level: 0.95, intersections: [] },
  },
  sandbox: { minimum: [] },
});
