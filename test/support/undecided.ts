import type { RecordedEvent } from '#libs/kernel';
import type { EventLog } from '#libs/event-log';
import { judgeOf } from '../../apps/runner/src/notarising/judge-of.ts';

/** What of a whole log the rules would not have made, append by append, as the notary judges it: nothing of an honest one. */
export const undecided = async ({
  log,
}: {
  readonly log: Pick<EventLog, 'readAll'>;
}): Promise<readonly string[]> => {
  const streams = new Map<string, RecordedEvent[]>();
  for await (const event of log.readAll()) {
    const events = streams.get(event.stream) ?? [];
    events.push(event);
    streams.set(event.stream, events);
  }
  streams.delete('notary');
  const judge = judgeOf();
  const problems: string[] = [];
  for (const events of streams.values()) {
    let from = 0;
    while (from < events.length) {
      const cause = events[from]?.metadata.causationId;
      const end = events.findIndex(
        ({ metadata }, at) => at > from && metadata.causationId !== cause,
      );
      const append = events.slice(from, end === -1 ? undefined : end);
      // Half of the appends without what is remembered: read from the stream's beginning again.
      const anew = from % 2 === 0 ? judge : judgeOf();
      const problem = await anew(append, async function* () {
        yield* events.slice(0, from);
      });
      if (problem !== null) problems.push(problem);
      from += append.length;
    }
  }
  return problems;
};
