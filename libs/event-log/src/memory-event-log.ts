import { ok } from '#libs/kernel';
import { admit } from './admission.ts';
import { EventLogUnavailable } from './errors.ts';
import type { EventTypes } from './event-types.ts';
import { place, type LogIndex } from './placement.ts';
import type { EventLog, StoredEvent } from './port.ts';
import { reading, type Pages } from './reading.ts';
import { decodeStored, justRecorded, storedAt } from './stored-event.ts';
import { news } from './subscription.ts';

const PAGE_EVENTS = 512;

/** An event log that lives as long as its process: for tests, simulations and other short-lived use. */
export const memoryEventLog = (types: EventTypes): EventLog => {
  const events: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const ids = new Map<string, StoredEvent>();
  const appended = news();
  let closed = false;

  const index: LogIndex = {
    head: (stream) => streams.get(stream)?.at(-1) ?? null,
    byId: (id) => ids.get(id) ?? null,
    at: (stream, revision) => streams.get(stream)?.[revision] ?? null,
  };

  const assertOpen = () => {
    if (closed) throw new EventLogUnavailable('the event log is closed');
  };

  /** Readers get bytes of their own, so that nobody can change the log through them. */
  const copies = (page: readonly StoredEvent[]): readonly StoredEvent[] => {
    assertOpen();
    return page.map((stored) => ({ ...stored, canonical: stored.canonical.slice() }));
  };

  const pages: Pages = {
    byPosition: (after, upTo, limit) =>
      copies(events.slice(after, Math.min(upTo, after + Math.min(limit, PAGE_EVENTS)))),
    byRevision: (stream, from, to, direction, limit) => {
      const count = Math.min(limit, PAGE_EVENTS);
      const found = streams.get(stream) ?? [];
      return copies(
        direction === 'forwards'
          ? found.slice(from, Math.min(to + 1, from + count))
          : found.slice(Math.max(from, to + 1 - count), to + 1).reverse(),
      );
    },
    lastPosition: () => events.length,
    lastRevision: (stream) => (streams.get(stream)?.length ?? 0) - 1,
    closed: () => closed,
  };

  return {
    ...reading(pages, types, appended),

    append: async (stream, expected, batch) => {
      assertOpen();
      const admitted = admit(types, stream, expected, batch);
      if (!admitted.ok) return admitted;
      const placed = place(index, admitted.value);
      if (!placed.ok) return placed;
      if (placed.value.kind === 'repeated') {
        const repeated = placed.value.events.map((stored) => decodeStored(stored, types));
        return ok({ events: repeated, repeated: true });
      }
      const written = placed.value.events.map((event) => {
        const stored = storedAt(event, events.length + 1);
        events.push(stored);
        ids.set(stored.id, stored);
        const found = streams.get(stream);
        if (found === undefined) streams.set(stream, [stored]);
        else found.push(stored);
        return justRecorded(event, stored.position);
      });
      appended.announce();
      return ok({ events: written, repeated: false });
    },

    close: async () => {
      closed = true;
      appended.announce();
    },
  };
};
