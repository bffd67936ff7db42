import type { TrainingJob } from '#libs/jobs';
import type { RecordTraining, RunOpened, TrainingLaunched } from '#libs/run';
import { cellCount } from '#libs/vault';
import { commandId, type EffectContext } from './context.ts';

/** The job of a launch: everything that a worker needs, from what the run pinned. */
export const trainingJob = (
  opened: RunOpened['data'],
  training: Pick<TrainingLaunched['data'], 'trainingId' | 'tree' | 'seed'>,
  steps: number | null = null,
): TrainingJob => {
  const { policy, cohorts, runId, studyId, environment } = opened;
  if (cohorts === null)
    throw new Error(`run ${runId} released no cohorts: there is nothing to train on`);
  const { dimensions, outcome } = policy.data;
  return {
    trainingId: training.trainingId,
    runId,
    studyId,
    runtime: environment.runtime,
    tree: training.tree,
    entry: policy.program.entry,
    seed: training.seed,
    steps,
    limits: policy.training,
    table: cohorts.table.oid,
    cells: cohorts.cells.oid,
    cellCount: cellCount(dimensions),
    outcome: outcome.name,
    dimensions: dimensions.map(({ name, labels }) => ({ name, labels })),
  };
};

export const train = async (
  context: EffectContext,
  training: TrainingLaunched['data'],
): Promise<RecordTraining> => {
  const queue = await context.home.queue();
  if (!queue.ok) throw new Error(queue.error.message);
  const result = await queue.value.run(trainingJob(context.opened, training), context.onProgress);
  return {
    type: 'RecordTraining',
    id: commandId(context, 'RecordTraining'),
    data: { result, worker: null },
  };
};
