import {
  POLICY_VERSION,
  type FairnessReport,
  type FileChange,
  type HarnessPolicy,
  type Observation,
} from '#libs/harness';
import { examplePolicy } from '../../../harness/src/testing/policy.ts';
import { fold, type ArtefactRef, type Signature } from '#libs/kernel';
import type {
  CutOver,
  Judge,
  LaunchBaseline,
  ObserveMetric,
  OpenRun,
  ProposeHypothesis,
  ProposeMutation,
  RecordTraining,
  RunCommand,
} from '../commands.ts';
import { runDecider } from '../decider.ts';
import { commandIds } from '../deciding/outcome.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import type { RunState } from '../state.ts';

/** A policy with two charts and two seeds, whose budget buys a little. */
export const POLICY: HarnessPolicy = {
  ...examplePolicy,
  budget: { ...examplePolicy.budget, total: 100 },
};

/** The same policy with more to spend. */
export const RICH: HarnessPolicy = { ...POLICY, budget: { ...POLICY.budget, total: 1000 } };

const SIGNATURE: Signature = { keyId: 'worker', value: '' };
const file = (path: string): ArtefactRef => ({
  path,
  oid: `blob of ${path}`,
  sha256: '',
  bytes: 1,
});

export const openedWith = (policy: HarnessPolicy): RunOpened['data'] => ({
  runId: 'pay-1',
  studyId: 'pay',
  number: 1,
  pins: {
    commit: 'study commit',
    tree: 'source tree',
    path: 'program',
    pinCommit: 'source commit',
    proof: 'proof',
    policyDigest: 'policy digest',
    dataDigest: 'data digest',
    environmentDigest: 'environment digest',
    splitCommitment: 'commitment',
  },
  policy,
  environment: {
    holdfast: '0.1.0',
    runtime: { name: 'node', version: '24.0.0', sha256: '' },
    platform: 'linux',
    architecture: 'x64',
  },
  keys: {
    runner: { keyId: 'runner', publicKey: '' },
    worker: { keyId: 'worker', publicKey: '' },
  },
  seed: 7,
  governance: { governed: true, reason: 'the agent runs as a user of its own' },
  cohorts: {
    tree: 'cohorts',
    table: file('train.csv'),
    cells: file('cells.csv'),
    minimumCell: 11,
    dimensions: [{ name: 'region', labels: ['n', 's'] }],
    coarsened: 0,
    audit: { totals: 'told', complementary: 0, kinds: 1 },
    released: { cells: 16, people: 5000 },
    suppressed: { cells: 1, people: 4 },
    people: { train: 5004, dev: 2000, check: 1500, sealed: 1000 },
  },
  forkedFrom: null,
});

export const CHECK = { rule: 'minimum-rows', passed: true, found: '1000', expected: '100' };

export const open = (policy = POLICY, checks = [CHECK]): OpenRun => ({
  type: 'OpenRun',
  id: 'open',
  data: { opened: openedWith(policy), checks },
});

export const launchBaseline = (name: string): LaunchBaseline => ({
  type: 'LaunchBaseline',
  id: name,
  data: {},
});

/** The ids of what is named after its command. */
export const trainingOf = (name: string): string => commandIds.training(name);
export const mutationOf = (name: string): string => commandIds.mutation(`mutation ${name}`);
export const hypothesisOf = (name: string): string => commandIds.hypothesis(`hypothesis ${name}`);

const ended = (name: string) => ({
  trainingId: trainingOf(name),
  durationMs: 1200,
  artefacts: `artefacts of ${name}`,
  log: file('log.txt'),
  isolation: { kind: 'bubblewrap' },
  signature: SIGNATURE,
});

export const trained = (name: string): RecordTraining => ({
  type: 'RecordTraining',
  id: `trained ${name}`,
  data: {
    worker: null,
    result: {
      type: 'TrainingCompleted',
      data: { ...ended(name), steps: 2000, predictions: file(`${name}.csv`), selfReported: null },
    },
  },
});

/** The same command with its result signed by another worker, which is enlisted if `worker` is given. */
export const signedBy = (
  command: RecordTraining,
  keyId: string,
  worker: RecordTraining['data']['worker'] = null,
): RecordTraining => {
  const { result } = command.data;
  const data = { ...result.data, signature: { ...result.data.signature, keyId } };
  return { ...command, data: { worker, result: { ...result, data } as typeof result } };
};

export const crashed = (name: string): RecordTraining => ({
  type: 'RecordTraining',
  id: `crashed ${name}`,
  data: {
    worker: null,
    result: {
      type: 'TrainingFailed',
      data: {
        ...ended(name),
        failure: 'crashed',
        detail: 'exit code 1: TypeError',
        errorClass: 'TypeError',
        errorFile: 'features.json',
        errorLine: 3,
        note: null,
      },
    },
  },
});

export const timedOut = (name: string): RecordTraining => ({
  type: 'RecordTraining',
  id: `timed out ${name}`,
  data: {
    worker: null,
    result: { type: 'TrainingTimedOut', data: { ...ended(name), seconds: 5 } },
  },
});

/** Adding 0 takes the sign from a zero, which JSON does not carry. */
const estimate = (name: string, value: number, standardError: number) => ({
  name,
  value: value + 0,
  standardError,
  n: 2000,
});

/** `gain`: share of the incumbent's log-loss that it takes away. `gap`: in standard errors. */
export interface Measured {
  readonly metric?: number;
  readonly gain?: number;
  readonly gap?: number | null;
}

export const baselineMeasured = (name: string, metric = 0.7): ObserveMetric => ({
  type: 'ObserveMetric',
  id: `observed ${name}`,
  data: {
    trainingId: trainingOf(name),
    observation: observation(metric, null, null),
    overSeeds: null,
  },
});

/** The incumbent, measured again. */
export const remeasured = baselineMeasured;

export const measured = (
  name: string,
  { metric = 0.7, gain = 0, gap = 0 }: Measured,
): ObserveMetric => ({
  type: 'ObserveMetric',
  id: `observed ${name}`,
  data: {
    trainingId: trainingOf(name),
    observation: observation(metric * (1 - gain), -metric * gain, gap),
    overSeeds: estimate('log-loss', -metric * gain, 0.001),
  },
});

/** The name of the training that the observation of another one launches: the next seed, or the incumbent's. */
export const after = (name: string): string => `observed ${name}`;

/** A replicate's result; `over` is the gain over all seeds so far. */
export const replicateMeasured = (
  name: string,
  { metric = 0.7, gain = 0, gap = 0 }: Measured,
  over = gain,
): ObserveMetric => {
  const { data, ...command } = measured(name, { metric, gain, gap });
  return {
    ...command,
    data: { ...data, overSeeds: estimate('log-loss', -metric * over, 0.001) },
  };
};

export const observation = (
  metric: number,
  difference: number | null,
  gap: number | null,
): Observation => ({
  metric: estimate('log-loss', metric, 0.01),
  auc: null,
  secondary: [],
  difference: difference === null ? null : estimate('log-loss', difference, 0.001),
  check: null,
  gapChange: gap === null ? null : estimate('gap-change', gap * 0.002, 0.002),
  cells: { scored: 10, suppressed: 0 },
});

export const hypothesis = (name: string, statement = 'Experience matters.'): ProposeHypothesis => ({
  type: 'ProposeHypothesis',
  id: `hypothesis ${name}`,
  data: { statement, expectedEffect: 0.02 },
});

export const edited = (path: string, text: string | null = '{}'): FileChange => ({
  path,
  kind: 'modified',
  before: 'before',
  after: 'after',
  mode: '100644',
  textBefore: null,
  text,
});

export const mutation = (
  name: string,
  changes: readonly FileChange[] = [edited('hyperparameters.json')],
  summary = 'a smaller step',
  baseTree = 'source tree',
): ProposeMutation => ({
  type: 'ProposeMutation',
  id: `mutation ${name}`,
  data: {
    summary,
    declaredDomain: 'hyperparameter',
    baseTree,
    commit: `commit of ${name}`,
    tree: `tree of ${name}`,
    changes,
  },
});

/** Its training has the same name. */
export const cutOver = (name: string): CutOver => ({
  type: 'CutOver',
  id: name,
  data: { mutationId: mutationOf(name) },
});

export const fairness = (passed = true): FairnessReport => ({
  threshold: 0.5,
  favourable: 'positive',
  label: 'positive',
  decide: 'interval',
  level: 0.95,
  groups: [],
  measures: [
    {
      attribute: 'ethnicity',
      measure: 'disparate-impact',
      value: passed ? 0.91 : 0.42,
      standardError: 0.03,
      interval: {
        lower: passed ? 0.84 : 0.35,
        upper: passed ? 0.98 : 0.51,
        pair: ['afam', 'cauc'],
        limit: ['afam', 'cauc'],
      },
      reason: null,
      bound: 'at least 4/5',
      passed,
    },
  ],
});

export const judge = (name: string, report: FairnessReport | null = fairness()): Judge => ({
  type: 'Judge',
  id: `judge ${name}`,
  data: { mutationId: mutationOf(name), fairness: report },
});

/** Up to an incumbent: the unchanged program. */
export const established = (policy = POLICY): readonly RunCommand[] => [
  open(policy),
  ...Array.from({ length: policy.replicates }, (_, seed) => `baseline ${seed}`).flatMap((name) => [
    launchBaseline(name),
    trained(name),
    baselineMeasured(name),
  ]),
];

/** Up to a candidate in training. */
export const onTrial = (name: string): readonly RunCommand[] => [
  hypothesis(name),
  mutation(name),
  cutOver(name),
];

/** The other seeds of a candidate that beats noise at its first look. */
export const replicated = (
  name: string,
  result: Measured,
  { replicates }: HarnessPolicy = POLICY,
): readonly RunCommand[] =>
  Array.from({ length: replicates - 1 }).flatMap((_, index) => {
    const again = Array.from({ length: index + 1 }).reduce<string>(after, name);
    return [trained(again), replicateMeasured(again, result)];
  });

/** A whole iteration whose result is plausible, with the other seeds where the first look asks for them. */
export const iteration = (
  name: string,
  result: Measured,
  policy: HarnessPolicy = POLICY,
): readonly RunCommand[] => [
  ...onTrial(name),
  trained(name),
  measured(name, result),
  ...((result.gain ?? 0) > 0.01 ? replicated(name, result, policy) : []),
  judge(name),
];

/** The command as an edge that has loaded the run sends it: about the state and the mutation that it found. */
export const addressed = (state: RunState, command: RunCommand): RunCommand => {
  const { trial, line } = state;
  if (command.type === 'ProposeMutation')
    return { ...command, data: { ...command.data, baseTree: line.last()?.tree ?? '' } };
  if (trial === null) return command;
  const { mutationId } = trial;
  if (command.type === 'CutOver') return { ...command, data: { mutationId } };
  if (command.type === 'Judge') return { ...command, data: { ...command.data, mutationId } };
  return command;
};

/** No run is opened under version 1 any more: the first event of one is what its upcaster makes of it. */
const openedThen = ({ data, ...command }: OpenRun): readonly RunEvent[] => {
  const { opened } = data;
  const today = { ...opened, policy: { ...opened.policy, version: POLICY_VERSION } } as const;
  return past({ ...command, data: { ...data, opened: today } }).map((event) =>
    event.type === 'RunOpened' ? { ...event, data: opened } : event,
  );
};

/** The events of commands, each of which must be taken. */
export const past = (...commands: readonly RunCommand[]): readonly RunEvent[] =>
  commands.reduce<readonly RunEvent[]>((events, command) => {
    if (command.type === 'OpenRun' && command.data.opened.policy.version === 1)
      return [...events, ...openedThen(command)];
    const state = fold(runDecider, events);
    const decision = runDecider.decide(state, addressed(state, command));
    if (!decision.ok) throw new Error(`${command.id}: ${decision.error.message}`);
    return [...events, ...decision.value];
  }, []);
