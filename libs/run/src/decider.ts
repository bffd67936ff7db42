import { charge, utilization, type ChargeRequest } from '#libs/budget';
import {
  advance,
  chartInput,
  isKept,
  pairedKeepRule,
  ZERO,
  type ChartReading,
  type KeepRuling,
} from '#libs/divergence';
import { ladder } from '#libs/evaluator';
import { midLoopGate, postLoopGate, type Breach, type Observation } from '#libs/harness';
import {
  deriveId,
  ok,
  refused,
  unreachable,
  type Decider,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { screenText } from '#libs/mandate';
import type {
  CutOver,
  Judge,
  ObserveMetric,
  OpenRun,
  ProposeHypothesis,
  ProposeMutation,
  ProposeSecondaryMetric,
  RecordTraining,
  RequestData,
  RunCommand,
} from './commands.ts';
import type { LoopEnded, RunEvent, RunHalted, RunOpened } from './events.ts';
import type { LoopNode } from './loop-graph.ts';
import {
  evolve,
  incumbent,
  INITIAL,
  stableLength,
  standingHypothesis,
  type RunState,
} from './state.ts';

export type RunRefusalCode =
  /** The run does not stand where this command belongs: reload and ask `nextStep`. */
  | 'not-now'
  /** A result for another training than the one under way, or a second one. */
  | 'not-this-training'
  /** A number that is not finite. */
  | 'not-finite'
  /** A candidate's metric without its difference to the incumbent: nothing could ever be decided about it. */
  | 'not-compared'
  /** The run is halted, closed or ended: nothing goes on. */
  | 'over';

type Decision = Result<readonly RunEvent[], Refusal<RunRefusalCode>>;

/** The agent's published score moves in steps of this size only (Blum and Hardt 2015). */
export const LADDER_STEP = 0.005;

const events = (...list: readonly RunEvent[]): Decision => ok(list);

const refuse = (code: RunRefusalCode, message: string): Decision => refused({ code, message });

/** The ids that a command's events carry, known before the command is sent, so that git objects can name them. */
export const commandIds = {
  hypothesis: (commandId: string): string => deriveId('hypothesis', commandId),
  mutation: (commandId: string): string => deriveId('mutation', commandId),
  training: (commandId: string): string => deriveId('training', commandId),
  restorePoint: (commandId: string): string => deriveId('restore-point', commandId),
  metric: (commandId: string): string => deriveId('metric', commandId),
};

/** Between the opening and the end: what can halt a run halts it at any of these. */
const LIVE: readonly LoopNode[] = [
  'baseline',
  'training',
  'trained',
  'idle',
  'hypothesised',
  'proposed',
  'observed',
];

/** Which nodes take a command. Everything else is refused with the node that was found. */
const TAKEN_AT: Readonly<Record<RunCommand['type'], readonly LoopNode[]>> = {
  OpenRun: ['new'],
  LaunchBaseline: ['baseline'],
  RecordTraining: ['training'],
  ObserveMetric: ['trained'],
  ProposeHypothesis: ['idle'],
  ProposeMutation: ['hypothesised'],
  RefuseProposal: ['hypothesised'],
  ProposeSecondaryMetric: ['hypothesised'],
  RequestData: LIVE,
  CutOver: ['proposed'],
  Judge: ['observed'],
  FinishLoop: ['idle', 'hypothesised'],
  StopLoop: ['idle', 'hypothesised'],
  HaltRun: LIVE,
  SignRunHead: ['ended', 'closed', 'halted'],
  CloseRun: ['attested'],
};

const OVER: readonly LoopNode[] = ['ended', 'attested', 'closed', 'halted', 'sealed'];

const halted = (
  by: RunHalted['data']['by'],
  reason: string,
  breaches: readonly Breach[],
  mutationId: string | null = null,
): RunHalted => ({
  type: 'RunHalted',
  data: { by, reason, breaches, mutationId, message: `SYSTEM HALT: ${reason}` },
});

const listed = (breaches: readonly Breach[]): string =>
  breaches
    .map(({ rule, found, expected }) => `${rule}: found ${found}, expected ${expected}`)
    .join('; ');

const loopEnded = (
  state: RunState,
  reason: LoopEnded['data']['reason'],
  message: string,
): LoopEnded => {
  const { tree, commit } = incumbent(state);
  const { total, remaining } = state.budget;
  return {
    type: 'LoopEnded',
    data: { reason, message, tree, commit, spent: total - remaining, total },
  };
};

/** `paid` with its charge in the same append, or, when it can't be paid, the loop's end. */
const pay = (state: RunState, paid: readonly RunEvent[], request: ChargeRequest): Decision => {
  const outcome = charge(state.budget, request);
  return outcome.ok
    ? events(...paid, outcome.value)
    : events(...paid, outcome.error, loopEnded(state, 'exhausted', outcome.error.data.message));
};

/** What a gate that lets a run in must have had before it, whatever was checked. */
const GATE_RESTS_ON = {
  checks: { rule: 'checks', found: 'no check of the data', expected: 'at least one' },
  cohorts: { rule: 'cohorts', found: 'no cohort table', expected: 'one from the vault' },
} as const;

const openRun = ({ data: { opened, checks } }: OpenRun): Decision => {
  const breaches = [
    ...checks.filter(({ passed }) => !passed),
    ...(checks.length === 0 ? [GATE_RESTS_ON.checks] : []),
    // Where another check failed the vault gives nothing away, so that this is no breach of its own.
    ...(opened.cohorts === null && checks.every(({ passed }) => passed)
      ? [GATE_RESTS_ON.cohorts]
      : []),
  ].map(({ rule, found, expected }) => ({ rule, found, expected, file: null, line: null }));
  const run: RunEvent = { type: 'RunOpened', data: opened };
  if (breaches.length > 0)
    return events(run, halted('pre-loop', `PRE-LOOP GATE: ${listed(breaches)}`, breaches));
  return events(run, {
    type: 'GatePassed',
    data: {
      gate: 'pre-loop',
      policyDigest: opened.pins.policyDigest,
      mutationId: null,
      checks,
    },
  });
};

const launchBaseline = (state: RunState, opened: RunOpened['data'], commandId: string): Decision =>
  events({
    type: 'TrainingLaunched',
    data: {
      trainingId: commandIds.training(commandId),
      purpose: 'baseline',
      mutationId: null,
      tree: opened.pins.tree,
      seed: opened.seed + state.replicates.length,
      seconds: opened.policy.training.seconds,
    },
  });

const recordTraining = (state: RunState, { data: { result } }: RecordTraining): Decision => {
  const { training, trial } = state;
  if (training?.trainingId !== result.data.trainingId)
    return refuse(
      'not-this-training',
      `a result for training ${result.data.trainingId}, expected one for ${training?.trainingId ?? 'none'}; drop it`,
    );
  if (result.type === 'TrainingCompleted') return events(result);
  const detail = result.type === 'TrainingFailed' ? result.data.detail : 'out of time';
  if (trial === null)
    return events(
      result,
      halted('baseline', `THE UNCHANGED PROGRAM DOES NOT TRAIN: ${detail}`, []),
    );
  return events(result, {
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

const observeMetric = (
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

  const ladderScore = ladder(state.ladderScore, observation.metric.value, LADDER_STEP);
  if (trial === null) return observeBaseline(state, opened, trainingId, observation, ladderScore);

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
  const observed: RunEvent = {
    type: 'MetricObserved',
    data: { trainingId, mutationId: trial.mutationId, observation, charts, ladderScore },
  };
  const fired = charts.filter((reading) => reading.fired);
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
      tree: opened.pins.tree,
      commit: opened.pins.pinCommit,
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
  const target = state.line[length - 1] ?? incumbent(state);
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

const proposeHypothesis = (
  state: RunState,
  { id, data: { statement, expectedEffect } }: ProposeHypothesis,
): Decision => {
  const breaches = screenText(statement);
  if (breaches.length > 0)
    return events(halted('mandate', `HUMAN MANDATE: ${listed(breaches)}`, breaches));
  if (!Number.isFinite(expectedEffect))
    return refuse(
      'not-finite',
      `the expected effect is ${expectedEffect}, expected a finite number`,
    );
  const hypothesisId = commandIds.hypothesis(id);
  return pay(
    state,
    [
      {
        type: 'HypothesisProposed',
        data: { hypothesisId, number: state.hypotheses + 1, statement, expectedEffect },
      },
    ],
    { charge: 'hypothesis', description: statement, paysFor: hypothesisId },
  );
};

const proposeMutation = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data }: ProposeMutation,
): Decision => {
  const { summary, declaredDomain, commit, tree, changes } = data;
  if (changes.length === 0) return refuseProposal(state, opened, 'the edit changes no file');
  const mutationId = commandIds.mutation(id);
  const base = incumbent(state);
  const gate = midLoopGate(opened.policy, changes);
  const proposed: RunEvent = {
    type: 'MutationProposed',
    data: {
      mutationId,
      hypothesisId: standingHypothesis(state).hypothesisId,
      number: state.mutations + 1,
      // A breach of the mandate is recorded, lone surrogates and all: the log takes well-formed text only.
      summary: summary.toWellFormed(),
      baseCommit: base.commit,
      baseTree: base.tree,
      proposedCommit: commit,
      proposedTree: tree,
      declaredDomain,
      measuredDomain: gate.domain,
      files: changes.map(({ path, kind, before, after }) => ({ path, kind, before, after })),
    },
  };
  const spoken = screenText(summary);
  if (spoken.length > 0)
    return events(
      proposed,
      halted('mandate', `HUMAN MANDATE: ${listed(spoken)}`, spoken, mutationId),
    );
  if (gate.breaches.length > 0 || gate.domain === null)
    return events(
      proposed,
      halted('mid-loop', `MID-LOOP GATE: ${listed(gate.breaches)}`, gate.breaches, mutationId),
    );
  const passed: RunEvent = {
    type: 'GatePassed',
    data: {
      gate: 'mid-loop',
      policyDigest: opened.pins.policyDigest,
      mutationId,
      checks: gate.checks,
    },
  };
  return pay(state, [proposed, passed], {
    charge: gate.domain,
    description: summary,
    paysFor: mutationId,
  });
};

const refuseProposal = (state: RunState, opened: RunOpened['data'], reason: string): Decision => {
  const inARow = state.refusalsInARow + 1;
  const proposal: RunEvent = {
    type: 'ProposalRefused',
    data: {
      hypothesisId: standingHypothesis(state).hypothesisId,
      // An edit's problems can quote the edit: what the log would refuse must not stop the run.
      reason: reason.toWellFormed(),
      inARow,
    },
  };
  return inARow < opened.policy.gates.midLoop.maximumRefusals
    ? events(proposal)
    : events(
        proposal,
        loopEnded(
          state,
          'refusals',
          `${inARow} proposals in a row did not apply; the last: ${reason}`,
        ),
      );
};

/** An agent's word in a message: short, and without anything that a terminal or the log minds. */
const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));

const proposeSecondaryMetric = (
  state: RunState,
  { id, data: { name, available } }: ProposeSecondaryMetric,
  opened: RunOpened['data'],
): Decision => {
  const isMeasured = state.secondary.includes(name);
  if (isMeasured || !available.includes(name))
    return refuseProposal(
      state,
      opened,
      `found the secondary metric ${quoted(name)}, which is ${isMeasured ? 'measured already' : 'unknown'}, expected one of ${available.join(', ')}`,
    );
  const metricId = commandIds.metric(id);
  return pay(
    state,
    [
      {
        type: 'SecondaryMetricProposed',
        data: { metricId, hypothesisId: standingHypothesis(state).hypothesisId, name },
      },
    ],
    { charge: 'metric', description: `measure ${name} as well`, paysFor: metricId },
  );
};

const requestData = ({ data: { dimensions, breaches, cells, people } }: RequestData): Decision =>
  breaches.length > 0
    ? events(halted('data-request', `INDIVIDUAL DATA WAS ASKED FOR: ${listed(breaches)}`, breaches))
    : events({ type: 'CohortsServed', data: { dimensions, cells, people } });

const cutOver = (state: RunState, opened: RunOpened['data'], { id }: CutOver): Decision => {
  const { trial, hypothesis } = state;
  if (trial === null || hypothesis === null)
    return refuse('not-now', 'no mutation was proposed; ask nextStep');
  const base = incumbent(state);
  const restorePointId = commandIds.restorePoint(id);
  return events(
    {
      type: 'RestorePointTaken',
      data: {
        restorePointId,
        mutationId: trial.mutationId,
        commit: base.commit,
        tree: base.tree,
        trainingId: base.trainingId,
        metric: base.metric,
        monitor: Object.entries(state.sums).map(([chart, { upper, lower }]) => ({
          chart,
          upper,
          lower,
        })),
        seed: opened.seed,
        budgetRemaining: state.budget.remaining,
      },
    },
    {
      type: 'MutationCutOver',
      data: {
        mutationId: trial.mutationId,
        restorePointId,
        fromTree: base.tree,
        toTree: trial.tree,
        domain: trial.domain,
        summary: trial.summary,
        why: hypothesis.statement,
      },
    },
    {
      type: 'TrainingLaunched',
      data: {
        trainingId: commandIds.training(id),
        purpose: 'candidate',
        mutationId: trial.mutationId,
        tree: trial.tree,
        seed: opened.seed,
        seconds: opened.policy.training.seconds,
      },
    },
  );
};

/** The keep rule's ruling on the candidate that was observed; null when there is none. */
export const rulingOf = (state: RunState): KeepRuling | null => {
  const difference = state.observation?.difference ?? null;
  return state.opened === null || difference === null
    ? null
    : pairedKeepRule(state.opened.policy, difference, state.seedDeviation);
};

const judge = (
  state: RunState,
  opened: RunOpened['data'],
  { data: { fairness } }: Judge,
): Decision => {
  const { trial, training, observation } = state;
  const ruling = rulingOf(state);
  if (trial === null || training === null || observation === null || ruling === null)
    return refuse('not-now', 'no candidate was observed; ask nextStep');
  const { mutationId } = trial;
  const reverted = (reason: 'not-better-than-noise' | 'post-loop-gate'): RunEvent => ({
    type: 'MutationReverted',
    data: { mutationId, reason, fromTree: trial.tree, toTree: trial.baseTree, ruling },
  });
  if (!isKept(ruling)) return events(reverted('not-better-than-noise'));
  if (fairness === null)
    return refuse('not-now', 'a keep needs the fairness report first; measure it and judge again');
  const gate = postLoopGate(fairness);
  const measured: RunEvent = {
    type: 'FairnessMeasured',
    data: { mutationId, trainingId: training.trainingId, report: fairness },
  };
  if (gate.breaches.length > 0)
    return events(
      measured,
      reverted('post-loop-gate'),
      halted('post-loop', `POST-LOOP GATE: ${listed(gate.breaches)}`, gate.breaches, mutationId),
    );
  return events(
    measured,
    {
      type: 'GatePassed',
      data: {
        gate: 'post-loop',
        policyDigest: opened.pins.policyDigest,
        mutationId,
        checks: gate.checks,
      },
    },
    {
      type: 'MutationKept',
      data: {
        mutationId,
        commit: trial.commit,
        tree: trial.tree,
        trainingId: training.trainingId,
        metric: observation.metric.value,
        ruling,
      },
    },
  );
};

const decide = (state: RunState, command: RunCommand): Decision => {
  const takenAt = TAKEN_AT[command.type];
  if (!takenAt.includes(state.node))
    return OVER.includes(state.node)
      ? refuse(
          'over',
          `${command.type}: the run is ${state.node}; nothing resumes it (open or fork a new one)`,
        )
      : refuse(
          'not-now',
          `${command.type} is taken at ${takenAt.join(', ')}; the run stands at "${state.node}"`,
        );
  if (command.type === 'OpenRun') return openRun(command);
  const { opened } = state;
  if (opened === null) throw new Error(`a run at "${state.node}" that was never opened`);
  switch (command.type) {
    case 'LaunchBaseline':
      return launchBaseline(state, opened, command.id);
    case 'RecordTraining':
      return recordTraining(state, command);
    case 'ObserveMetric':
      return observeMetric(state, opened, command);
    case 'ProposeHypothesis':
      return proposeHypothesis(state, command);
    case 'ProposeMutation':
      return proposeMutation(state, opened, command);
    case 'RefuseProposal':
      return refuseProposal(state, opened, command.data.reason);
    case 'ProposeSecondaryMetric':
      return proposeSecondaryMetric(state, command, opened);
    case 'RequestData':
      return requestData(command);
    case 'CutOver':
      return cutOver(state, opened, command);
    case 'Judge':
      return judge(state, opened, command);
    case 'FinishLoop':
      return events(loopEnded(state, 'finished', command.data.reason));
    case 'StopLoop':
      return events(loopEnded(state, 'stopped', command.data.reason));
    case 'HaltRun':
      return events(halted('human', `HALTED BY A HUMAN: ${command.data.reason}`, []));
    case 'SignRunHead':
      return events({ type: 'RunHeadSigned', data: command.data });
    case 'CloseRun':
      return events({ type: 'RunClosed', data: command.data });
    default:
      return unreachable(command);
  }
};

/** The run: one decider that composes budget, divergence, harness and mandate. */
export const runDecider: Decider<RunState, RunCommand, RunEvent, RunRefusalCode> = {
  initialState: INITIAL,
  decide,
  evolve,
};

/** Share of the run's budget that is used, 0 to 1. */
export const runUtilization = (state: RunState): number => utilization(state.budget);
