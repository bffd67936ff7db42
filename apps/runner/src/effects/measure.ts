import {
  differenceOverSeeds,
  fairness,
  isSecondaryMetric,
  leastTold,
  observe,
  type SeedPair,
} from '#libs/evaluator';
import { favourableLabel } from '#libs/harness';
import {
  candidate,
  incumbent,
  predicted,
  type Judge,
  type ObserveMetric,
  type TrainingLaunched,
  type TrainingPurpose,
} from '#libs/run';
import { commandId, readPredictions, type EffectContext } from './context.ts';

/** Scores a training's predictions on rows that it never saw. */
export const measure = async (
  context: EffectContext,
  training: TrainingLaunched['data'],
): Promise<ObserveMetric> => {
  const { state, study, opened } = context;
  const { dev, check } = study.vault.counts;
  const { minimumCell } = opened.policy.data;
  const { purpose, trainingId } = training;
  // Only a candidate is charted against check rows, and only what the agent may be shown has secondary metrics.
  const shown = purpose === 'baseline' || purpose === 'candidate';
  const pairs = await seedPairs(context, purpose);
  const underWay = pairs.at(-1) ?? null;
  const observation = observe({
    predictions: underWay?.predictions ?? (await readPredictions(context, predicted(state))),
    incumbent: underWay?.incumbent ?? null,
    dev: dev.cells,
    check: shown ? check.cells : null,
    minimumCell,
    secondary: shown ? state.secondary.filter(isSecondaryMetric) : [],
  });
  return {
    type: 'ObserveMetric',
    id: commandId(context, 'ObserveMetric'),
    data: {
      trainingId,
      observation,
      overSeeds: pairs.length === 0 ? null : differenceOverSeeds(pairs, dev.cells, minimumCell),
    },
  };
};

/**
 * The candidate's predictions, each with the incumbent's of the same seed, the training under way last; none for what
 * is compared with nothing.
 */
const seedPairs = async (
  context: EffectContext,
  purpose: TrainingPurpose,
): Promise<readonly SeedPair[]> => {
  const { state } = context;
  if (purpose === 'baseline' || purpose === 'remeasurement') return [];
  const trained = [...state.seeds.map(({ predictions }) => predictions), predicted(state)];
  const { seeds } = incumbent(state);
  return Promise.all(
    trained.map(async (predictions, index) => {
      const base = seeds[index];
      if (base === undefined)
        throw new Error(`the incumbent was trained with ${seeds.length} seeds, not ${index + 1}`);
      return {
        predictions: await readPredictions(context, predictions),
        incumbent: await readPredictions(context, base.predictions),
      };
    }),
  );
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
            // The training that would stand for it, whichever was the last.
            await readPredictions(context, state.seeds[0]?.predictions ?? predicted(state)),
            study.vault.counts.dev.protected,
            {
              policy: opened.policy.gates.postLoop,
              label: favourableLabel(opened.policy),
              leastTold: leastTold(opened.policy.data),
            },
          )
        : null,
    },
  };
};
