import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogUnavailable,
  openKurrentEventLog,
  verifyHash,
  type EventLog,
} from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { all, contractTypes, noted } from '../../libs/event-log/src/event-log.contract.ts';

export const mustOpenEventStore = async (
  connectionString: string,
  prefix: string,
  deadline = 10_000,
): Promise<EventLog> => {
  const opened = await openKurrentEventLog({ connectionString, prefix, deadline }, contractTypes);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value.log;
};

/**
 * Appends events one by one, as a program that never gives up: the same events again whenever the log cannot be
 * reached. Gives their ids. Throws when an append is refused: nothing but an equal one may stand there.
 */
export const appendUntil = async (
  log: EventLog,
  stream: string,
  { events, from = 0 }: { readonly events: number; readonly from?: number },
): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (let revision = from; revision < from + events; revision += 1) {
    const event = noted(`${stream}-${revision}`);
    for (;;) {
      try {
        const appended = await log.append(stream, revision === 0 ? 'no-stream' : revision - 1, [
          event,
        ]);
        if (!appended.ok) throw new Error(appended.error.message);
        break;
      } catch (error) {
        if (!(error instanceof EventLogUnavailable)) throw error;
        await sleep(50);
      }
    }
    ids.push(event.id);
  }
  return ids;
};

/** Everything in the log. Throws unless every stream is dense from 0, linked, and each event there once. */
export const wholeLog = async (log: EventLog): Promise<readonly RecordedEvent[]> => {
  const events = await all(log.readAll());
  const last = new Map<string, RecordedEvent>();
  for (const event of events) {
    const before = last.get(event.stream);
    if (
      event.revision !== (before?.revision ?? -1) + 1 ||
      event.prev !== (before?.hash ?? null) ||
      !verifyHash(event)
    )
      throw new Error(`event ${event.revision} of ${event.stream} does not follow on`);
    last.set(event.stream, event);
  }
  for (const [stream, { revision }] of last)
    if ((await all(log.readStream(stream))).length !== revision + 1)
      throw new Error(`${stream} is not the same when it is read by itself`);
  if (new Set(events.map(({ id }) => id)).size !== events.length)
    throw new Error('an event is there twice');
  return events;
};
