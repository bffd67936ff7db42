import type { HashedBody, RecordedEvent } from '#libs/kernel';
import { CorruptEvent } from './errors.ts';
import type { EventTypes } from './event-types.ts';
import { parseBody, verifyHash, type ChainedEvent } from './hash-chain.ts';
import type { StoredEvent } from './port.ts';

const recordedFrom = (stored: StoredEvent, body: HashedBody, data: unknown): RecordedEvent => {
  const { prev, ...metadata } = body.metadata;
  return {
    position: stored.position,
    stream: stored.stream,
    revision: stored.revision,
    id: stored.id,
    type: stored.type,
    data,
    metadata,
    prev,
    hash: stored.hash,
    canonical: stored.canonical,
  };
};

const where = ({ stream, revision, position }: StoredEvent): string =>
  `event ${revision} of ${stream} (position ${position})`;

/**
 * The event that `stored` holds: hash checked, place checked, then upcast.
 * Throws {@link CorruptEvent} or UnknownEventVersion.
 */
export const decodeStored = (stored: StoredEvent, types: EventTypes): RecordedEvent => {
  if (!verifyHash(stored)) {
    throw new CorruptEvent(
      `${where(stored)}: its bytes do not hash to ${stored.hash}. It was changed after it was written: verify the log, and restore it from a copy.`,
    );
  }
  let body: HashedBody;
  try {
    body = parseBody(stored.canonical);
  } catch (cause) {
    throw new CorruptEvent(`${where(stored)}: its bytes are not JSON in UTF-8`, { cause });
  }
  for (const key of ['stream', 'revision', 'id', 'type'] as const) {
    if (body[key] !== stored[key]) {
      throw new CorruptEvent(
        `${where(stored)}: it is filed under ${key} ${stored[key]}, but its bytes say ${body[key]}`,
      );
    }
  }
  return recordedFrom(
    stored,
    body,
    types.upcast(body.type, body.metadata.schemaVersion, body.data),
  );
};

/** The event that was just written at `position`. */
export const justRecorded = (event: ChainedEvent, position: number): RecordedEvent => {
  const stored = storedAt(event, position);
  const body = parseBody(stored.canonical);
  return recordedFrom(stored, body, body.data);
};

export const storedAt = (event: ChainedEvent, position: number): StoredEvent => ({
  position,
  stream: event.stream,
  revision: event.revision,
  id: event.event.id,
  type: event.event.type,
  hash: event.hash,
  canonical: event.canonical,
});

const brokenLink = (event: RecordedEvent, found: string): CorruptEvent =>
  new CorruptEvent(
    `${where(event)}: its link to what was before it is broken (${found}). Events were removed, added or moved: verify the log, and restore it from a copy.`,
  );

/**
 * A check that passes on each event of one stream, given in order, if it is linked to the one before it.
 * Throws {@link CorruptEvent}.
 */
export const linkCheck = (
  direction: 'forwards' | 'backwards',
): ((event: RecordedEvent) => RecordedEvent) => {
  let last: RecordedEvent | null = null;
  return (event) => {
    if (last !== null) {
      const [earlier, later] = direction === 'forwards' ? [last, event] : [event, last];
      if (later.revision !== earlier.revision + 1 || later.prev !== earlier.hash) {
        throw brokenLink(later, `the event before it is number ${earlier.revision}`);
      }
    }
    if (event.revision === 0 && event.prev !== null) throw brokenLink(event, 'it is the first');
    last = event;
    return event;
  };
};
