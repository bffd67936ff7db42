import type { ArtefactRef, RecordedEvent, Signature } from '#libs/kernel';
import { linkTo, type FindingEvidence } from './evidence.ts';
import { jsonBytes } from './json-text.ts';
import { nameOf, nameOfActor, nameOfBlob, nameOfCommit, nameOfTree } from './names.ts';
import { storyOf, type Story } from './story.ts';

/** Signs with the runner's key, for DSSE envelopes. */
export interface EnvelopeSigner {
  /** SHA-256 of the raw public key, first 16 hex digits. */
  readonly keyId: string;
  readonly sign: (payloadType: string, payload: Uint8Array) => Signature;
}

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const SLSA_PROVENANCE = 'https://slsa.dev/provenance/v1';
/** Media type of a statement, and the payload type of its envelope. */
export const IN_TOTO_JSON = 'application/vnd.in-toto+json';
/** What the parameters and dependencies of our statements mean: docs/how-to/export-for-auditors.md. */
const BUILD_TYPE = 'urn:holdfast:build-type:loop:1';

/** ResourceDescriptor (in-toto/attestation, spec/v1/resource_descriptor.md), as far as it is used here. */
interface ResourceDescriptor {
  readonly name: string;
  readonly uri?: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** What a descriptor says besides, and the events that it rests on. */
const resting = (on: readonly RecordedEvent[], more: Readonly<Record<string, unknown>> = {}) => ({
  annotations: { ...more, events: on.map(linkTo) },
});

const blob = ({ oid, sha256 }: ArtefactRef) => ({
  uri: nameOfBlob(oid),
  digest: { gitBlob: oid, sha256 },
});

const tree = (oid: string) => ({ uri: nameOfTree(oid), digest: { gitTree: oid } });

/** What the statement is about: the kept program, the predictions that were scored, and the claim's own event. */
const subjectsOf = ({ proposed }: Story): readonly ResourceDescriptor[] => {
  const { findingId, chain, predictions } = proposed.data;
  // Of two artefacts of one path the name tells which program's they are.
  const of = predictions.length === 2 ? ['compared', 'claimed'] : [];
  return [
    { name: `${findingId}/program`, ...tree(chain.toTree), ...resting([proposed]) },
    ...predictions.map((artefact, index) => ({
      name: `${findingId}/${of[index] ?? index}/${artefact.path}`,
      ...blob(artefact),
      ...resting([proposed]),
    })),
    {
      name: linkTo(proposed).event,
      digest: { sha256: proposed.hash },
      mediaType: 'application/json',
      ...resting([proposed]),
    },
  ];
};

const dependenciesOf = ({ opened, released, proposed }: Story): readonly ResourceDescriptor[] => {
  const { pins, environment, forkedFrom } = opened.data;
  const { runtime } = environment;
  const by = resting([opened]);
  return [
    {
      name: 'source',
      uri: nameOfCommit(pins.commit),
      digest: { gitCommit: pins.commit },
      ...by,
    },
    { name: 'program', ...tree(pins.tree), ...by },
    { name: 'compared-program', ...tree(proposed.data.chain.fromTree), ...resting([proposed]) },
    {
      name: 'data',
      uri: nameOf('data', pins.dataDigest),
      digest: { sha256: pins.dataDigest },
      ...by,
    },
    {
      name: 'policy',
      uri: nameOf('policy', pins.policyDigest),
      digest: { sha256: pins.policyDigest },
      mediaType: 'application/json',
      ...by,
    },
    {
      name: 'environment',
      uri: nameOf('environment', pins.environmentDigest),
      digest: { sha256: pins.environmentDigest },
      mediaType: 'application/json',
      ...by,
    },
    {
      name: `runtime/${runtime.name}`,
      digest: { sha256: runtime.sha256 },
      ...resting([opened], {
        version: runtime.version,
        platform: environment.platform,
        architecture: environment.architecture,
      }),
    },
    ...released.map((artefact) => ({
      name: `cohorts/${artefact.path}`,
      ...blob(artefact),
      ...by,
    })),
    ...(forkedFrom === null
      ? []
      : [
          {
            name: 'fork-point',
            ...tree(forkedFrom.tree),
            ...resting([opened], { run: forkedFrom.runId, mutation: forkedFrom.mutationId }),
          },
        ]),
  ];
};

/** What was claimed, and what is recorded of it since; null where nothing is. */
const findingDescriptor = (
  { proposed, verdicts, reviews, replays, discarded }: Story,
  head: RecordedEvent,
): ResourceDescriptor => {
  const { claim, findingId, chain } = proposed.data;
  const { kind, statistic, estimate, standardError, interval, relative, n, look } = claim;
  const verdict = verdicts.at(-1) ?? null;
  const review = reviews.at(-1) ?? null;
  return {
    name: 'finding',
    uri: nameOf('finding', findingId),
    digest: { sha256: head.hash },
    mediaType: 'application/json',
    ...resting([proposed], {
      claim: { kind, statistic, estimate, standardError, interval, relative, n, look },
      mutations: chain.mutations,
      verdict:
        verdict === null
          ? null
          : {
              verdict: verdict.data.verdict,
              blockedBy: verdict.data.rows.filter(({ passed }) => !passed).map(({ row }) => row),
              trust: verdict.data.trust,
              ...linkTo(verdict),
            },
      discarded: discarded === null ? null : linkTo(discarded),
      replays: replays.map((replayed) => ({ class: replayed.data.class, ...linkTo(replayed) })),
      review:
        review === null
          ? null
          : {
              decision: review.data.decision,
              by: nameOfActor(review.metadata.actor),
              ...linkTo(review),
            },
    }),
  };
};

/** The heads of the streams that the finding rests on, and what the trainings of its kept mutations left. */
const byproductsOf = (
  story: Story,
  { finding, run, study, data }: FindingEvidence,
): readonly ResourceDescriptor[] => {
  const { chain } = story.proposed.data;
  const head = finding.at(-1) ?? story.proposed;
  const heads = [run, study, data].flatMap((events) => events.at(-1) ?? []);
  return [
    findingDescriptor(story, head),
    ...heads.map((last) => ({
      name: `log/${last.stream}`,
      digest: { sha256: last.hash },
      mediaType: 'application/json',
      ...resting([last]),
    })),
    ...story.trainings.flatMap(({ launched, ended }) =>
      ended === null || !chain.mutations.includes(launched.data.mutationId ?? '')
        ? []
        : [
            {
              name: `training/${launched.data.trainingId}`,
              ...tree(ended.data.artefacts),
              ...resting([launched, ended], { purpose: launched.data.purpose, ended: ended.type }),
            },
          ],
    ),
  ];
};

/**
 * A finding as an in-toto Statement v1 with a SLSA Provenance v1 predicate: the loop is the build, the kept program and
 * the scored predictions are what was built. There are no extension fields: parsers that know none read it.
 */
const statementOf = (evidence: FindingEvidence): object => {
  const story = storyOf(evidence);
  const { opened, loopEnded } = story;
  const { runId, studyId, number, pins, seed, environment, governance, keys } = opened.data;
  return {
    _type: STATEMENT_TYPE,
    subject: subjectsOf(story),
    predicateType: SLSA_PROVENANCE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { study: studyId, program: pins.path, seed },
        internalParameters: {
          runNumber: number,
          splitCommitment: pins.splitCommitment,
          governed: governance.governed,
          opened: linkTo(opened),
        },
        resolvedDependencies: dependenciesOf(story),
      },
      runDetails: {
        builder: {
          id: nameOf('runner', keys.runner.keyId),
          version: { holdfast: environment.holdfast },
        },
        metadata: {
          invocationId: nameOf('run', runId),
          startedOn: opened.metadata.time,
          ...(loopEnded !== null && { finishedOn: loopEnded.metadata.time }),
        },
        byproducts: byproductsOf(story, evidence),
      },
    },
  };
};

/** The statement alone, unsigned: what the envelope of {@link slsaOf} holds, byte for byte. */
export const inTotoOf = (evidence: FindingEvidence): Uint8Array => jsonBytes(statementOf(evidence));

/** The statement in a DSSE envelope (secure-systems-lab/dsse, v1.0.2), signed by the runner. */
export const slsaOf = (evidence: FindingEvidence, signer: EnvelopeSigner): Uint8Array => {
  const payload = inTotoOf(evidence);
  const { keyId, value } = signer.sign(IN_TOTO_JSON, payload);
  return jsonBytes({
    payload: Buffer.from(payload).toString('base64'),
    payloadType: IN_TOTO_JSON,
    signatures: [{ keyid: keyId, sig: value }],
  });
};
