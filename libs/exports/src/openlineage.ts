import { deriveId, type ArtefactRef, type RecordedEvent } from '#libs/kernel';
import { linkTo, type FindingEvidence } from './evidence.ts';
import { jsonArrayBytes } from './json-text.ts';
import { nameOfBlob, nameOfTree } from './names.ts';
import { storyOf, type Story, type Training } from './story.ts';

/** Where our own facets are described: docs/reference/openlineage-facets.json. */
export const FACETS_SCHEMA = 'urn:holdfast:schema:openlineage-facets:1';
const PRODUCER = 'urn:holdfast:export:openlineage:1';
const RUN_EVENT = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';
const NAMESPACE = 'holdfast';

type EventType = 'START' | 'COMPLETE' | 'FAIL' | 'ABORT' | 'OTHER';

/** A facet of OpenLineage's own. */
const standard = (name: string, version: string, facet: object) => ({
  _producer: PRODUCER,
  _schemaURL: `https://openlineage.io/spec/facets/${version}/${name}.json#/$defs/${name}`,
  ...facet,
});

/** A facet of ours. */
const own = (name: string, facet: object) => ({
  _producer: PRODUCER,
  _schemaURL: `${FACETS_SCHEMA}#/$defs/${name}`,
  ...facet,
});

const versioned = (version: string) => ({
  facets: {
    version: standard('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: version }),
  },
});

const dataOf = ({ opened }: Story) => {
  const { dataDigest } = opened.data.pins;
  return { namespace: NAMESPACE, name: `data/${dataDigest}`, ...versioned(dataDigest) };
};

const treeOf = (oid: string) => ({
  namespace: NAMESPACE,
  name: nameOfTree(oid),
  ...versioned(oid),
});

const blobOf = ({ oid, sha256 }: ArtefactRef) => ({
  namespace: NAMESPACE,
  name: nameOfBlob(oid),
  ...versioned(sha256),
});

/** OpenLineage asks for UUIDs: they derive from our ids, which the facets tell. */
const runIdOf = (kind: 'run' | 'training', id: string): string => deriveId('openlineage', kind, id);

const job = (studyId: string, kind: 'loop' | 'training') => ({
  namespace: NAMESPACE,
  name: `${studyId}.${kind}`,
  facets: {
    jobType: standard('JobTypeJobFacet', '2-0-4', {
      processingType: 'BATCH',
      integration: 'HOLDFAST',
      jobType: kind.toUpperCase(),
    }),
  },
});

interface Said {
  readonly eventType: EventType;
  /** The event that it is about; it happened when that was recorded. */
  readonly of: RecordedEvent;
  readonly facets?: object;
  readonly inputs?: readonly object[];
  readonly outputs?: readonly object[];
}

/** A run event, with the place in the log of the event that it is about. */
interface Placed {
  readonly position: number;
  readonly runEvent: object;
}

const runEvent = (
  run: { readonly runId: string; readonly job: object; readonly facets: object },
  { eventType, of, facets = {}, inputs = [], outputs = [] }: Said,
): Placed => ({
  position: of.position,
  runEvent: {
    eventType,
    eventTime: of.metadata.time,
    producer: PRODUCER,
    schemaURL: RUN_EVENT,
    run: {
      runId: run.runId,
      facets: {
        ...run.facets,
        holdfast_event: own('HoldfastEventRunFacet', { type: of.type, ...linkTo(of) }),
        ...facets,
      },
    },
    job: run.job,
    inputs,
    outputs,
  },
});

/** The run as a whole: START when it opened, COMPLETE when its loop ended, OTHER for what was decided in it. */
const loopEvents = (story: Story): readonly Placed[] => {
  const { opened, loopEnded, attempts, reverts, proposed, verdicts, reviews, replays } = story;
  const { runId, studyId, environment } = opened.data;
  const run = {
    runId: runIdOf('run', runId),
    job: job(studyId, 'loop'),
    facets: {
      holdfast_run: own('HoldfastRunFacet', { run: runId }),
      processing_engine: standard('ProcessingEngineRunFacet', '1-1-1', {
        name: 'Holdfast',
        version: environment.holdfast,
      }),
    },
  };
  const say = (said: Said) => runEvent(run, said);
  const decision = (of: RecordedEvent, facet: object) =>
    say({
      eventType: 'OTHER',
      of,
      facets: { holdfast_decision: own('HoldfastDecisionRunFacet', facet) },
    });
  const { statistic, estimate, interval, n } = proposed.data.claim;
  return [
    say({
      eventType: 'START',
      of: opened,
      inputs: [dataOf(story), treeOf(opened.data.pins.tree)],
      outputs: story.released.map(blobOf),
    }),
    ...[...attempts.values()]
      .flatMap(({ decided }) => decided ?? [])
      .map((decided) =>
        decision(decided, {
          mutation: decided.data.mutationId,
          outcome: decided.type === 'MutationKept' ? 'kept' : 'reverted',
        }),
      ),
    ...reverts.map((reverted) =>
      decision(reverted, { undone: reverted.data.undone, outcome: 'run-reverted' }),
    ),
    ...(loopEnded === null
      ? []
      : [
          say({
            eventType: 'COMPLETE',
            of: loopEnded,
            outputs: [treeOf(loopEnded.data.tree)],
          }),
        ]),
    say({
      eventType: 'OTHER',
      of: proposed,
      facets: {
        holdfast_finding: own('HoldfastFindingRunFacet', {
          finding: proposed.data.findingId,
          claim: { statistic, estimate, lower: interval.lower, upper: interval.upper, n },
          verdicts: verdicts.length,
          reviews: reviews.length,
          replays: replays.length,
        }),
      },
      inputs: [dataOf(story), ...proposed.data.predictions.map(blobOf)],
      outputs: [treeOf(proposed.data.chain.toTree)],
    }),
    ...verdicts.map((verified) =>
      decision(verified, {
        finding: verified.data.findingId,
        outcome: verified.data.verdict === 'PASS' ? 'verified' : 'blocked',
      }),
    ),
    ...reviews.map((reviewed) =>
      decision(reviewed, {
        finding: reviewed.data.findingId,
        outcome: reviewed.data.decision,
      }),
    ),
    ...replays.map((replayed) =>
      say({
        eventType: 'OTHER',
        of: replayed,
        facets: {
          holdfast_replay: own('HoldfastReplayRunFacet', {
            finding: replayed.data.findingId,
            training: replayed.data.trainingId,
            class: replayed.data.class,
          }),
        },
      }),
    ),
  ];
};

const ENDS = {
  TrainingCompleted: 'COMPLETE',
  TrainingFailed: 'FAIL',
  TrainingTimedOut: 'ABORT',
} as const;

/** A training: START, how it ended where that is recorded, and its measurement, which came after it, as OTHER. */
const trainingEvents = (
  story: Story,
  { launched, ended, predictions, failure, observed }: Training,
): readonly Placed[] => {
  const { runId, studyId } = story.opened.data;
  const { trainingId, purpose, mutationId, tree, seed } = launched.data;
  const training = {
    runId: runIdOf('training', trainingId),
    job: job(studyId, 'training'),
    facets: {
      parent: standard('ParentRunFacet', '1-2-0', {
        run: { runId: runIdOf('run', runId) },
        job: { namespace: NAMESPACE, name: `${studyId}.loop` },
      }),
      holdfast_training: own('HoldfastTrainingRunFacet', {
        training: trainingId,
        purpose,
        mutation: mutationId,
        seed,
      }),
    },
  };
  const say = (said: Said) => runEvent(training, said);
  const inputs = [treeOf(tree), ...story.released.map(blobOf)];
  return [
    say({ eventType: 'START', of: launched, inputs }),
    ...(ended === null
      ? []
      : [
          say({
            eventType: ENDS[ended.type],
            of: ended,
            facets:
              failure === null
                ? {}
                : { holdfast_failure: own('HoldfastFailureRunFacet', { failure }) },
            inputs,
            outputs: predictions === null ? [] : [blobOf(predictions)],
          }),
        ]),
    ...(observed === null
      ? []
      : [
          say({
            eventType: 'OTHER',
            of: observed,
            facets: {
              holdfast_observation: own('HoldfastObservationRunFacet', {
                metric: observed.data.observation.metric,
              }),
            },
          }),
        ]),
  ];
};

/**
 * A finding's run and its trainings as OpenLineage run events (spec 2-0-2), in the order of the log. A training whose end
 * is not recorded has a START alone.
 */
export const openLineageOf = (evidence: FindingEvidence): Uint8Array => {
  const story = storyOf(evidence);
  const placed = [
    ...loopEvents(story),
    ...story.trainings.flatMap((training) => trainingEvents(story, training)),
  ];
  return jsonArrayBytes(
    placed.toSorted((a, b) => a.position - b.position),
    (one) => one.runEvent,
  );
};
