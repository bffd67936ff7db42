import { describe, expect, it } from 'vitest';
import { provOf } from './prov.ts';
import { storyOf } from './story.ts';
import { EVERY_EVIDENCE, textOf, VERIFIED } from './testing/evidence.ts';

type Section = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Document = Readonly<Record<string, Section>>;

const ELEMENTS = ['entity', 'activity', 'agent'];

/** The kinds of element that each relation may join (PROV-DM, table 5). */
const RELATIONS: Readonly<Record<string, readonly [string, string, string, string]>> = {
  used: ['prov:activity', 'activity', 'prov:entity', 'entity'],
  wasGeneratedBy: ['prov:entity', 'entity', 'prov:activity', 'activity'],
  wasInvalidatedBy: ['prov:entity', 'entity', 'prov:activity', 'activity'],
  wasDerivedFrom: ['prov:generatedEntity', 'entity', 'prov:usedEntity', 'entity'],
  wasInformedBy: ['prov:informed', 'activity', 'prov:informant', 'activity'],
  wasAssociatedWith: ['prov:activity', 'activity', 'prov:agent', 'agent'],
  wasAttributedTo: ['prov:entity', 'entity', 'prov:agent', 'agent'],
  specializationOf: ['prov:specificEntity', 'entity', 'prov:generalEntity', 'entity'],
};

describe.each(Object.entries(EVERY_EVIDENCE))('PROV of %s', (_, evidence) => {
  const document = JSON.parse(textOf(provOf(evidence))) as Document;
  const relations = Object.entries(document).filter(
    ([kind]) => kind !== 'prefix' && !ELEMENTS.includes(kind),
  );

  it('has no other sections than PROV-JSON has, and names under declared prefixes', () => {
    const known = ['prefix', ...ELEMENTS, ...Object.keys(RELATIONS)];
    expect(Object.keys(document).filter((section) => !known.includes(section))).toEqual([]);
    const prefixes = Object.keys(document['prefix'] ?? {});
    for (const kind of ELEMENTS)
      for (const id of Object.keys(document[kind] ?? {}))
        expect(prefixes).toContain(id.split(':')[0]);
  });

  it('joins what it declares, by relations between the right kinds', () => {
    for (const [kind, members] of relations)
      for (const relation of Object.values(members)) {
        const [from, fromKind, to, toKind] = RELATIONS[kind] ?? ['', '', '', ''];
        expect(document[fromKind]).toHaveProperty([String(relation[from])]);
        expect(document[toKind]).toHaveProperty([String(relation[to])]);
        if (kind === 'wasDerivedFrom' && 'prov:activity' in relation)
          expect(document['activity']).toHaveProperty([String(relation['prov:activity'])]);
      }
  });

  // PROV-CONSTRAINTS: an element is of one kind; what is made or ended is so once; it is ended after it was made.
  it('keeps the constraints on kinds, generation, invalidation and time', () => {
    const ids = ELEMENTS.flatMap((kind) => Object.keys(document[kind] ?? {}));
    expect(new Set(ids).size).toBe(ids.length);
    const moments = (kind: string): ReadonlyMap<string, string> => {
      const all = Object.values(document[kind] ?? {});
      const by = new Map(
        all.map((one) => [String(one['prov:entity']), String(one['prov:time'])] as const),
      );
      expect(by.size).toBe(all.length);
      return by;
    };
    const made = moments('wasGeneratedBy');
    for (const [entity, time] of moments('wasInvalidatedBy'))
      expect(time >= (made.get(entity) ?? '9')).toBe(true);
    for (const activity of Object.values(document['activity'] ?? {}))
      if ('prov:endTime' in activity)
        expect(String(activity['prov:endTime']) >= String(activity['prov:startTime'])).toBe(true);
  });

  it('has each program as one of a tree, and all predictions as those of a file', () => {
    const general = new Map(
      Object.values(document['specializationOf'] ?? {}).map((one) => [
        String(one['prov:specificEntity']),
        String(one['prov:generalEntity']),
      ]),
    );
    const specific = Object.keys(document['entity'] ?? {}).filter((id) =>
      /^hf:(?:program|predictions):/.test(id),
    );
    expect(specific.length).toBeGreaterThan(0);
    for (const id of specific)
      expect(general.get(id)).toMatch(id.startsWith('hf:program:') ? /^git:dir:/ : /^git:cnt:/);
  });

  it('rests each activity and each relation but specialisations on events', () => {
    for (const activity of Object.values(document['activity'] ?? {}))
      expect(activity).toHaveProperty(['hf:restsOn']);
    for (const [kind, members] of relations)
      if (kind !== 'specializationOf')
        for (const relation of Object.values(members))
          expect(relation).toHaveProperty(['hf:restsOn']);
  });
});

it('leads from the finding back to the source, over every kept mutation', () => {
  const document = JSON.parse(textOf(provOf(VERIFIED))) as Document;
  const edges = [
    ...Object.values(document['wasDerivedFrom'] ?? {}).map((one) => [
      one['prov:generatedEntity'],
      one['prov:usedEntity'],
    ]),
    // A tree is the tree of whatever program has it.
    ...Object.values(document['specializationOf'] ?? {}).map((one) => [
      one['prov:generalEntity'],
      one['prov:specificEntity'],
    ]),
  ];
  const reached = new Set<unknown>(['hf:finding:pay-1-f1']);
  for (const entity of reached)
    for (const [from, to] of edges) if (from === entity) reached.add(to);
  const { chain } = storyOf(VERIFIED).proposed.data;
  for (const mutation of chain.mutations) expect(reached).toContain(`hf:program:${mutation}`);
  expect(reached).toContain(`git:dir:${chain.sourceTree}`);
});
