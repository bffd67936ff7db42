import { advance, chartInput, ZERO, type ChartReading } from '#libs/divergence';
import { ladder } from '#libs/evaluator';
import { layersOfRecord, missingLayers, type Observation, type SandboxPolicy } from '#libs/harness';
import type { ObserveMetric, RecordTraining } from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { originOf } from '../origin.ts';
import { stableLength, type RunState } from '../state.ts';
import { events, halted, refuse, type Decision } from './outcome.ts';

/** The agent's published score moves in steps of this size only (Blum and Hardt 2015). */
export const LADDER_STEP = 0.005;

/** What a result's isolation lacks of what the policy demands; null: nothing, or no program ran. */
const shortOfLayers = (
  { minimum }: SandboxPolicy,
  { type, data }: RecordTraining['data']['result'],
): string | null => {
  if (type === 'TrainingFailed' && data.isolation.executor === 'none') return null;
  const missing = missingLayers(minimum, layersOfRecord(data.isolation));
  return missing.length === 0
    ? null
    : `a result of training ${data.trainingId} that ran without ${missing.join(', ')}, expected every layer of sandbox.minimum; drop it, and let a worker train that has them`;
};

export const recordTraining = (
  state: RunState,
  opened: RunOpened['data'],
  { data: { result, worker } }: RecordTraining,
): Decision => {
  const { training, trial } = state;
  if (training?.trainingId !== result.data.trainingId)
    return refuse(
      'not-this-training',
      `a result for training ${result.data.trainingId}, expected one for ${training?.trainingId ?? 'none'}; drop it`,
    );
  const { keyId } = result.data.signature;
  const known = keyId === opened.keys.worker.keyId || state.enlisted.includes(keyId);
  if (!known && worker?.keyId !== keyId)
    return refuse(
      'unknown-worker',
      `a result signed by key ${keyId}, expected ${[opened.keys.worker.keyId, ...state.enlisted].join(' or ')}; admit that worker, or drop the result`,
    );
  const short = shortOfLayers(opened.policy.sandbox, result);
  if (short !== null) return refuse('isolation-too-weak', short);
  const enlisted: readonly RunEvent[] =
    known || worker === null ? [] : [{ type: 'WorkerEnlisted', data: worker }];
  if (result.type === 'TrainingCompleted') return events(...enlisted, result);
  const detail = result.type === 'TrainingFailed' ? result.data.detail : 'out of time';
  if (trial === null)
    return events(
      ...enlisted,
      result,
      halted('baseline', `THE UNCHANGED PROGRAM DOES NOT TRAIN: ${detail}`, []),
    );
  return events(...enlisted, result, {
    type: 'MutationReverted',
    data: {
      mutationId: trial.mutationId,
      reason: result.type === 'TrainingFailed' ? 'training-failed' : 'timed-out',
      fromTree: trial.tree,
      toTree: trial.baseTree,
      ruling: null,
    },
  });
};

const estimates = ({ metric, auc, difference, check, gapChange, secondary }: Observation) =>
  [metric, auc, difference, check, gapChange, ...secondary].filter((estimate) => estimate !== null);

export const observeMetric = (
  state: RunState,
  opened: RunOpened['data'],
  { data: { trainingId, observation } }: ObserveMetric,
): Decision => {
  const { training, trial } = state;
  if (training?.trainingId !== trainingId)
    return refuse(
      'not-this-training',
      `a metric for training ${trainingId}, expected ${training?.trainingId ?? 'none'}`,
    );
  const wrong = estimates(observation).find(
    ({ value, standardError, n }) => ![value, standardError, n].every(Number.isFinite),
  );
  if (wrong !== undefined)
    return refuse(
      'not-finite',
      `${wrong.name} is ${wrong.value} ± ${wrong.standardError} (n = ${wrong.n}); only finite numbers are observations`,
    );

  const told = ladder(state.ladderScore, observation.metric.value, LADDER_STEP);
  if (trial === null) return observeBaseline(state, opened, trainingId, observation, told);

  if (observation.difference === null)
    return refuse(
      'not-compared',
      `a metric for candidate ${trial.mutationId} without its difference to the incumbent; measure both on the same cells`,
    );

  const inputs = opened.policy.charts.flatMap((chart) => {
    const x = chartInput(chart.kind, observation);
    return x === null ? [] : [{ chart, x }];
  });
  const wild = inputs.find(({ x }) => !Number.isFinite(x));
  if (wild !== undefined)
    return refuse(
      'not-finite',
      `the ${wild.chart.kind} chart would take ${wild.x}; only finite numbers are charted`,
    );
  const charts = inputs.map(({ chart, x }) => advance(chart, state.sums[chart.kind] ?? ZERO, x));
  const fired = charts.filter((reading) => reading.fired);
  // A revert tells the agent one bit: what brought it does not move the Ladder.
  const ladderScore = fired.length === 0 ? told : (state.ladderScore ?? told);
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: { trainingId, mutationId: trial.mutationId, observation, charts, ladderScore },
  };
  return fired.length === 0
    ? events(observed)
    : events(observed, ...diverged(state, opened, trial, fired));
};

const observeBaseline = (
  state: RunState,
  opened: RunOpened['data'],
  trainingId: string,
  observation: Observation,
  ladderScore: number,
): Decision => {
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: { trainingId, mutationId: null, observation, charts: [], ladderScore },
  };
  const observations = [...state.replicates.map((one) => one.observation), observation];
  const first = state.replicates[0] ?? { trainingId, observation };
  if (observations.length < opened.policy.replicates) return events(observed);
  return events(observed, {
    type: 'BaselineEstablished',
    data: {
      tree: originOf(opened).tree,
      commit: originOf(opened).commit,
      trainingId: first.trainingId,
      replicates: observations.length,
      metric: first.observation.metric.value,
      standardError: first.observation.metric.standardError,
      seedDeviation: deviation(observations.map(({ metric }) => metric.value)),
    },
  });
};

/** Sample standard deviation; 0 for a single value. */
export const deviation = (values: readonly number[]): number => {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
};

const diverged = (
  state: RunState,
  opened: RunOpened['data'],
  trial: NonNullable<RunState['trial']>,
  fired: readonly ChartReading[],
): readonly RunEvent[] => {
  const length = stableLength(
    state,
    fired.map(({ chart }) => chart),
  );
  const target = state.line[length - 1];
  if (target === undefined)
    throw new Error(`the stable state is number ${length} of a line of ${state.line.length}`);
  const undone = state.line.slice(length).flatMap(({ mutationId }) => mutationId ?? []);
  const sums = fired.map(({ chart, upper, lower }) => ({
    chart,
    sum: Math.max(upper, lower),
    decisionInterval:
      opened.policy.charts.find(({ kind }) => kind === chart)?.decisionInterval ?? 0,
  }));
  const said = sums
    .map(({ chart, sum, decisionInterval }) => `${chart} ${sum.toFixed(4)} > ${decisionInterval}`)
    .join(', ');
  return [
    { type: 'DivergenceDetected', data: { mutationId: trial.mutationId, fired: sums } },
    {
      type: 'RunReverted',
      data: {
        fromTree: trial.tree,
        toTree: target.tree,
        toCommit: target.commit,
        toTrainingId: target.trainingId,
        toMetric: target.metric,
        undone: [...undone, trial.mutationId],
        reason: `results stopped being plausible (${said})`,
      },
    },
  ];
};
