import { judgeAppend, remember, startOf, type StreamState } from '#libs/decided';
import { eventTypes } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import { recent } from '../recent.ts';

const types = eventTypes(EVENT_TYPES);

/** Streams that are held in memory: one that made way is read from its first event again. */
const MOST_STREAMS = 500;

/** What keeps an event from being one that the log's door would have let in, in the newest version of its type. */
const misshapen = ({
  stream,
  revision,
  id,
  type,
  data,
  metadata,
}: RecordedEvent): string | null => {
  const newest = { ...metadata, schemaVersion: schemaVersionOf(type) };
  const [problem] = types.problems({ id, type, data, metadata: newest }, type);
  return problem === undefined
    ? null
    : `${stream}@${String(revision)}: found ${problem.path}, which ${problem.message}`;
};

const rebuilt = async (
  stream: string,
  earlier: AsyncIterable<RecordedEvent>,
): Promise<{ readonly state: StreamState; readonly problem: string | null }> => {
  let state = startOf(stream);
  for await (const event of earlier) {
    const remembered = remember(state, [event]);
    if (remembered.problem !== null) return remembered;
    state = remembered.state;
  }
  return { state, problem: null };
};

/**
 * Judges appends of a log in its order: whether each is shaped as the log's door asks and is what the rules decide. Holds
 * the states of the streams that moved last, and rebuilds the others.
 *
 * @returns for the events of one append, in order, and what gives that stream's events before them: why the rules would
 * not have made them, or null
 */
export const judgeOf = () => {
  const states = recent<StreamState>(MOST_STREAMS);
  return async (
    events: readonly RecordedEvent[],
    earlier: () => AsyncIterable<RecordedEvent>,
  ): Promise<string | null> => {
    const [first] = events;
    if (first === undefined) return null;
    for (const event of events) {
      const problem = misshapen(event);
      if (problem !== null) return problem;
    }
    const { stream, prev } = first;
    const known = states.get(stream);
    // By hash: a log that was restored from a copy may have gone on otherwise, to the same revision.
    const before =
      (known?.head?.hash ?? null) === prev
        ? { state: known ?? startOf(stream), problem: null }
        : await rebuilt(stream, earlier());
    if (before.problem !== null) return before.problem;
    const { state, problem } = judgeAppend(before.state, events);
    if (problem === null) states.set(stream, state);
    return problem;
  };
};
