import type { Home } from '#apps/runner';
import type { Fact, RecordedEvent } from '#libs/kernel';

/** Every event of a stream, as the log gives them. */
export const eventsOf = async <E extends Fact = Fact>(
  { log }: Pick<Home, 'log'>,
  stream: string,
): Promise<readonly RecordedEvent<E>[]> => {
  const events: RecordedEvent<E>[] = [];
  for await (const event of log.readStream<E>(stream)) events.push(event);
  return events;
};
