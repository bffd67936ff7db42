import type { RecordedEvent } from '#libs/kernel';

/** Most events that are read, folded and written at a time, and most bytes of them: what memory has to hold. */
export const MOST_EVENTS = 5_000;
export const MOST_BYTES = 16 * 1024 * 1024;

/** Throws when a position is not beyond the one before it. */
const requireNext = ({ position }: RecordedEvent, last: number | null): void => {
  if (last !== null && position <= last)
    throw new Error(`The log gave position ${position} after ${last}: out of order.`);
};

/** The events as they are; throws when they are out of order, or not all beyond `after`. */
export const inOrder = (
  events: readonly RecordedEvent[],
  after: number | null,
): readonly RecordedEvent[] => {
  events.reduce<number | null>((last, event) => {
    requireNext(event, last);
    return event.position;
  }, after);
  return events;
};

/** Up to a batch of events; throws when the log gives them out of order. */
export const collect = async (
  events: AsyncIterable<RecordedEvent>,
  after: number | null,
): Promise<readonly RecordedEvent[]> => {
  const batch: RecordedEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    requireNext(event, batch.at(-1)?.position ?? after);
    batch.push(event);
    bytes += event.canonical.byteLength;
    if (batch.length >= MOST_EVENTS || bytes >= MOST_BYTES) break;
  }
  return batch;
};
