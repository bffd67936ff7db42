import { advance, chartInput, chartsOf, owesSeed, ZERO, type ChartReading } from '#libs/divergence';
import {
  layersOfRecord,
  missingLayers,
  ranNothing,
  type ChartPolicy,
  type Estimate,
  type Observation,
  type SandboxPolicy,
} from '#libs/harness';
import { ok, refused, sealedProblem, type Refusal, type Result } from '#libs/kernel';
import type { ObserveMetric, RecordTraining } from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { originOf } from '../origin.ts';
import { candidate, evolve, incumbent, stableLength, told, type RunState } from '../state.ts';
import { evidenceOf } from './judging.ts';
import { events, halted, launched, refuse, type Decision } from './outcome.ts';
import { withRemeasurement } from './remeasuring.ts';

/** What a result's isolation lacks of what the policy demands; null: nothing, or no program ran. */
const shortOfLayers = (
  { minimum }: SandboxPolicy,
  { type, data }: RecordTraining['data']['result'],
): string | null => {
  if (type === 'TrainingFailed' && ranNothing(data.isolation)) return null;
  const missing = missingLayers(minimum, layersOfRecord(data.isolation));
  return missing.length === 0
    ? null
    : `a result of training ${data.trainingId} that ran without ${missing.join(', ')}, expected every layer of sandbox.minimum; drop it, and let a worker train that has them`;
};

/** Only an operator who gave a training up has a note on it: a worker writes none. */
const noteProblem = (result: RecordTraining['data']['result']): string | null => {
  if (result.type !== 'TrainingFailed' || result.data.note === null) return null;
  return result.data.failure === 'discarded'
    ? sealedProblem(result.data.note)
    : `found a human's note on a training that failed as ${result.data.failure}, expected one on a discarded one alone; drop the result`;
};

export const recordTraining = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data: { result, worker } }: RecordTraining,
): Decision => {
  const { training } = state;
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
  const unsaid = noteProblem(result);
  if (unsaid !== null) return refuse('no-reason', unsaid);
  const short = shortOfLayers(opened.policy.sandbox, result);
  if (short !== null) return refuse('isolation-too-weak', short);
  const enlisted: readonly RunEvent[] =
    known || worker === null ? [] : [{ type: 'WorkerEnlisted', data: worker }];
  if (result.type === 'TrainingCompleted') return events(...enlisted, result);
  const detail = result.type === 'TrainingFailed' ? result.data.detail : 'out of time';
  switch (training.purpose) {
    case 'baseline':
      return events(
        ...enlisted,
        result,
        halted('baseline', `THE UNCHANGED PROGRAM DOES NOT TRAIN: ${detail}`, []),
      );
    case 'remeasurement':
      // No observation, as of any training that crashed: the chart stands still.
      return events(...enlisted, result);
    case 'candidate':
    case 'replicate': {
      const { mutationId, tree, baseTree } = candidate(state);
      const reverted: RunEvent = {
        type: 'MutationReverted',
        data: {
          mutationId,
          reason: result.type === 'TrainingFailed' ? 'training-failed' : 'timed-out',
          fromTree: tree,
          toTree: baseTree,
          ruling: null,
        },
      };
      return events(...enlisted, result, ...withRemeasurement(state, opened, id, [reverted]));
    }
  }
};

const estimates = ({ metric, auc, difference, check, gapChange, secondary }: Observation) =>
  [metric, auc, difference, check, gapChange, ...secondary].filter((estimate) => estimate !== null);

const refuseNotFinite = ({ name, value, standardError, n }: Estimate): Decision =>
  refuse(
    'not-finite',
    `${name} is ${value} ± ${standardError} (n = ${n}); only finite numbers are observations`,
  );

export const observeMetric = (
  state: RunState,
  opened: RunOpened['data'],
  command: ObserveMetric,
): Decision => {
  const { training } = state;
  const { trainingId, observation, overSeeds } = command.data;
  if (training?.trainingId !== trainingId)
    return refuse(
      'not-this-training',
      `a metric for training ${trainingId}, expected ${training?.trainingId ?? 'none'}`,
    );
  const wrong = [...estimates(observation), ...(overSeeds === null ? [] : [overSeeds])].find(
    ({ value, standardError, n }) => ![value, standardError, n].every(Number.isFinite),
  );
  if (wrong !== undefined) return refuseNotFinite(wrong);
  switch (training.purpose) {
    case 'baseline':
      return observeBaseline(state, opened, trainingId, observation);
    case 'candidate':
      return observeCandidate(state, opened, command);
    case 'replicate':
      return observeReplicate(state, opened, command);
    case 'remeasurement':
      return observeIncumbent(state, opened, command);
  }
};

const toldOf = ({ ladderScore }: RunState, { metric }: Observation): number =>
  told(ladderScore, metric.value);

/** Each of these charts' reading of an observation; refused where one of them would take what is not finite. */
const readings = (
  { sums, memories }: RunState,
  charts: readonly ChartPolicy[],
  observation: Observation,
): Result<readonly ChartReading[], Refusal<'not-finite'>> => {
  const inputs = charts.flatMap((chart) => {
    const x = chartInput(chart, observation, memories[chart.kind] ?? null);
    return x === null ? [] : [{ chart, x }];
  });
  const wild = inputs.find(({ x }) => !Number.isFinite(x));
  if (wild !== undefined)
    return refused({
      code: 'not-finite',
      message: `the ${wild.chart.kind} chart would take ${wild.x}; only finite numbers are charted`,
    });
  return ok(inputs.map(({ chart, x }) => advance(chart, sums[chart.kind] ?? ZERO, x)));
};

/** A revert tells the agent one bit: what brought it does not move the Ladder. */
const toldUnderVersion1 = (
  state: RunState,
  observation: Observation,
  fired: boolean,
): number | null => {
  const told = toldOf(state, observation);
  return fired ? (state.ladderScore ?? told) : told;
};

/**
 * What the agent is told does not move with a candidate: it moves with a keep. Were a discarded candidate's score told,
 * even rounded, an agent could climb by it until noise is kept; so until something is kept it has learnt nothing of the
 * dev rows but that its proposals were no better, and what it proposes is fixed as if it had never asked.
 */
const observeCandidate = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data: { trainingId, observation, overSeeds } }: ObserveMetric,
): Decision => {
  const { mutationId } = candidate(state);
  const isOld = opened.policy.version === 1;
  if (observation.difference === null || (overSeeds === null && !isOld))
    return refuse(
      'not-compared',
      `a metric for candidate ${mutationId} without its difference to the incumbent, by itself or as a keep would rest on it; measure both on the same cells`,
    );
  const read = readings(state, chartsOf(opened.policy, 'candidate'), observation);
  if (!read.ok) return read;
  const charts = read.value;
  const fired = charts.filter((reading) => reading.fired);
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: {
      trainingId,
      purpose: 'candidate',
      mutationId,
      observation,
      overSeeds: isOld ? null : overSeeds,
      charts,
      ladderScore: isOld
        ? toldUnderVersion1(state, observation, fired.length > 0)
        : state.ladderScore,
    },
  };
  if (fired.length === 0) return events(observed, ...nextSeed(state, opened, id, observed));
  const [detected, reverted] = diverged(state, opened, state.trial, fired);
  return events(
    observed,
    detected,
    ...withRemeasurement([observed, detected].reduce(evolve, state), opened, id, [reverted]),
  );
};

/** The difference to the incumbent's training with the same seed, and over all seeds so far; no chart, no Ladder. */
const observeReplicate = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data: { trainingId, observation, overSeeds } }: ObserveMetric,
): Decision => {
  const { mutationId } = candidate(state);
  if (observation.difference === null || overSeeds === null)
    return refuse(
      'not-compared',
      `a metric for a replicate of candidate ${mutationId} without its difference to the incumbent with the same seed, or over all seeds so far; measure both`,
    );
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: {
      trainingId,
      purpose: 'replicate',
      mutationId,
      observation,
      overSeeds,
      charts: [],
      ladderScore: null,
    },
  };
  return events(observed, ...nextSeed(state, opened, id, observed));
};

/** The training with the next of the baseline's seeds, where the candidate's first look beats noise. */
const nextSeed = (
  state: RunState,
  opened: RunOpened['data'],
  commandId: string,
  observed: RunEvent,
): readonly RunEvent[] => {
  const after = evolve(state, observed);
  const evidence = evidenceOf(after.seeds, after.seedDeviation);
  const { domain, mutationId, tree } = candidate(after);
  if (evidence === null || !owesSeed(opened.policy, domain, evidence)) return [];
  const seed = opened.seed + after.seeds.length;
  return [launched(opened, commandId, { purpose: 'replicate', mutationId, tree, seed })];
};

/** The incumbent with a fresh seed: the stability chart moves, and nothing else. */
const observeIncumbent = (
  state: RunState,
  opened: RunOpened['data'],
  { data: { trainingId, observation } }: ObserveMetric,
): Decision => {
  const read = readings(state, chartsOf(opened.policy, 'remeasurement'), observation);
  if (!read.ok) return read;
  const charts = read.value;
  const fired = charts.filter((reading) => reading.fired);
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: {
      trainingId,
      purpose: 'remeasurement',
      mutationId: null,
      observation,
      overSeeds: null,
      charts,
      ladderScore: null,
    },
  };
  return fired.length === 0
    ? events(observed)
    : events(observed, ...diverged(state, opened, null, fired));
};

const observeBaseline = (
  state: RunState,
  opened: RunOpened['data'],
  trainingId: string,
  observation: Observation,
): Decision => {
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: {
      trainingId,
      purpose: 'baseline',
      mutationId: null,
      observation,
      overSeeds: null,
      charts: [],
      ladderScore: toldOf(state, observation),
    },
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

/** Sample standard deviation (n − 1); 0 for a single value. */
export const deviation = (values: readonly number[]): number => {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
};

const diverged = (
  state: RunState,
  opened: RunOpened['data'],
  trial: RunState['trial'],
  fired: readonly ChartReading[],
): readonly [RunEvent, RunEvent] => {
  const length = stableLength(
    state,
    fired.map(({ chart }) => chart),
  );
  const target = length < 1 ? undefined : state.line.get(length - 1);
  if (target === undefined)
    throw new Error(`the stable state is number ${length} of a line of ${state.line.size}`);
  const undone = [...state.line.slice(length)].flatMap(({ mutationId }) => mutationId ?? []);
  const sums = fired.map(({ chart, upper, lower }) => ({
    chart,
    sum: Math.max(upper, lower),
    decisionInterval:
      opened.policy.charts.find(({ kind }) => kind === chart)?.decisionInterval ?? 0,
  }));
  const said = sums
    .map(({ chart, sum, decisionInterval }) => `${chart} ${sum.toFixed(4)} > ${decisionInterval}`)
    .join(', ');
  const mutationId = trial?.mutationId ?? null;
  return [
    { type: 'DivergenceDetected', data: { mutationId, fired: sums } },
    {
      type: 'RunReverted',
      data: {
        fromTree: trial?.tree ?? incumbent(state).tree,
        toTree: target.tree,
        toCommit: target.commit,
        toTrainingId: target.trainingId,
        toMetric: target.metric,
        mutationId,
        undone: mutationId === null ? undone : [...undone, mutationId],
        reason: `results stopped being plausible (${said})`,
      },
    },
  ];
};
