import { isRemeasurementDue } from '#libs/divergence';
import type { RunEvent, RunOpened } from '../events.ts';
import { evolve, incumbent, type RunState } from '../state.ts';
import { commandIds } from './outcome.ts';

/**
 * The events that decide a mutation and, where the stability chart has its turn, the training of the incumbent that
 * they leave standing: with a seed that no training of this run had, whatever was reverted in between.
 */
export const withRemeasurement = (
  state: RunState,
  { seed, policy }: RunOpened['data'],
  commandId: string,
  deciding: readonly RunEvent[],
): readonly RunEvent[] => {
  const after = deciding.reduce(evolve, state);
  if (!isRemeasurementDue(policy, after.decided)) return deciding;
  return [
    ...deciding,
    {
      type: 'TrainingLaunched',
      data: {
        trainingId: commandIds.training(commandId),
        purpose: 'remeasurement',
        mutationId: null,
        tree: incumbent(after).tree,
        seed: seed + policy.replicates + after.remeasurements,
        seconds: policy.training.seconds,
      },
    },
  ];
};
