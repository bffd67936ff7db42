import { isRemeasurementDue } from '#libs/divergence';
import type { RunEvent, RunOpened } from '../events.ts';
import { evolve, incumbent, type RunState } from '../state.ts';
import { launched } from './outcome.ts';

/**
 * The events that decide a mutation and, where the stability chart has its turn, the training of the incumbent that
 * they leave standing: with a seed that no training of this run had, whatever was reverted in between.
 */
export const withRemeasurement = (
  state: RunState,
  opened: RunOpened['data'],
  commandId: string,
  deciding: readonly RunEvent[],
): readonly RunEvent[] => {
  const { seed, policy } = opened;
  const after = deciding.reduce(evolve, state);
  if (!isRemeasurementDue(policy, after.decided)) return deciding;
  return [
    ...deciding,
    launched(opened, commandId, {
      purpose: 'remeasurement',
      mutationId: null,
      tree: incumbent(after).tree,
      seed: seed + policy.replicates + after.remeasurements,
    }),
  ];
};
