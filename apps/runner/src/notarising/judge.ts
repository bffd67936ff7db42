import type { RecordedEvent } from '#libs/kernel';

/**
 * Says why the rules would not have made the events of one append, or null where they would have.
 *
 * @param events - what one append wrote to a stream, in order; never empty
 * @param earlier - the events of that stream before them, in order, for whoever does not remember
 */
export type Judge = (
  events: readonly RecordedEvent[],
  earlier: () => AsyncIterable<RecordedEvent>,
) => Promise<string | null>;

/** No judge: takes every event for one that the rules made, and decides nothing again. */
export const judgesNothing: Judge = async () => null;
