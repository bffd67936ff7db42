import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { cloudEventsOf } from './cloudevents.ts';
import { ACCEPTED, EVERY_EVIDENCE, textOf } from './testing/evidence.ts';

interface CloudEvent {
  readonly specversion: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly time: string;
  readonly datacontenttype: string;
  readonly dataschema: string;
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
  readonly prev?: string;
  readonly data: unknown;
}

describe.each(Object.entries(EVERY_EVIDENCE))('the batch of %s', (_, evidence) => {
  const batch = JSON.parse(textOf(cloudEventsOf(evidence))) as CloudEvent[];

  it('has every event once, in the order of the log', () => {
    const positions = Object.values(evidence)
      .flat()
      .toSorted((a, b) => a.position - b.position);
    expect(batch.map(({ id }) => id)).toEqual(positions.map(({ id }) => id));
  });

  // CloudEvents 1.0.2, sections 3 and 3.1; JSON format, section 3.
  it('has the required attributes, and names of lower-case letters and digits alone', () => {
    for (const event of batch) {
      expect(event.specversion).toBe('1.0');
      for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
      for (const required of [event.id, event.source, event.type]) expect(required).not.toBe('');
      expect(URL.canParse(event.source)).toBe(true);
      expect(URL.canParse(event.dataschema)).toBe(true);
      expect(new Date(event.time).toISOString()).toBe(event.time);
      // An Integer is one of 32 bits.
      expect(event.revision | 0).toBe(event.revision);
      for (const value of Object.values(event)) expect(value).not.toBeNull();
    }
    expect(new Set(batch.map(({ source, id }) => `${source} ${id}`)).size).toBe(batch.length);
  });

  it('lets whoever holds it check the chain: the data hash to the hash, each names the one before', () => {
    const heads = new Map<string, CloudEvent>();
    for (const event of batch) {
      expect(hash('sha256', canonicalize(event.data) ?? '', 'hex')).toBe(event.hash);
      const before = heads.get(event.stream);
      if (before?.revision === event.revision - 1) expect(event.prev).toBe(before.hash);
      expect(event.prev === undefined).toBe(event.revision === 0);
      heads.set(event.stream, event);
    }
  });
});

it('says type and version as they were written', () => {
  const batch = JSON.parse(textOf(cloudEventsOf(ACCEPTED))) as CloudEvent[];
  for (const { type, dataschema, data } of batch) {
    const body = data as { type: string; metadata: { schemaVersion: number } };
    expect(type).toBe(`holdfast.${body.type}`);
    expect(dataschema).toBe(`urn:holdfast:schema:${body.type}:${body.metadata.schemaVersion}`);
  }
});
