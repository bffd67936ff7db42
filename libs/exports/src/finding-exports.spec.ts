import { describe, expect, it } from 'vitest';
import { generateKey, signEnvelope } from '#libs/signatures';
import {
  exportFinding,
  FINDING_EXPORT_NAMES,
  type EnvelopeSigner,
  type FindingExport,
} from './index.ts';
import { eventsOf, type FindingEvidence } from './evidence.ts';
import {
  BARE,
  BLOCKED,
  EVERY_EVIDENCE,
  linksIn,
  REPLAYED,
  stringsIn,
  textOf,
  VERIFIED,
} from './testing/evidence.ts';

const key = generateKey();

/** Signs under the key id that the run of this evidence pinned: golden keys are gone. */
const signerOf = (evidence: FindingEvidence, signing = key): EnvelopeSigner => ({
  keyId: eventsOf(evidence.run, 'RunOpened')[0]?.data.keys.runner.keyId ?? '',
  sign: (payloadType, payload) => signEnvelope(signing, payloadType, payload),
});

const written = async (evidence: FindingEvidence, as: FindingExport): Promise<Uint8Array> => {
  const exported = await exportFinding('x-1-f1', evidence, as, signerOf(evidence));
  if (!exported.ok) throw new Error(exported.error.message);
  return exported.value.bytes;
};

/** What an export says: of an envelope, its payload. */
const said = (as: FindingExport, bytes: Uint8Array): unknown => {
  const value = JSON.parse(textOf(bytes)) as { payload: string };
  return as === 'slsa' ? JSON.parse(Buffer.from(value.payload, 'base64').toString()) : value;
};

const EVIDENCE = Object.entries(EVERY_EVIDENCE);
const JSON_FORMATS: readonly FindingExport[] = [
  'slsa',
  'in-toto',
  'prov',
  'ro-crate',
  'openlineage',
  'cloudevents',
];

describe.each(EVIDENCE)('of the evidence %s', (_, evidence) => {
  const events = Object.values(evidence).flat();
  const known = new Map(
    events.map(({ stream, revision, hash }) => [`${stream}@${revision}`, hash]),
  );

  it.each(FINDING_EXPORT_NAMES)('%s is the same bytes each time', async (as) => {
    expect(await written(structuredClone(evidence), as)).toEqual(await written(evidence, as));
  });

  it.each(JSON_FORMATS)('%s links to events of the log, each with its hash', async (as) => {
    const value = said(as, await written(evidence, as));
    const links =
      as === 'cloudevents'
        ? (value as { stream: string; revision: number; hash: string }[]).map((event) => ({
            event: `${event.stream}@${event.revision}`,
            hash: event.hash,
          }))
        : linksIn(value);
    expect(links.length).toBeGreaterThan(0);
    for (const { event, hash } of links) expect([event, hash]).toEqual([event, known.get(event)]);
  });

  it.each(JSON_FORMATS.filter((as) => as !== 'cloudevents'))(
    '%s holds no free text: no statement, summary, reason or note of the log',
    async (as) => {
      const texts = new Set(
        events.flatMap(({ data }) => {
          const { statement, summary, why, message, detail, reason } = data as Record<
            string,
            unknown
          >;
          return [statement, summary, why, message, detail, reason].filter(
            (text) => typeof text === 'string' && text.includes(' '),
          );
        }),
      );
      expect(texts.size).toBeGreaterThan(0);
      for (const text of stringsIn(said(as, await written(evidence, as))))
        expect(texts).not.toContain(text);
    },
  );
});

it.each(JSON_FORMATS)('%s of another event is other bytes', async (as) => {
  const [proposed] = VERIFIED.finding;
  if (proposed === undefined) throw new Error('no finding');
  const other = { ...proposed, hash: '0'.repeat(64) };
  const changed = { ...VERIFIED, finding: [other, ...VERIFIED.finding.slice(1)] };
  expect(await written(changed, as)).not.toEqual(await written(VERIFIED, as));
});

describe('a gap', () => {
  it('is printed as a gap: no verdict, no review, a loop and a training that never ended', async () => {
    const statement = said('in-toto', await written(BARE, 'in-toto')) as {
      predicate: {
        runDetails: { metadata: object; byproducts: { name: string; annotations: object }[] };
      };
    };
    const { metadata, byproducts } = statement.predicate.runDetails;
    expect(metadata).not.toHaveProperty('finishedOn');
    expect(byproducts.find(({ name }) => name === 'finding')?.annotations).toMatchObject({
      ...{ verdict: null, review: null, discarded: null, replays: [] },
    });

    const prov = said('prov', await written(BARE, 'prov')) as Record<
      string,
      Record<string, object>
    >;
    expect(prov['entity']?.['hf:finding:pay-1-f1']).toMatchObject({
      ...{ 'hf:verdicts': 0, 'hf:reviews': 0, 'hf:replays': 0 },
    });
    expect(prov['activity']?.['hf:run:pay-1']).toMatchObject({ 'hf:ended': 'not recorded' });
    expect(prov['activity']?.['hf:run:pay-1']).not.toHaveProperty('prov:endTime');
    expect(JSON.stringify(prov)).not.toMatch(/hf:(verdict|review|replay):/);

    const text = textOf(await written(BARE, 'ro-crate'));
    expect(text).toContain('verdict: not recorded; review: not recorded; replay: not recorded');
    expect(text).toContain('The end of the loop is not recorded.');
    expect(text).toContain('The end of this training is not recorded.');
    expect(text).toContain('The log holds no licence');

    const started = (said('openlineage', await written(BARE, 'openlineage')) as OpenLineage[]).map(
      ({ eventType, run: { runId } }) => `${runId} ${eventType}`,
    );
    const unfinished = started
      .filter((one) => one.endsWith(' START'))
      .map((one) => one.split(' ')[0] ?? '')
      .filter(
        (runId) =>
          !['COMPLETE', 'FAIL', 'ABORT'].some((end) => started.includes(`${runId} ${end}`)),
      );
    expect(unfinished).toHaveLength(2);
  });

  it('is none where it was blocked: the verdict and what came of it are told', async () => {
    const statement = textOf(await written(BLOCKED, 'in-toto'));
    expect(statement).toContain('"verdict":"BLOCK"');
    const prov = said('prov', await written(BLOCKED, 'prov')) as Record<string, object>;
    const invalidated = Object.values(prov['wasInvalidatedBy'] ?? {}) as Record<string, string>[];
    expect(invalidated.map((one) => one['prov:entity'])).toContain('hf:finding:f2');
    expect(textOf(await written(BLOCKED, 'ro-crate'))).toMatch(
      /verdict: BLOCK; review: \w+; replay: not recorded; discarded/,
    );
  });
});

const REPLAYS = eventsOf(REPLAYED.finding, 'FindingReplayed');

it.each(JSON_FORMATS)('%s tells each replay, and what came of it', async (as) => {
  const value = said(as, await written(REPLAYED, as));
  const strings = stringsIn(value);
  expect(REPLAYS.map(({ data }) => data.class)).toEqual(['bit-exact', 'not-reproducible']);
  for (const { data, hash } of REPLAYS) {
    expect(strings).toContain(data.class);
    expect(JSON.stringify(value)).toContain(hash);
  }
});

interface OpenLineage {
  readonly eventType: string;
  readonly run: { readonly runId: string };
}

describe('what is signed', () => {
  it('is refused without a key', async () => {
    const refusal = await exportFinding('pay-1-f1', VERIFIED, 'slsa', null);
    expect(refusal).toMatchObject({ ok: false, error: { code: 'export-needs-key' } });
    expect(await exportFinding('pay-1-f1', VERIFIED, 'in-toto', null)).toMatchObject({ ok: true });
  });

  it('is refused to a runner that the run did not pin', async () => {
    const foreign = { ...signerOf(VERIFIED), keyId: key.keyId };
    const refusal = await exportFinding('pay-1-f1', VERIFIED, 'slsa', foreign);
    expect(refusal).toMatchObject({ ok: false, error: { code: 'export-foreign-key' } });
  });
});
