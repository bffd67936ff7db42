import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { AdmittedBatch } from './admission.ts';
import { chain, type ChainedEvent } from './hash-chain.ts';
import type { AppendRefusalCode, StoredEvent } from './port.ts';

/** What placing a batch asks of a log. */
export interface LogIndex {
  /** The stream's last event, null when it has none. */
  readonly head: (stream: string) => { readonly revision: number; readonly hash: string } | null;
  readonly byId: (id: string) => StoredEvent | null;
  readonly at: (stream: string, revision: number) => { readonly hash: string } | null;
}

/** What is to be done with a batch: write these, or nothing, because they are there. */
export type Placement =
  | { readonly kind: 'write'; readonly events: readonly ChainedEvent[] }
  | { readonly kind: 'repeated'; readonly events: readonly StoredEvent[] };

const reused = (
  message: string,
): { readonly ok: false; readonly error: Refusal<AppendRefusalCode> } =>
  refused({
    code: 'event-id-reused',
    message: `${message}. Nothing was written: an id belongs to one event for ever; derive ids from the command and the event's ordinal.`,
  });

const sameBytes = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

const placeRepeated = (
  index: LogIndex,
  { stream, expected, events }: AdmittedBatch,
  found: readonly (StoredEvent | null)[],
): Result<Placement, Refusal<AppendRefusalCode>> => {
  const prev = expected === 'no-stream' ? null : (index.at(stream, expected)?.hash ?? null);
  const sent = chain(prev, events);
  const repeated: StoredEvent[] = [];
  for (const [ordinal, event] of sent.entries()) {
    const stored = found[ordinal] ?? null;
    const name = `event ${ordinal} of the batch (id ${event.event.id})`;
    if (stored === null) {
      return reused(`${name} is new, but another one of the same batch is in the log already`);
    }
    if (!sameBytes(stored.canonical, event.canonical)) {
      const samePlace = stored.stream === stream && stored.revision === event.revision;
      return reused(
        samePlace
          ? `${name} is in the log with other content, as event ${stored.revision} of ${stored.stream}`
          : `${name} is in the log as event ${stored.revision} of ${stored.stream}, not as event ${event.revision} of ${stream}`,
      );
    }
    repeated.push(stored);
  }
  return ok({ kind: 'repeated', events: repeated });
};

const standing = (revision: number | 'no-stream'): string =>
  revision === 'no-stream' ? 'no event' : `its last event at revision ${revision}`;

/** Decides an append. The caller holds the log still until it has acted on the answer. */
export const place = (
  index: LogIndex,
  batch: AdmittedBatch,
): Result<Placement, Refusal<AppendRefusalCode>> => {
  const { stream, expected, events } = batch;
  const ids = new Set(events.map(({ event }) => event.id));
  if (ids.size < events.length) return reused('the batch holds an id twice');

  const found = events.map(({ event }) => index.byId(event.id));
  if (found.some((stored) => stored !== null)) return placeRepeated(index, batch, found);

  const head = index.head(stream);
  const actual = head?.revision ?? 'no-stream';
  if (actual !== expected) {
    return refused({
      code: 'wrong-expected-revision',
      message: `stream ${stream}: expected ${standing(expected)}, found ${standing(actual)}. Nothing was written: load the stream again and decide again.`,
    });
  }
  return ok({ kind: 'write', events: chain(head?.hash ?? null, events) });
};
