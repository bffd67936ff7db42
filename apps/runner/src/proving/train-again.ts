import { observe, parsePredictions } from '#libs/evaluator';
import type { ReplayClass, ReplayRow } from '#libs/findings';
import type { TrainingProgress, TrainingQueue } from '#libs/jobs';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { comparePredictions, type ReplayComparison } from '#libs/provenance';
import {
  cohortDimensions,
  type EnvironmentRecord,
  type MetricObserved,
  type RunEvent,
  type RunOpened,
  type TrainingCompleted,
  type TrainingLaunched,
} from '#libs/run';
import type { SourceTree } from '#libs/source-tree';
import { cellCount } from '#libs/harness';
import { trainingJob } from '../effects/train.ts';
import { tooWeak } from '../opening/demanded-layers.ts';

/** A training was done again: what came of it. */
export interface Replay {
  readonly findingId: string;
  /** The recorded training. */
  readonly trainingId: string;
  readonly tree: string;
  readonly steps: number;
  readonly class: ReplayClass;
  readonly rows: readonly ReplayRow[];
  /** What it was trained on this time. */
  readonly environment: EnvironmentRecord;
  /** SHA-256 of the predictions' file; found: null where the training gave none that can be read. */
  readonly predictions: { readonly found: string | null; readonly expected: string };
}

/** A training that stands for a finding, as its run recorded it. */
export interface RecordedTraining {
  readonly opened: RunOpened['data'];
  readonly launched: TrainingLaunched['data'];
  readonly completed: TrainingCompleted['data'];
  readonly observed: MetricObserved['data'];
}

/** Counts of the rows that a metric was measured on, by cell. */
export interface MeasuredRows {
  readonly dev: Parameters<typeof observe>[0]['dev'];
  readonly check: Parameters<typeof observe>[0]['check'];
}

/** What training again needs of the world. */
export interface ReplayWorld {
  /** Holds the program's tree, the released cohorts and the recorded predictions; takes what the training leaves. */
  readonly sourceTree: Pick<SourceTree, 'readFile'>;
  readonly queue: () => Promise<Result<TrainingQueue, Refusal>>;
  readonly environment: () => Promise<EnvironmentRecord>;
  /** The rows of the study, or why they are not at hand. */
  readonly measuredRows: (opened: RunOpened['data']) => Promise<Result<MeasuredRows, Refusal>>;
  readonly onProgress: (progress: TrainingProgress) => void;
}

/** Predictions this close (absolute, in probability) count as the same training on another machine. */
const TOLERANCE = 1e-9;

/** The training that stands for a kept mutation, out of its run's events; null where there is none. */
export const recordedTraining = async (
  events: AsyncIterable<Pick<RunEvent, 'type' | 'data'>>,
  mutationId: string | null,
): Promise<RecordedTraining | null> => {
  let opened: RunOpened['data'] | null = null;
  let launched: TrainingLaunched['data'] | null = null;
  let completed: TrainingCompleted['data'] | null = null;
  for await (const { type, data } of events) {
    const event = { type, data } as RunEvent;
    if (event.type === 'RunOpened') opened = event.data;
    if (event.type === 'TrainingLaunched') launched = event.data;
    if (event.type === 'TrainingCompleted') completed = event.data;
    if (
      event.type === 'MetricObserved' &&
      event.data.mutationId === mutationId &&
      (event.data.purpose === 'baseline' || event.data.purpose === 'candidate') &&
      opened !== null &&
      launched !== null &&
      completed?.trainingId === launched.trainingId
    )
      return { opened, launched, completed, observed: event.data };
  }
  return null;
};

/**
 * Trains a recorded training again from its tree, with its seed and for its steps, and compares the predictions; the
 * metric too, where the rows are at hand. Refused where no place has the layers that the study demands: nothing is
 * trained then.
 */
export const trainAgain = async (
  { sourceTree, queue: openQueue, environment, measuredRows, onProgress }: ReplayWorld,
  findingId: string,
  { opened, launched, completed, observed }: RecordedTraining,
): Promise<Result<Replay, Refusal>> => {
  const queue = await openQueue();
  if (!queue.ok) return queue;
  const weak = await tooWeak({ queue: openQueue, environment }, opened.policy);
  if (weak !== null) return weak;
  const cells = cellCount(cohortDimensions(opened));
  const read = async (oid: string) => {
    const content = await sourceTree.readFile(oid);
    return content.ok ? parsePredictions(content.value, cells) : content;
  };
  const then = await read(completed.predictions.oid);
  if (!then.ok) return then;

  const again = await queue.value.run(
    trainingJob(
      opened,
      { ...launched, trainingId: `${launched.trainingId}-replay` },
      completed.steps,
    ),
    onProgress,
  );
  const predicted = again.type === 'TrainingCompleted' ? again.data.predictions : null;
  const now = predicted === null ? null : await read(predicted.oid);
  const comparison: ReplayComparison =
    now?.ok === true
      ? comparePredictions(then.value, now.value, TOLERANCE)
      : {
          class: 'not-reproducible',
          largestDifference: null,
          found: predicted === null ? again.type : 'predictions that cannot be read',
        };
  const here = await environment();
  return ok({
    findingId,
    trainingId: launched.trainingId,
    tree: launched.tree,
    steps: completed.steps,
    class: comparison.class,
    environment: here,
    predictions: {
      found: now?.ok === true ? (predicted?.sha256 ?? null) : null,
      expected: completed.predictions.sha256,
    },
    rows: [
      environmentRow(here, opened.environment),
      {
        row: 'predictions',
        outcome:
          comparison.class === 'bit-exact'
            ? 'same'
            : comparison.class === 'within-tolerance'
              ? 'within-tolerance'
              : 'differs',
        found: comparison.found,
        expected: `the recorded predictions (${completed.predictions.sha256.slice(0, 12)})`,
      },
      metricRow(opened, observed, await measuredRows(opened), now?.ok === true ? now.value : null),
    ],
  });
};

/** Every member of an environment, by its name. */
const membersOf = ({ holdfast, runtime, platform, architecture }: EnvironmentRecord) =>
  ({
    holdfast,
    runtime: runtime.name,
    'runtime version': runtime.version,
    'runtime SHA-256': runtime.sha256,
    platform,
    architecture,
  }) as const;

const shown = (members: readonly (readonly [string, string])[]): string =>
  members.map(([name, value]) => `${name} ${value}`).join(', ');

/** Where they differ, the members that do; where not, all of them. */
export const environmentRow = (here: EnvironmentRecord, recorded: EnvironmentRecord): ReplayRow => {
  const then = membersOf(recorded);
  const found = Object.entries(membersOf(here));
  const differ = found.filter(([name, value]) => then[name as keyof typeof then] !== value);
  const named = new Set((differ.length === 0 ? found : differ).map(([name]) => name));
  return {
    row: 'environment',
    outcome: differ.length === 0 ? 'same' : 'differs',
    found: shown(found.filter(([name]) => named.has(name))),
    expected: shown(Object.entries(then).filter(([name]) => named.has(name))),
  };
};

/** The metric needs the study's rows: without them it stays the operator's word. */
const metricRow = (
  { policy }: RunOpened['data'],
  { observation }: MetricObserved['data'],
  rows: Result<MeasuredRows, Refusal>,
  predictions: Float64Array | null,
): ReplayRow => {
  const { name, value } = observation.metric;
  const expected = `${name} ${value}`;
  if (predictions === null || !rows.ok) {
    const why =
      predictions === null || rows.ok ? 'the training could not be done again' : rows.error.message;
    return {
      ...{ row: 'metric', outcome: 'attested', expected },
      found: `not recomputed (${why}): the operator's word`,
    };
  }
  const again = observe({
    ...{ predictions, incumbent: null, secondary: [], ...rows.value },
    minimumCell: policy.data.minimumCell,
  }).metric.value;
  return {
    row: 'metric',
    outcome:
      again === value
        ? 'same'
        : Math.abs(again - value) <= TOLERANCE
          ? 'within-tolerance'
          : 'differs',
    found: `${name} ${again}`,
    expected,
  };
};
