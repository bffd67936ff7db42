import { join } from 'node:path';
import { eventTypes, openSqliteEventLog, type EventLog } from '#libs/event-log';
import { deriveId, type NewEvent, type RecordedEvent } from '#libs/kernel';
import type { NotaryEvent, NotarySigner } from '#libs/notary';
import { EVENT_TYPES } from '#libs/payloads';
import { generateKey, signRaw } from '#libs/signatures';
import { NOTARY } from '../streams.ts';

export const clock = { now: () => '2026-11-20T08:00:00.000Z' };

/** A signer with a key that was made just now. */
export const newSigner = (): NotarySigner => {
  const key = generateKey();
  return {
    publicKey: Buffer.from(key.publicKey, 'base64'),
    sign: async (message) => signRaw(key, message),
  };
};

export const openLogIn = (folder: string): EventLog => {
  const opened = openSqliteEventLog(join(folder, 'log.sqlite'), eventTypes(EVENT_TYPES));
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value.log;
};

let ids = 0;

/** An event that anybody may have caused. */
export const readOf = (asked: string, cause = `cause ${ids}`): NewEvent => ({
  id: deriveId('read', (ids += 1)),
  type: 'LedgerRead',
  data: { operation: 'getRun', asked: { id: asked } },
  metadata: {
    correlationId: 'a',
    causationId: cause,
    actor: { role: 'auditor', id: 'a' },
    time: clock.now(),
    schemaVersion: 1,
  },
});

/** Appends so many events, over three streams. */
export const grow = async (log: EventLog, count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) {
    const stream = `access-${at % 3}`;
    let revision: number | 'no-stream' = 'no-stream';
    for await (const event of log.readStream(stream, { direction: 'backwards', limit: 1 }))
      revision = event.revision;
    const appended = await log.append(stream, revision, [readOf(`run ${at}`)]);
    if (!appended.ok) throw new Error(appended.error.message);
  }
};

export const notaryEventsOf = async (
  log: EventLog,
): Promise<readonly RecordedEvent<NotaryEvent>[]> => {
  const events: RecordedEvent<NotaryEvent>[] = [];
  for await (const event of log.readStream<NotaryEvent>(NOTARY)) events.push(event);
  return events;
};
