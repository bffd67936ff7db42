import { hash } from 'node:crypto';
import {
  NOTARY,
  isPlaced,
  readBody,
  summary,
  writeBundle,
  type Leaf,
  type ObjectType,
  type Subject,
} from '#libs/bundle';
import type { NoteSigner } from '#libs/checkpoints';
import type { StoredBytes } from '#libs/provenance';
import { toBase64 } from '#libs/checkpoints';
import {
  headsOver,
  notaryFacts,
  notaryStream,
  ORIGIN,
  treeOver,
  type NotaryFact,
} from '../../libs/bundle/src/testing/fixture.ts';
import { canonicalBytes, type World } from './honest.ts';

export interface PlacedEvent {
  readonly type: string;
  readonly canonical: Uint8Array;
  readonly leaf: Leaf | null;
}

/** What stands in a bundle; header, summary and end follow from it. */
export interface Parts {
  readonly subject: Subject;
  readonly streams: readonly { readonly stream: string; readonly events: readonly PlacedEvent[] }[];
  readonly objects: readonly {
    readonly oid: string;
    readonly type: ObjectType;
    readonly content: Uint8Array;
  }[];
  /** Where each stream's head stands in the tree of heads; made up for a stream that is not here. */
  readonly heads: ReadonlyMap<string, Leaf>;
}

/** The parts of a world's bundle. The tree is that of its events, whatever the notary says of them. */
export const partsOf = ({ events, facts, subject, streams, objects }: World): Parts => {
  const tree = treeOver(events);
  const indices = new Map(events.map((event, index) => [event, index]));
  const placed = (stream: string): readonly PlacedEvent[] => {
    const own = events.filter((event) => event.stream === stream);
    return own.map((event, at) => {
      const index = indices.get(event)!;
      return {
        ...{ type: event.type, canonical: event.canonical },
        leaf: isPlaced(stream, event.type, at === own.length - 1)
          ? { index, proof: tree.inclusion(index, events.length) }
          : null,
      };
    });
  };
  const notary = notaryStream(facts).map(({ type, canonical }) => ({
    type,
    canonical,
    leaf: null,
  }));
  const ends = headsOver(events);
  return {
    subject,
    objects,
    heads: new Map(
      streams.flatMap((stream) => {
        const place = ends.proofOf(stream);
        return place === null ? [] : [[stream, place] as const];
      }),
    ),
    streams: [
      { stream: NOTARY, events: notary },
      ...streams.map((stream) => ({ stream, events: placed(stream) })),
    ].filter(({ events: own }) => own.length > 0),
  };
};

const written = ({ index, proof }: Leaf) => ({ index, proof: proof.map(toBase64) });

/** A bundle of these parts, with a header, a summary and an end that fit them: as somebody with our code would write it. */
export const assembled = async (parts: Parts): Promise<Uint8Array> => {
  const { subject, streams, objects, heads } = parts;
  const told = summary();
  const lines: Uint8Array[] = [];
  for (const { stream, events } of streams)
    for (const [at, { type, canonical }] of events.entries()) {
      const body = isPlaced(stream, type, at === events.length - 1) ? readBody(canonical) : null;
      if (body !== null) told.observe(stream, body);
    }
  const bundle = writeBundle({
    ...{ origin: ORIGIN, subject, objects, summary: told.text(subject) },
    streams: streams.map(({ stream, events }) => ({
      stream,
      events: events.length,
      head: hash('sha256', events.at(-1)!.canonical, 'hex'),
      heads: stream === NOTARY ? null : written(heads.get(stream) ?? { index: 0, proof: [] }),
      read: () =>
        events.map(({ type, canonical, leaf }) => ({
          type,
          canonical,
          leaf: () => leaf ?? { index: 0, proof: [] },
        })),
    })),
  });
  for await (const line of bundle) lines.push(line);
  return Uint8Array.from(Buffer.concat(lines));
};

export type Body = Record<string, unknown> & { data: Record<string, unknown> };

export const bodyOf = ({ canonical }: { readonly canonical: Uint8Array }): Body =>
  JSON.parse(new TextDecoder().decode(canonical)) as Body;

/**
 * The log hashed anew, as somebody who can write to it would leave it: revisions count on, each event names the hash of
 * the one before it, and whatever else names the hash of a changed event names the new one. Signatures stay as they are.
 */
export const rehashed = (
  bodies: readonly { readonly body: Body; readonly was: string }[],
): readonly StoredBytes[] => {
  const heads = new Map<string, StoredBytes>();
  const renamed = new Map<string, string>();
  return bodies.map(({ body, was }, position) => {
    const stream = String(body['stream']);
    const head = heads.get(stream) ?? null;
    const text = JSON.stringify(body).replace(
      /[0-9a-f]{64}/g,
      (found) => renamed.get(found) ?? found,
    );
    const read = JSON.parse(text) as Body;
    const revision = head === null ? 0 : head.revision + 1;
    const canonical = canonicalBytes({
      ...read,
      revision,
      metadata: { ...(read['metadata'] as object), prev: head?.hash ?? null },
    });
    const event: StoredBytes = {
      ...{ position, stream, revision, canonical },
      ...{ id: String(read['id']), type: String(read['type']) },
      hash: hash('sha256', canonical, 'hex'),
    };
    if (was !== event.hash && was !== '') renamed.set(was, event.hash);
    heads.set(stream, event);
    return event;
  });
};

export const bodiesOf = (events: readonly StoredBytes[]) =>
  events.map((event) => ({ body: bodyOf(event), was: event.hash }));

/** What the notary would have said of another log: the same steps with these keys, and nobody else's word on it. */
export const renotarised = (
  facts: readonly NotaryFact[],
  events: readonly StoredBytes[],
  signers: readonly NoteSigner[],
): readonly NotaryFact[] => {
  const say = notaryFacts(events);
  const said: NotaryFact[] = [];
  const newest = facts.findLast(({ type }) => type === 'CheckpointSigned');
  let key = 0;
  let last: number | null = null;
  for (const fact of facts) {
    if (fact.type === 'NotaryOpened') said.push(say.opened(signers[0]!));
    if (fact.type === 'NotaryKeyRotated') {
      said.push(say.rotated(signers[key]!, signers[key + 1]!));
      key += 1;
    }
    if (fact.type !== 'CheckpointSigned') continue;
    const { size } = fact.data as { readonly size: number };
    const next = fact === newest ? events.length : Math.min(size, events.length - 1);
    if (next < 1 || (last !== null && next <= last)) continue;
    said.push(say.signed(signers[key]!, next, last, said));
    last = next;
  }
  return said;
};
