import type { Actor, ArtefactRef, RecordedEvent } from '#libs/kernel';
import { placeOf, recorded, type FindingEvidence } from './evidence.ts';
import { jsonBytes } from './json-text.ts';
import { nameOf, nameOfActor, nameOfBlob, nameOfCommit, nameOfTree } from './names.ts';
import { storyOf, type Attempt, type Story, type Training } from './story.ts';

const CONTEXT = [
  'https://w3id.org/ro/crate/1.1/context',
  'https://w3id.org/ro/terms/workflow-run/context',
];
const RO_CRATE = 'https://w3id.org/ro/crate/1.1';
const PROFILE = 'https://w3id.org/ro/wfrun/process/0.5';
const NO_LICENCE = '#licence';

/** An entity of the graph, in JSON-LD. */
type Entity = Readonly<Record<string, unknown>>;
interface Reference {
  readonly '@id': string;
}

const to = (id: string): Reference => ({ '@id': id });
const status = (which: 'Completed' | 'Failed' | 'Active') => ({
  actionStatus: `http://schema.org/${which}ActionStatus`,
});
/** The same moment with its offset in digits, as validators of the profile ask for it. */
const momentOf = ({ metadata }: RecordedEvent): string => metadata.time.replace(/Z$/, '+00:00');

/** A graph under way: what is said twice of the same thing stands in it once, as it was said first. */
const crateGraph = () => {
  const entities = new Map<string, Entity>();
  const add = (id: string, entity: Entity): Reference => {
    if (!entities.has(id)) entities.set(id, { '@id': id, ...entity });
    return to(id);
  };
  /** The events that an entity rests on, those that the log holds, each with the hash of its stored bytes. */
  const restsOn = (...events: readonly (RecordedEvent | null)[]): Entity => ({
    subjectOf: recorded(events).map((event) =>
      add(nameOf('event', placeOf(event)), {
        '@type': 'CreativeWork',
        name: `${event.type}, ${placeOf(event)}`,
        identifier: placeOf(event),
        dateCreated: event.metadata.time,
        sha256: event.hash,
      }),
    ),
  });
  return {
    add,
    restsOn,
    file: ({ oid, path, bytes, sha256 }: ArtefactRef): Reference =>
      add(nameOfBlob(oid), {
        '@type': 'File',
        name: path,
        contentSize: String(bytes),
        sha256,
      }),
    program: (oid: string): Reference =>
      add(nameOfTree(oid), { '@type': 'SoftwareSourceCode', name: `program, git tree ${oid}` }),
    all: (): readonly Entity[] => [...entities.values()],
  };
};
type CrateGraph = ReturnType<typeof crateGraph>;

const holdfast = ({ add }: CrateGraph, { opened }: Story): Reference =>
  add(nameOf('runner', opened.data.keys.runner.keyId), {
    '@type': 'SoftwareApplication',
    name: 'Holdfast',
    softwareVersion: opened.data.environment.holdfast,
  });

/** Whoever did something, under a role and an opaque id. Only agents and the harness are software by their role. */
const someone = ({ add }: CrateGraph, who: Actor): Reference =>
  add(nameOf('agent', nameOfActor(who)), {
    '@type': who.role === 'agent' || who.role === 'harness' ? 'SoftwareApplication' : 'Person',
    name: nameOfActor(who),
  });

const runAction = (graph: CrateGraph, story: Story): Reference => {
  const { opened, loopEnded } = story;
  const { runId, pins, environment } = opened.data;
  const { runtime } = environment;
  const { add, restsOn, program, file } = graph;
  return add(nameOf('run', runId), {
    '@type': 'CreateAction',
    name: `run ${runId}`,
    instrument: holdfast(graph, story),
    object: [
      add(nameOfCommit(pins.commit), {
        '@type': 'SoftwareSourceCode',
        name: `source, git commit ${pins.commit}`,
      }),
      program(pins.tree),
      add(nameOf('data', pins.dataDigest), {
        '@type': 'CreativeWork',
        name: 'data of the study',
        sha256: pins.dataDigest,
      }),
      add(nameOf('policy', pins.policyDigest), {
        '@type': 'CreativeWork',
        name: 'policy of the harness',
        sha256: pins.policyDigest,
      }),
      add(nameOf('environment', pins.environmentDigest), {
        '@type': 'CreativeWork',
        name: `environment: ${runtime.name} ${runtime.version}, ${environment.platform} ${environment.architecture}`,
        sha256: pins.environmentDigest,
      }),
    ],
    result: [
      ...story.released.map(file),
      ...(loopEnded === null ? [] : [program(loopEnded.data.tree)]),
    ],
    startTime: momentOf(opened),
    ...(loopEnded === null
      ? { ...status('Active'), description: 'The end of the loop is not recorded.' }
      : { endTime: momentOf(loopEnded), ...status('Completed') }),
    ...restsOn(opened, loopEnded),
  });
};

const outcomeOf = ({ decided, undone }: Attempt): string => {
  if (decided?.type === 'MutationReverted') return `Reverted: ${decided.data.reason}.`;
  if (undone !== null)
    return `${decided === null ? 'T' : 'Kept, then t'}aken back by a revert of the run.`;
  return decided === null ? 'No decision on it is recorded.' : 'Kept.';
};

/** Of an action that ended with the event that records it. */
const completed = ({ restsOn }: CrateGraph, event: RecordedEvent) => ({
  endTime: momentOf(event),
  ...status('Completed'),
  ...restsOn(event),
});

const attemptAction = (graph: CrateGraph, attempt: Attempt): Reference => {
  const { add, restsOn, program } = graph;
  const { proposed, cutOver, decided, undone } = attempt;
  const { mutationId, number, baseTree, proposedTree } = proposed.data;
  return add(nameOf('mutation', mutationId), {
    '@type': 'CreateAction',
    name: `attempt ${number}`,
    description: outcomeOf(attempt),
    instrument: someone(graph, proposed.metadata.actor),
    object: program(baseTree),
    result: program(proposedTree),
    endTime: momentOf(proposed),
    ...status('Completed'),
    ...restsOn(proposed, cutOver, decided, undone),
  });
};

const ENDS = {
  TrainingCompleted: 'Completed',
  TrainingFailed: 'Failed',
  TrainingTimedOut: 'Failed',
} as const;

const trainingActions = (
  graph: CrateGraph,
  story: Story,
  { launched, ended, predictions, failure, observed }: Training,
): readonly Reference[] => {
  const { add, restsOn, program, file } = graph;
  const { trainingId, purpose, tree, seed } = launched.data;
  const predicted = predictions === null ? [] : [file(predictions)];
  const training = add(nameOf('training', trainingId), {
    '@type': 'CreateAction',
    name: `training, ${purpose}, seed ${seed}`,
    instrument: program(tree),
    object: story.released.map(file),
    startTime: momentOf(launched),
    ...(ended === null
      ? { ...status('Active'), description: 'The end of this training is not recorded.' }
      : {
          result: [...predicted, file(ended.data.log)],
          endTime: momentOf(ended),
          ...status(ENDS[ended.type]),
          ...(ENDS[ended.type] === 'Failed' && { error: failure ?? 'timed-out' }),
        }),
    ...restsOn(launched, ended),
  });
  if (observed === null) return [training];
  const { name, value, n } = observed.data.observation.metric;
  return [
    training,
    add(nameOf('measurement', trainingId), {
      '@type': 'CreateAction',
      name: `measurement of a training, ${purpose}, seed ${seed}`,
      instrument: holdfast(graph, story),
      object: predicted,
      result: add(nameOf('observation', trainingId), {
        '@type': 'PropertyValue',
        name,
        value,
        description: `n = ${n}`,
      }),
      ...completed(graph, observed),
    }),
  ];
};

/** What has been said of the finding since; what was not says so. */
const standingOf = ({ verdicts, reviews, replays, discarded }: Story): string =>
  [
    `verdict: ${verdicts.at(-1)?.data.verdict ?? 'not recorded'}`,
    `review: ${reviews.at(-1)?.data.decision ?? 'not recorded'}`,
    `replay: ${replays.at(-1)?.data.class ?? 'not recorded'}`,
    ...(discarded === null ? [] : ['discarded']),
  ].join('; ');

const findingActions = (graph: CrateGraph, story: Story): readonly Reference[] => {
  const { add, restsOn, program, file } = graph;
  const { proposed, verdicts, reviews, replays } = story;
  const { findingId, claim, chain, predictions } = proposed.data;
  const finding = add(nameOf('finding', findingId), {
    '@type': 'CreativeWork',
    name: `finding ${findingId}`,
    creativeWorkStatus: standingOf(story),
    isBasedOn: [program(chain.fromTree), program(chain.toTree)],
    about: add(`#${findingId}-claim`, {
      '@type': 'PropertyValue',
      name: claim.statistic,
      value: claim.estimate,
      minValue: claim.interval.lower,
      maxValue: claim.interval.upper,
      description: `${claim.interval.level * 100} % interval; n = ${claim.n}`,
    }),
    ...restsOn(proposed),
  });
  const scoring = add(nameOf('scoring', findingId), {
    '@type': 'CreateAction',
    name: `scoring of finding ${findingId}`,
    instrument: holdfast(graph, story),
    object: predictions.map(file),
    result: finding,
    ...completed(graph, proposed),
  });
  const verifications = verdicts.map((verified) =>
    add(nameOf('verification', placeOf(verified)), {
      '@type': 'CreateAction',
      name: `verification of finding ${findingId}`,
      instrument: holdfast(graph, story),
      object: finding,
      result: add(nameOf('verdict', placeOf(verified)), {
        '@type': 'PropertyValue',
        name: 'verdict',
        value: verified.data.verdict,
        description: verified.data.trust,
      }),
      ...completed(graph, verified),
    }),
  );
  const reviewed = reviews.map((review) =>
    add(nameOf('review', placeOf(review)), {
      '@type': 'ReviewAction',
      name: `review of finding ${findingId}`,
      agent: someone(graph, review.metadata.actor),
      object: finding,
      result: add(nameOf('decision', placeOf(review)), {
        '@type': 'PropertyValue',
        name: 'decision',
        value: review.data.decision,
      }),
      ...completed(graph, review),
    }),
  );
  const replayed = replays.map((replay) =>
    add(nameOf('replay', placeOf(replay)), {
      '@type': 'CreateAction',
      name: `replay of finding ${findingId}`,
      instrument: program(replay.data.tree),
      object: story.released.map(file),
      result: add(nameOf('replay-class', placeOf(replay)), {
        '@type': 'PropertyValue',
        name: 'predictions, compared with the recorded ones',
        value: replay.data.class,
      }),
      ...completed(graph, replay),
    }),
  );
  return [scoring, ...verifications, ...reviewed, ...replayed];
};

/**
 * The metadata file of a Process Run Crate 0.5 (Workflow Run RO-Crate) on RO-Crate 1.1. The crate holds no other file:
 * what it speaks of is named by what it hashes to, and lies in the run's repository.
 */
export const roCrateOf = (evidence: FindingEvidence): Uint8Array => {
  const story = storyOf(evidence);
  const graph = crateGraph();
  const actions = [
    runAction(graph, story),
    ...[...story.attempts.values()].map((attempt) => attemptAction(graph, attempt)),
    ...story.trainings.flatMap((training) => trainingActions(graph, story, training)),
    ...findingActions(graph, story),
  ];
  const described = graph.all();
  const { findingId } = story.proposed.data;
  const newest = [...evidence.finding, ...evidence.run]
    .map(({ metadata }) => metadata.time)
    .reduce((one, other) => (one > other ? one : other));
  return jsonBytes({
    '@context': CONTEXT,
    '@graph': [
      {
        '@id': 'ro-crate-metadata.json',
        '@type': 'CreativeWork',
        conformsTo: to(RO_CRATE),
        about: to('./'),
      },
      {
        '@id': './',
        '@type': 'Dataset',
        conformsTo: [to(PROFILE)],
        name: `How finding ${findingId} was reached`,
        description:
          'Every attempt, training and measurement of the run, and what was claimed, verified and reviewed, as the log has it. Times are those of the log; the date of publication is that of its newest event here.',
        datePublished: newest,
        license: to(NO_LICENCE),
        hasPart: described
          .filter((entity) => entity['@type'] === 'File')
          .map((entity) => to(String(entity['@id']))),
        mentions: actions,
        about: to(nameOf('finding', findingId)),
      },
      {
        '@id': PROFILE,
        '@type': 'CreativeWork',
        name: 'Process Run Crate',
        version: '0.5',
      },
      {
        '@id': NO_LICENCE,
        '@type': 'CreativeWork',
        name: 'not recorded',
        description: 'The log holds no licence for what is described here.',
      },
      ...described,
    ],
  });
};
