import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKey, signEnvelope } from '#libs/signatures';
import type { FindingEvidence } from './evidence.ts';
import { inTotoOf, slsaOf } from './slsa.ts';
import { storyOf } from './story.ts';
import { ACCEPTED, EVERY_EVIDENCE, textOf, VERIFIED } from './testing/evidence.ts';

const key = generateKey();
const signer = {
  keyId: key.keyId,
  sign: (payloadType: string, payload: Uint8Array) => signEnvelope(key, payloadType, payload),
};

interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}
interface Descriptor {
  readonly name: string;
  readonly uri?: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, unknown>>;
}
interface Statement {
  readonly _type: string;
  readonly predicateType: string;
  readonly subject: readonly Descriptor[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: object;
      readonly internalParameters: object;
      readonly resolvedDependencies: readonly Descriptor[];
    };
    readonly runDetails: {
      readonly builder: object;
      readonly metadata: object;
      readonly byproducts: readonly Descriptor[];
    };
  };
}

const statement = (evidence: FindingEvidence): Statement =>
  JSON.parse(textOf(inTotoOf(evidence))) as Statement;

describe('the envelope', () => {
  const envelope = JSON.parse(textOf(slsaOf(VERIFIED, signer))) as Envelope;

  /** Made from DSSE's protocol page alone, with nothing that signs. */
  const holds = ({ payload, payloadType, signatures }: Envelope): boolean => {
    const body = Buffer.from(payload, 'base64');
    const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `;
    const der = `MCowBQYDK2VwAyEA${key.publicKey}`;
    return signatures.some(({ sig }) =>
      verify(
        null,
        Buffer.concat([Buffer.from(head), body]),
        createPublicKey(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`),
        Buffer.from(sig, 'base64'),
      ),
    );
  };

  it('holds the statement, signed as DSSE says', () => {
    expect(envelope).toMatchObject({
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ keyid: key.keyId }],
    });
    expect(Buffer.from(envelope.payload, 'base64')).toEqual(Buffer.from(inTotoOf(VERIFIED)));
    expect(holds(envelope)).toBe(true);
  });

  it('does not hold with another payload, type or signature', () => {
    const payload = Buffer.from(envelope.payload, 'base64').toString().replace('PASS', 'FAIL');
    expect(holds({ ...envelope, payload: Buffer.from(payload).toString('base64') })).toBe(false);
    expect(holds({ ...envelope, payloadType: 'application/json' })).toBe(false);
    const other = slsaOf(ACCEPTED, signer);
    const { signatures } = JSON.parse(textOf(other)) as Envelope;
    expect(holds({ ...envelope, signatures })).toBe(false);
  });
});

describe.each(Object.entries(EVERY_EVIDENCE))('the statement on %s', (_, evidence) => {
  const { _type, predicateType, subject, predicate } = statement(evidence);
  const { buildDefinition, runDetails } = predicate;
  const descriptors = [
    ...subject,
    ...buildDefinition.resolvedDependencies,
    ...runDetails.byproducts,
  ];

  it('is a Statement v1 with SLSA Provenance v1, and has no member that they do not know', () => {
    expect(_type).toBe('https://in-toto.io/Statement/v1');
    expect(predicateType).toBe('https://slsa.dev/provenance/v1');
    expect(Object.keys(predicate)).toEqual(['buildDefinition', 'runDetails']);
    expect(Object.keys(buildDefinition).toSorted()).toEqual([
      ...['buildType', 'externalParameters', 'internalParameters', 'resolvedDependencies'],
    ]);
    expect(Object.keys(runDetails).toSorted()).toEqual(['builder', 'byproducts', 'metadata']);
    const known = ['annotations', 'digest', 'mediaType', 'name', 'uri'];
    for (const one of descriptors)
      expect(Object.keys(one).filter((member) => !known.includes(member))).toEqual([]);
  });

  it('names everything by digests that in-toto knows, in lower-case hex of their length', () => {
    const lengths: Record<string, number> = {
      ...{ sha256: 64, gitBlob: 40, gitTree: 40, gitCommit: 40 },
    };
    for (const { digest } of descriptors) {
      expect(Object.keys(digest).length).toBeGreaterThan(0);
      for (const [algorithm, value] of Object.entries(digest))
        expect([algorithm, value]).toEqual([
          algorithm,
          expect.stringMatching(new RegExp(`^[0-9a-f]{${lengths[algorithm] ?? 0}}$`)),
        ]);
    }
  });

  it('has subjects of unique names: the kept program, the scored predictions, the claim', () => {
    const { proposed } = storyOf(evidence);
    const { chain, predictions } = proposed.data;
    expect(new Set(subject.map(({ name }) => name)).size).toBe(subject.length);
    expect(subject.map(({ digest }) => digest['sha256'] ?? digest['gitTree'])).toEqual([
      chain.toTree,
      ...predictions.map(({ sha256 }) => sha256),
      proposed.hash,
    ]);
  });
});

it('names what a run stands on, and its own run', () => {
  const { buildDefinition, runDetails } = statement(VERIFIED).predicate;
  expect(
    Object.fromEntries(
      buildDefinition.resolvedDependencies.map(({ name, digest }) => [name, digest]),
    ),
  ).toMatchObject({
    source: { gitCommit: '42346779ea97611e94f95dc93bc4cd8f835b3edb' },
    program: { gitTree: '6fd53a58e95003635dde5a29f02856ae15cbd678' },
    data: { sha256: '903379ff76c2d7a73da64a74d3a87b7c1e44ece51830bb3876698eed70dfb8cf' },
    policy: { sha256: '458e321111bfe1cd0d50468fb97498fe2b83db7f7357bd429dcd6b9a3c295276' },
    environment: { sha256: '5c436bcf756d4e383f1a53289d95bfe185a71a131864979e5d0a5879b1c1c74f' },
    'cohorts/train.csv': { gitBlob: '878809ae6edb30f0344374d83d595be9b4bf7e17' },
  });
  expect(buildDefinition.externalParameters).toEqual({
    ...{ study: 'pay', program: 'examples/pay/program', seed: 1 },
  });
  expect(runDetails).toMatchObject({
    builder: { id: 'urn:holdfast:runner:66a61db5cd1b412c', version: { holdfast: '0.3.0' } },
    metadata: {
      invocationId: 'urn:holdfast:run:pay-1',
      startedOn: '2026-11-26T02:04:31.570Z',
    },
  });
  expect(runDetails.byproducts.find(({ name }) => name === 'finding')?.annotations).toMatchObject({
    claim: { estimate: 0.10881607651049421, n: 3533 },
    verdict: { verdict: 'PASS', blockedBy: [], event: 'finding-pay-1-f1@1' },
    review: null,
  });
});
