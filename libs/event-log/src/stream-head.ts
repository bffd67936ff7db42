import type { RecordedEvent } from '#libs/kernel';
import type { EventLog } from './port.ts';

/** The last event of `stream`, null when it has none. Its revision is what the next append must expect. */
export const streamHead = async (
  log: Pick<EventLog, 'readStream'>,
  stream: string,
): Promise<RecordedEvent | null> => {
  for await (const event of log.readStream(stream, { direction: 'backwards', limit: 1 }))
    return event;
  return null;
};
