import type { Actor, ArtefactRef, RecordedEvent } from '#libs/kernel';
import { placeOf, recorded, type FindingEvidence } from './evidence.ts';
import { jsonBytes } from './json-text.ts';
import { nameOfActor } from './names.ts';
import { storyOf, type Attempt, type Story, type Training } from './story.ts';

/** Attributes of an element or a relation, by qualified name. */
type Attributes = Readonly<Record<string, unknown>>;

/** `hf` is the log's own names, `git` the SWHIDs of git's objects. */
const PREFIXES = { hf: 'urn:holdfast:', git: 'swh:1:' };

const type = (name: string) => ({ 'prov:type': { $: name, type: 'prov:QUALIFIED_NAME' } });

/** The events that an element or a relation rests on, those that the log holds: places, and what stored bytes hash to. */
const restsOn = (...events: readonly (RecordedEvent | null)[]): Attributes => {
  const links = recorded(events).map((event) => `${placeOf(event)} sha256:${event.hash}`);
  return { 'hf:restsOn': links.length === 1 ? links[0] : links };
};

/**
 * PROV-JSON (W3C member submission of 24 April 2013) under way: what is said twice of the same thing stands in it once,
 * as it was said first.
 */
const provDocument = () => {
  const sections = new Map<string, Map<string, readonly [id: string, what: Attributes]>>();
  const say = (kind: string, key: string, id: (ordinal: number) => string, what: Attributes) => {
    const members = sections.get(kind) ?? new Map<string, readonly [string, Attributes]>();
    sections.set(kind, members);
    if (!members.has(key)) members.set(key, [id(members.size + 1), what]);
  };
  const element =
    (kind: 'entity' | 'activity' | 'agent') =>
    (id: string, what: Attributes): string => {
      say(kind, id, () => id, what);
      return id;
    };
  const relation =
    (kind: string, from: string, to: string) =>
    (one: string, other: string, what: Attributes): void => {
      say(kind, `${one} ${other}`, (ordinal) => `_:${kind}${ordinal}`, {
        [`prov:${from}`]: one,
        [`prov:${to}`]: other,
        ...what,
      });
    };
  return {
    entity: element('entity'),
    activity: element('activity'),
    agent: element('agent'),
    used: relation('used', 'activity', 'entity'),
    generated: relation('wasGeneratedBy', 'entity', 'activity'),
    invalidated: relation('wasInvalidatedBy', 'entity', 'activity'),
    derived: relation('wasDerivedFrom', 'generatedEntity', 'usedEntity'),
    informed: relation('wasInformedBy', 'informed', 'informant'),
    associated: relation('wasAssociatedWith', 'activity', 'agent'),
    attributed: relation('wasAttributedTo', 'entity', 'agent'),
    specialises: relation('specializationOf', 'specificEntity', 'generalEntity'),
    bytes: (): Uint8Array =>
      jsonBytes({
        prefix: PREFIXES,
        ...Object.fromEntries(
          [...sections].map(([kind, members]) => [kind, Object.fromEntries(members.values())]),
        ),
      }),
  };
};
type ProvDocument = ReturnType<typeof provDocument>;

const at = ({ metadata }: RecordedEvent): Attributes => ({ 'prov:time': metadata.time });
/** An act of which the log holds one moment. */
const momentOf = ({ metadata }: RecordedEvent): Attributes => ({
  'prov:startTime': metadata.time,
  'prov:endTime': metadata.time,
});

const tree = ({ entity }: ProvDocument, oid: string): string =>
  entity(`git:dir:${oid}`, { ...type('hf:Tree'), 'hf:gitTree': oid });

const blob = ({ entity }: ProvDocument, { oid, sha256, bytes, path }: ArtefactRef): string =>
  entity(`git:cnt:${oid}`, {
    ...type('hf:File'),
    'hf:gitBlob': oid,
    'hf:sha256': sha256,
    'hf:bytes': bytes,
    'hf:path': path,
  });

const actor = ({ agent }: ProvDocument, who: Actor): string =>
  agent(`hf:agent:${nameOfActor(who)}`, {
    ...(who.role === 'harness' && type('prov:SoftwareAgent')),
    'hf:role': who.role,
  });

const key = ({ agent }: ProvDocument, keyId: string): string =>
  agent(`hf:key:${keyId}`, { ...type('prov:SoftwareAgent'), 'hf:keyId': keyId });

const dataId = ({ opened }: Story): string => `hf:data:${opened.data.pins.dataDigest}`;
const runId = ({ opened }: Story): string => `hf:run:${opened.data.runId}`;
const findingId = ({ data }: Story['proposed']): string => `hf:finding:${data.findingId}`;
const programId = (mutationId: string): string => `hf:program:${mutationId}`;
const observationId = (trainingId: string): string => `hf:observation:${trainingId}`;

/** The run, what it stands on, and what left the vault for it. */
const sayRun = (doc: ProvDocument, story: Story): void => {
  const { opened, released, loopEnded } = story;
  const { pins, environment, keys, forkedFrom } = opened.data;
  const by = restsOn(opened);
  const run = doc.activity(runId(story), {
    ...type('hf:Run'),
    'prov:startTime': opened.metadata.time,
    ...(loopEnded !== null && { 'prov:endTime': loopEnded.metadata.time }),
    'hf:ended': loopEnded?.data.reason ?? 'not recorded',
    ...restsOn(opened, loopEnded),
  });
  const stoodOn = [
    doc.entity(`git:rev:${pins.commit}`, { ...type('hf:Commit'), 'hf:gitCommit': pins.commit }),
    tree(doc, pins.tree),
    doc.entity(dataId(story), { ...type('hf:Data'), 'hf:sha256': pins.dataDigest }),
    doc.entity(`hf:policy:${pins.policyDigest}`, {
      ...type('hf:Policy'),
      'hf:sha256': pins.policyDigest,
    }),
    doc.entity(`hf:environment:${pins.environmentDigest}`, {
      ...type('hf:Environment'),
      'hf:sha256': pins.environmentDigest,
      'hf:holdfast': environment.holdfast,
      'hf:runtime': `${environment.runtime.name} ${environment.runtime.version}`,
      'hf:runtimeSha256': environment.runtime.sha256,
      'hf:platform': `${environment.platform} ${environment.architecture}`,
    }),
    ...(forkedFrom === null ? [] : [tree(doc, forkedFrom.tree)]),
  ];
  for (const entity of stoodOn) doc.used(run, entity, by);
  for (const artefact of released) {
    const file = blob(doc, artefact);
    doc.generated(file, run, { ...at(opened), ...by });
    doc.derived(file, dataId(story), by);
  }
  doc.associated(run, actor(doc, opened.metadata.actor), by);
  doc.associated(run, key(doc, keys.runner.keyId), by);
};

/** A proposed program: it came from a base, and was taken back where the log says so. */
const sayAttempt = (doc: ProvDocument, { proposed, cutOver, decided }: Attempt): void => {
  const { mutationId, baseTree, proposedTree, measuredDomain } = proposed.data;
  const by = restsOn(proposed);
  const proposal = doc.activity(`hf:proposal:${mutationId}`, {
    ...type('hf:Proposal'),
    ...momentOf(proposed),
    ...by,
  });
  const program = doc.entity(programId(mutationId), {
    ...type('hf:Program'),
    ...(measuredDomain !== null && { 'hf:domain': measuredDomain }),
    ...restsOn(proposed, cutOver),
  });
  const base = tree(doc, baseTree);
  doc.used(proposal, base, by);
  doc.generated(program, proposal, { ...at(proposed), ...by });
  doc.derived(program, base, { 'prov:activity': proposal, ...by });
  doc.specialises(program, tree(doc, proposedTree), {});
  doc.associated(proposal, actor(doc, proposed.metadata.actor), by);
  if (decided === null) return;
  const decision = doc.activity(`hf:decision:${mutationId}`, {
    ...type('hf:Decision'),
    ...momentOf(decided),
    'hf:outcome': decided.type === 'MutationKept' ? 'kept' : 'reverted',
    ...('reason' in decided.data && { 'hf:reason': decided.data.reason }),
    ...restsOn(decided),
  });
  doc.used(decision, program, restsOn(decided));
  doc.associated(decision, actor(doc, decided.metadata.actor), restsOn(decided));
  if (decided.type === 'MutationReverted')
    doc.invalidated(program, decision, { ...at(decided), ...restsOn(decided) });
};

const sayTraining = (
  doc: ProvDocument,
  story: Story,
  { launched, ended, predictions: file, failure, observed }: Training,
): void => {
  const { trainingId, purpose, mutationId, seed } = launched.data;
  const attempt = mutationId === null ? undefined : story.attempts.get(mutationId);
  const training = doc.activity(`hf:training:${trainingId}`, {
    ...type('hf:Training'),
    'prov:startTime': launched.metadata.time,
    ...(ended !== null && { 'prov:endTime': ended.metadata.time }),
    'hf:purpose': purpose,
    'hf:seed': seed,
    'hf:ended': ended?.type ?? 'not recorded',
    ...(failure !== null && { 'hf:failure': failure }),
    ...restsOn(launched, ended),
  });
  const program =
    attempt === undefined
      ? tree(doc, launched.data.tree)
      : programId(attempt.proposed.data.mutationId);
  doc.used(training, program, restsOn(launched));
  for (const artefact of story.released) doc.used(training, blob(doc, artefact), restsOn(launched));
  if (ended === null) return;
  doc.associated(training, key(doc, ended.data.signature.keyId), restsOn(ended));
  if (file === null) return;
  const predictions = doc.entity(`hf:predictions:${trainingId}`, {
    ...type('hf:Predictions'),
    ...restsOn(ended),
  });
  doc.generated(predictions, training, { ...at(ended), ...restsOn(ended) });
  doc.derived(predictions, program, { 'prov:activity': training, ...restsOn(ended) });
  doc.specialises(predictions, blob(doc, file), {});
  if (observed === null) return;
  const by = restsOn(observed);
  const { metric } = observed.data.observation;
  const measurement = doc.activity(`hf:measurement:${trainingId}`, {
    ...type('hf:Measurement'),
    ...momentOf(observed),
    ...by,
  });
  const observation = doc.entity(observationId(trainingId), {
    ...type('hf:Observation'),
    'hf:metric': metric.name,
    'hf:value': metric.value,
    'hf:standardError': metric.standardError,
    'hf:n': metric.n,
    ...by,
  });
  doc.used(measurement, predictions, by);
  doc.used(measurement, dataId(story), by);
  doc.generated(observation, measurement, { ...at(observed), ...by });
  doc.derived(observation, predictions, { 'prov:activity': measurement, ...by });
  doc.associated(measurement, actor(doc, observed.metadata.actor), by);
  const decided = attempt?.decided ?? null;
  // What was measured after a decision was not decided by.
  if (decided !== null && observed.revision < decided.revision)
    doc.used(`hf:decision:${decided.data.mutationId}`, observation, restsOn(decided));
};

/** Reverts to the last stable state, each brought about by the measurement before it. */
const sayReverts = (doc: ProvDocument, story: Story): void => {
  const observed = story.trainings
    .flatMap((training) => training.observed ?? [])
    .toSorted((a, b) => a.revision - b.revision);
  for (const reverted of story.reverts) {
    const by = restsOn(reverted);
    const { undone, toTree, fromTree } = reverted.data;
    const revert = doc.activity(`hf:revert:${placeOf(reverted)}`, {
      ...type('hf:Revert'),
      ...momentOf(reverted),
      ...by,
    });
    doc.used(revert, tree(doc, fromTree), by);
    doc.used(revert, tree(doc, toTree), by);
    doc.associated(revert, actor(doc, reverted.metadata.actor), by);
    const cause = observed.findLast(({ revision }) => revision < reverted.revision);
    if (cause !== undefined) doc.informed(revert, `hf:measurement:${cause.data.trainingId}`, by);
    for (const mutationId of undone.filter((one) => story.attempts.has(one)))
      doc.invalidated(programId(mutationId), revert, { ...at(reverted), ...by });
  }
};

const sayFinding = (doc: ProvDocument, story: Story): void => {
  const { proposed, verdicts, reviews, replays } = story;
  const { claim, chain, predictions } = proposed.data;
  const by = restsOn(proposed);
  const finding = doc.entity(findingId(proposed), {
    ...type('hf:Finding'),
    'hf:statistic': claim.statistic,
    'hf:estimate': claim.estimate,
    'hf:lower': claim.interval.lower,
    'hf:upper': claim.interval.upper,
    'hf:level': claim.interval.level,
    'hf:n': claim.n,
    'hf:verdicts': verdicts.length,
    'hf:reviews': reviews.length,
    'hf:replays': replays.length,
    ...by,
  });
  const scoring = doc.activity(`hf:scoring:${proposed.data.findingId}`, {
    ...type('hf:Scoring'),
    ...momentOf(proposed),
    ...by,
  });
  for (const artefact of predictions) doc.used(scoring, blob(doc, artefact), by);
  doc.used(scoring, dataId(story), by);
  doc.informed(scoring, runId(story), by);
  doc.associated(scoring, actor(doc, proposed.metadata.actor), by);
  doc.generated(finding, scoring, { ...at(proposed), ...by });
  doc.derived(finding, tree(doc, chain.fromTree), by);
  doc.derived(finding, tree(doc, chain.toTree), by);
  // A fork's chain begins with mutations of the run that it came from.
  for (const mutationId of chain.mutations.filter((one) => story.attempts.has(one)))
    doc.derived(finding, programId(mutationId), by);
};

const verdictId = (verified: RecordedEvent): string => `hf:verdict:${placeOf(verified)}`;
const verificationId = (verified: RecordedEvent): string => `hf:verification:${placeOf(verified)}`;

const sayVerdicts = (doc: ProvDocument, { proposed, verdicts, discarded }: Story): void => {
  const finding = findingId(proposed);
  for (const verified of verdicts) {
    const by = restsOn(verified);
    const verification = doc.activity(verificationId(verified), {
      ...type('hf:Verification'),
      ...momentOf(verified),
      ...by,
    });
    const verdict = doc.entity(verdictId(verified), {
      ...type('hf:Verdict'),
      'hf:verdict': verified.data.verdict,
      'hf:trust': verified.data.trust,
      ...by,
    });
    doc.used(verification, finding, by);
    doc.generated(verdict, verification, { ...at(verified), ...by });
    doc.derived(verdict, finding, { 'prov:activity': verification, ...by });
    const signer = key(doc, verified.data.signature.keyId);
    doc.associated(verification, signer, by);
    doc.attributed(verdict, signer, by);
  }
  const blocked = verdicts.findLast(({ revision }) => revision < (discarded?.revision ?? 0));
  if (discarded !== null && blocked !== undefined)
    doc.invalidated(finding, verificationId(blocked), { ...at(discarded), ...restsOn(discarded) });
};

const sayReviews = (doc: ProvDocument, story: Story): void => {
  const { proposed, verdicts, reviews, accepted } = story;
  for (const reviewed of reviews) {
    const moved = accepted?.revision === reviewed.revision + 1 ? accepted : null;
    const by = restsOn(reviewed, moved);
    const review = doc.activity(`hf:review:${placeOf(reviewed)}`, {
      ...type('hf:Review'),
      ...momentOf(reviewed),
      'hf:decision': reviewed.data.decision,
      ...by,
    });
    doc.used(review, findingId(proposed), by);
    const before = verdicts.findLast(({ revision }) => revision < reviewed.revision);
    if (before !== undefined) doc.used(review, verdictId(before), by);
    doc.associated(review, actor(doc, reviewed.metadata.actor), by);
  }
};

const sayReplays = (doc: ProvDocument, { proposed, replays }: Story): void => {
  for (const replayed of replays) {
    const by = restsOn(replayed);
    const replay = doc.activity(`hf:replay:${placeOf(replayed)}`, {
      ...type('hf:Replay'),
      ...momentOf(replayed),
      'hf:class': replayed.data.class,
      ...by,
    });
    doc.used(replay, tree(doc, replayed.data.tree), by);
    for (const artefact of proposed.data.predictions)
      if (artefact.sha256 === replayed.data.predictions.expected)
        doc.used(replay, blob(doc, artefact), by);
    doc.associated(replay, actor(doc, replayed.metadata.actor), by);
    doc.associated(replay, key(doc, replayed.data.signature.keyId), by);
  }
};

/**
 * A finding's provenance as PROV-JSON: how the programs came from each other, what was trained, measured, kept and taken
 * back, what was claimed of it, who verified and reviewed it and what came of training it again. Every element and relation names the events that it
 * rests on. What the log doesn't hold is `not recorded`, a count of 0, or not there.
 */
export const provOf = (evidence: FindingEvidence): Uint8Array => {
  const story = storyOf(evidence);
  const doc = provDocument();
  sayRun(doc, story);
  for (const attempt of story.attempts.values()) sayAttempt(doc, attempt);
  for (const training of story.trainings) sayTraining(doc, story, training);
  sayReverts(doc, story);
  sayFinding(doc, story);
  sayVerdicts(doc, story);
  sayReviews(doc, story);
  sayReplays(doc, story);
  return doc.bytes();
};
