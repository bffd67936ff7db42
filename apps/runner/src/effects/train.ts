import { cellCount } from '#libs/harness';
import { abandonedResult, TrainingAbandoned, type TrainingJob } from '#libs/jobs';
import {
  cohortDimensions,
  type RecordTraining,
  type RunOpened,
  type TrainingLaunched,
} from '#libs/run';
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
  const dimensions = cohortDimensions(opened);
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
    demanded: policy.sandbox.minimum,
    table: cohorts.table.oid,
    cells: cohorts.cells.oid,
    cellCount: cellCount(dimensions),
    outcome: policy.data.outcome.name,
    dimensions: dimensions.map(({ name, labels }) => ({ name, labels })),
  };
};

export const train = async (
  context: EffectContext,
  training: TrainingLaunched['data'],
): Promise<RecordTraining> => {
  const { home, opened, state } = context;
  const queue = await home.queue();
  if (!queue.ok) throw new Error(queue.error.message);
  const job = trainingJob(opened, training);
  const over = watchForEnd(context);
  const result = await queue.value
    .run(job, context.onProgress, { stop: context.signal, unwanted: over.signal })
    .catch((error: unknown) => {
      if (!(error instanceof TrainingAbandoned)) throw error;
      return abandonedResult({ sourceTree: home.sourceTree, key: home.keys.worker }, job, error);
    })
    .finally(over.stop);
  const { keyId } = result.data.signature;
  const known = keyId === opened.keys.worker.keyId || state.enlisted.includes(keyId);
  const publicKey = known ? null : await home.admittedKey(keyId);
  return {
    type: 'RecordTraining',
    id: commandId(context, 'RecordTraining'),
    data: { result, worker: publicKey === null ? null : { keyId, publicKey } },
  };
};

/** How often it is looked whether a run still wants the training that is waited for. */
const LOOK_MS = 2_000;

/** A human may halt a run while it trains; its head is not to be signed only when some worker has the time. */
const watchForEnd = ({ home, runId }: Pick<EffectContext, 'home' | 'runId'>) => {
  const over = new AbortController();
  const look = async (): Promise<void> => {
    if ((await home.runs.load(runId)).state.node !== 'training') over.abort();
  };
  // A log that is away now is asked again.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  return { signal: over.signal, stop: () => clearInterval(timer) };
};
