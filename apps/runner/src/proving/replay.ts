import canonicalize from 'canonicalize';
import { cellCount } from '#libs/harness';
import { observe, parsePredictions } from '#libs/evaluator';
import type { TrainingProgress } from '#libs/jobs';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
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
import { readStudy } from '#libs/studies';
import { trainingJob } from '../effects/train.ts';
import { recallStudyFile, type Home } from '../home.ts';
import { openStudy, pinnedBy } from '../opening/open-study.ts';

/** One thing that was done again, and what came of it. */
export interface ReplayRow {
  readonly row: 'environment' | 'predictions' | 'metric';
  /** `attested`: not checked here, the operator's word. */
  readonly outcome: 'same' | 'within-tolerance' | 'differs' | 'attested';
  readonly found: string;
  readonly expected: string;
}

export interface Replay {
  readonly findingId: string;
  readonly tree: string;
  readonly steps: number;
  readonly class: ReplayComparison['class'];
  readonly rows: readonly ReplayRow[];
}

/** Predictions this close (absolute, in probability) count as the same training on another machine. */
const TOLERANCE = 1e-9;

/**
 * Materialises the finding's pinned tree, trains it for the recorded steps with the recorded seed, and compares the
 * predictions; where the study's rows are at hand, the metric too.
 */
export const replayFinding = async (
  home: Home,
  findingId: string,
  onProgress: (progress: TrainingProgress) => void,
): Promise<Result<Replay, Refusal>> => {
  const { state } = await home.findings.load(findingId);
  if (state.proposed === null)
    return refused({
      code: 'finding-unknown',
      message: `found no finding ${findingId}; list them with: holdfast findings`,
    });
  const { chain } = state.proposed;
  const recorded = await recordedTraining(home, chain.runId, chain.mutations.at(-1) ?? null);
  const { opened } = (await home.runs.load(chain.runId)).state;
  if (recorded === null || opened === null)
    return refused({
      code: 'training-absent',
      message: `run ${chain.runId} holds no completed training for ${findingId}; verify it with: holdfast verify ${findingId}`,
    });
  const queue = await home.queue();
  if (!queue.ok) return queue;

  const { launched, completed, observed } = recorded;
  const again = await queue.value.run(
    trainingJob(
      opened,
      { ...launched, trainingId: `${launched.trainingId}-replay` },
      completed.steps,
    ),
    onProgress,
  );
  const cells = cellCount(cohortDimensions(opened));
  const read = async (oid: string) => {
    const content = await home.sourceTree.readFile(oid);
    return content.ok ? parsePredictions(content.value, cells) : content;
  };
  const then = await read(completed.predictions.oid);
  if (!then.ok) return then;
  const now = again.type === 'TrainingCompleted' ? await read(again.data.predictions.oid) : null;
  const comparison: ReplayComparison =
    now?.ok === true
      ? comparePredictions(then.value, now.value, TOLERANCE)
      : {
          class: 'not-reproducible',
          largestDifference: null,
          found:
            again.type === 'TrainingCompleted' ? 'predictions that cannot be read' : again.type,
        };
  return ok({
    findingId,
    tree: launched.tree,
    steps: completed.steps,
    class: comparison.class,
    rows: [
      await environmentRow(home, opened.environment),
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
      await metricRow(home, opened, observed, now?.ok === true ? now.value : null),
    ],
  });
};

interface Recorded {
  readonly launched: TrainingLaunched['data'];
  readonly completed: TrainingCompleted['data'];
  readonly observed: MetricObserved['data'];
}

/** The training that stands for a kept mutation, as the run recorded it. */
const recordedTraining = async (
  { log }: Home,
  runId: string,
  mutationId: string | null,
): Promise<Recorded | null> => {
  let launched: TrainingLaunched['data'] | null = null;
  let completed: TrainingCompleted['data'] | null = null;
  for await (const { type, data } of log.readStream<RunEvent>(`run-${runId}`)) {
    const event = { type, data } as RunEvent;
    if (event.type === 'TrainingLaunched') launched = event.data;
    if (event.type === 'TrainingCompleted') completed = event.data;
    if (
      event.type === 'MetricObserved' &&
      event.data.mutationId === mutationId &&
      (event.data.purpose === 'baseline' || event.data.purpose === 'candidate') &&
      launched !== null &&
      completed !== null
    )
      return { launched, completed, observed: event.data };
  }
  return null;
};

const environmentRow = async (
  { environment }: Home,
  recorded: EnvironmentRecord,
): Promise<ReplayRow> => {
  const here = await environment();
  const say = ({ holdfast, runtime, platform, architecture }: typeof recorded): string =>
    `holdfast ${holdfast}, ${runtime.name} ${runtime.version} (${runtime.sha256.slice(0, 12)}), ${platform} ${architecture}`;
  const same = canonicalize(here) === canonicalize(recorded);
  return {
    row: 'environment',
    outcome: same ? 'same' : 'differs',
    found: say(here),
    expected: say(recorded),
  };
};

/** The metric needs the study's rows: without them it stays the operator's word. */
const metricRow = async (
  home: Home,
  opened: RunOpened['data'],
  { observation }: MetricObserved['data'],
  predictions: Float64Array | null,
): Promise<ReplayRow> => {
  const { value } = observation.metric;
  const expected = `${observation.metric.name} ${value}`;
  const attested = (why: string): ReplayRow => ({
    row: 'metric',
    outcome: 'attested',
    found: `not recomputed (${why}): the operator's word`,
    expected,
  });
  if (predictions === null) return attested('the training could not be done again');
  const file = await recallStudyFile(home, opened.studyId);
  if (!file.ok) return attested("the study's rows are not at hand");
  const onDisk = await readStudy(file.value);
  if (!onDisk.ok) return attested("the study's file is not at hand");
  const study = await openStudy(home, onDisk.value.folder, opened.policy, pinnedBy(opened));
  if (!study.ok) return attested(study.error.message);
  const { dev, check } = study.value.vault.counts;
  const again = observe({
    predictions,
    incumbent: null,
    dev: dev.cells,
    check: check.cells,
    minimumCell: opened.policy.data.minimumCell,
    secondary: [],
  }).metric.value;
  return {
    row: 'metric',
    outcome:
      again === value
        ? 'same'
        : Math.abs(again - value) <= TOLERANCE
          ? 'within-tolerance'
          : 'differs',
    found: `${observation.metric.name} ${again}`,
    expected,
  };
};
