import { fairness, isSecondaryMetric, observe } from '#libs/evaluator';
import { favourableLabel } from '#libs/harness';
import {
  candidate,
  incumbent,
  predicted,
  type Judge,
  type ObserveMetric,
  type TrainingLaunched,
} from '#libs/run';
import { commandId, readPredictions, type EffectContext } from './context.ts';

/** Scores a training's predictions on rows that it never saw. */
export const measure = async (
  context: EffectContext,
  training: TrainingLaunched['data'],
): Promise<ObserveMetric> => {
  const { state, study, opened } = context;
  const { dev, check } = study.vault.counts;
  const observation = observe({
    predictions: await readPredictions(context, predicted(state)),
    incumbent:
      training.purpose === 'baseline'
        ? null
        : await readPredictions(context, incumbent(state).predictions),
    dev: dev.cells,
    check: check.cells,
    minimumCell: opened.policy.data.minimumCell,
    secondary: state.secondary.filter(isSecondaryMetric),
  });
  return {
    type: 'ObserveMetric',
    id: commandId(context, 'ObserveMetric'),
    data: { trainingId: training.trainingId, observation },
  };
};

/** Measures the fairness of a candidate that would be kept; of no other. */
export const judge = async (context: EffectContext, wanted: boolean): Promise<Judge> => {
  const { state, study, opened } = context;
  return {
    type: 'Judge',
    id: commandId(context, 'Judge'),
    data: {
      mutationId: candidate(state).mutationId,
      fairness: wanted
        ? fairness(
            await readPredictions(context, predicted(state)),
            study.vault.counts.dev.protected,
            { policy: opened.policy.gates.postLoop, label: favourableLabel(opened.policy) },
          )
        : null,
    },
  };
};
