import { hash as digest } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { HashedBody, NewEvent } from '#libs/kernel';

/** The most bytes that an event may take, counted on its canonical form. */
export const MAX_EVENT_BYTES = 1024 * 1024;

/** An event with its place in its stream but not yet with its `prev`: canonical text before and after it. */
export interface UnchainedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
  readonly beforePrev: string;
  readonly afterPrev: string;
}

/** An event ready to be stored. */
export interface ChainedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
  readonly prev: string | null;
  readonly hash: string;
  readonly canonical: Uint8Array;
}

/** The form of a JSON value that everybody computes alike (RFC 8785). Throws on what JSON cannot say. */
export const canonicalJson = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError(`JSON cannot say ${typeof value}`);
  return text;
};

/** SHA-256, lower-case hex. */
export const sha256 = (bytes: Uint8Array): string => digest('sha256', bytes, 'hex');

/**
 * All of an event's canonical text but `prev`, which is known only when its turn to be written comes.
 * RFC 8785 sorts members by name, and the envelope's names are fixed, so its frame can stand here as a
 * template: the payload is canonicalised once, and what the caller does to it later changes nothing.
 */
export const unchained = (stream: string, revision: number, event: NewEvent): UnchainedEvent => {
  const { actor, causationId, correlationId, schemaVersion, time } = event.metadata;
  return {
    stream,
    revision,
    event,
    beforePrev:
      `{"data":${canonicalJson(event.data)},"id":${canonicalJson(event.id)},"metadata":{` +
      `"actor":{"id":${canonicalJson(actor.id)},"role":${canonicalJson(actor.role)}},` +
      `"causationId":${canonicalJson(causationId)},"correlationId":${canonicalJson(correlationId)},"prev":`,
    afterPrev:
      `,"schemaVersion":${canonicalJson(schemaVersion)},"time":${canonicalJson(time)}},` +
      `"revision":${canonicalJson(revision)},"stream":${canonicalJson(stream)},` +
      `"type":${canonicalJson(event.type)}}`,
  };
};

const utf8 = new TextEncoder();

/** Links events of one stream, in order, to `prev` (the hash of the stream's last event) and to each other. */
export const chain = (
  prev: string | null,
  events: readonly UnchainedEvent[],
): readonly ChainedEvent[] => {
  let last = prev;
  return events.map(({ stream, revision, event, beforePrev, afterPrev }) => {
    const link = last;
    const canonical = utf8.encode(beforePrev + (link === null ? 'null' : `"${link}"`) + afterPrev);
    last = sha256(canonical);
    return { stream, revision, event, prev: link, hash: last, canonical };
  });
};

/** Whether the stored bytes are those that were hashed. Looks at nothing else: not at links, not at places. */
export const verifyHash = (stored: {
  readonly canonical: Uint8Array;
  readonly hash: string;
}): boolean => sha256(stored.canonical) === stored.hash;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body that the stored bytes spell. Throws when they are not UTF-8 or not JSON. */
export const parseBody = (canonical: Uint8Array): HashedBody =>
  JSON.parse(strictUtf8.decode(canonical)) as HashedBody;
