import { describe, expect, it } from 'vitest';
import { roCrateOf } from './ro-crate.ts';
import { placeOf } from './evidence.ts';
import { nameOf } from './names.ts';
import { storyOf } from './story.ts';
import { ACCEPTED, EVERY_EVIDENCE, textOf } from './testing/evidence.ts';
import { evidenceOf } from './testing/honest-evidence.ts';

type Entity = Readonly<Record<string, unknown>> & { readonly '@id': string };

const graphOf = (bytes: Uint8Array): readonly Entity[] =>
  (JSON.parse(textOf(bytes)) as { '@graph': Entity[] })['@graph'];

/** Every `@id` that an entity refers to. */
const referencesOf = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  if ('@id' in value && Object.keys(value).length === 1) return [String(value['@id'])];
  return Object.values(value).flatMap(referencesOf);
};

/** What needs no entity of its own. */
const ELSEWHERE = /^(?:http:\/\/schema\.org\/|https:\/\/w3id\.org\/ro\/crate\/)/;

describe.each(Object.entries(EVERY_EVIDENCE))('the crate of %s', (_, evidence) => {
  const graph = graphOf(roCrateOf(evidence));
  const byId = new Map(graph.map((entity) => [entity['@id'], entity]));
  const root = byId.get('./');
  const ofType = (type: string) => graph.filter((entity) => entity['@type'] === type);

  // RO-Crate 1.1: Root Data Entity, Metadata File Descriptor.
  it('has a descriptor and a root with all that a root must have', () => {
    expect(byId.get('ro-crate-metadata.json')).toMatchObject({
      '@type': 'CreativeWork',
      conformsTo: { '@id': 'https://w3id.org/ro/crate/1.1' },
      about: { '@id': './' },
    });
    expect(root).toMatchObject({
      '@type': 'Dataset',
      conformsTo: [{ '@id': 'https://w3id.org/ro/wfrun/process/0.5' }],
    });
    for (const member of ['name', 'description', 'datePublished', 'license'])
      expect(root).toHaveProperty([member]);
  });

  it('is flat: each entity once, each reference to one that is there', () => {
    expect(byId.size).toBe(graph.length);
    for (const entity of graph)
      for (const reference of referencesOf(entity))
        if (!ELSEWHERE.test(reference))
          expect([reference, byId.has(reference)]).toEqual([reference, true]);
  });

  it('lists every file as a part and every action as mentioned', () => {
    expect(referencesOf(root?.['hasPart'])).toEqual(ofType('File').map((entity) => entity['@id']));
    const actions = [...ofType('CreateAction'), ...ofType('ReviewAction')];
    expect(referencesOf(root?.['mentions']).toSorted()).toEqual(
      actions.map((entity) => entity['@id']).toSorted(),
    );
  });

  // Process Run Crate 0.5, requirements.
  it('has actions with an instrument that is software, and says of each how it ended', () => {
    for (const action of ofType('CreateAction')) {
      const [instrument] = referencesOf(action['instrument']);
      expect(['SoftwareApplication', 'SoftwareSourceCode']).toContain(
        byId.get(instrument ?? '')?.['@type'],
      );
      expect(action).toHaveProperty('name');
      expect(action).toHaveProperty('actionStatus');
      const failed = action['actionStatus'] === 'http://schema.org/FailedActionStatus';
      expect('error' in action).toBe(failed);
    }
  });
});

it('says of attempts that a revert took back that it did', () => {
  const evidence = evidenceOf();
  const graph = graphOf(roCrateOf(evidence));
  const { attempts } = storyOf(evidence);
  const said = [...attempts].flatMap(([mutationId, { decided, undone }]) => {
    const action = graph.find((entity) => entity['@id'] === nameOf('mutation', mutationId));
    if (undone === null) return [];
    expect(referencesOf(action?.['subjectOf'])).toContain(nameOf('event', placeOf(undone)));
    return [[decided?.type, action?.['description']]];
  });
  expect(said).toEqual(
    expect.arrayContaining([
      ['MutationKept', 'Kept, then taken back by a revert of the run.'],
      [undefined, 'Taken back by a revert of the run.'],
    ]),
  );
});

it('has a person under an opaque id who accepted the finding', () => {
  const finding = ACCEPTED.finding.map((event) => ({
    ...event,
    metadata: { ...event.metadata, actor: { role: 'reviewer' as const, id: '7c1e' } },
  }));
  const graph = graphOf(roCrateOf({ ...ACCEPTED, finding }));
  const review = graph.find((entity) => entity['@type'] === 'ReviewAction');
  const [agent] = referencesOf(review?.['agent']);
  expect(graph.find((entity) => entity['@id'] === agent)).toMatchObject({
    '@type': 'Person',
    name: 'reviewer:7c1e',
  });
});
