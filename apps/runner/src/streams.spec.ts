import { expect, it } from 'vitest';
import { eventTypes, memoryEventLog, type EventLog, type ReadOptions } from '#libs/event-log';
import { ok, type Fact, type PrivateText } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import type { PlaceStudy, RegisterStudy } from '#libs/studies';
import { SEALED } from '../../../libs/kernel/src/testing/sealed-text.ts';
import { fleetStream, studyStreams } from './streams.ts';

it('takes what a human wrote sealed, and lets nothing of it in clear into the log', async () => {
  const log = memoryEventLog(eventTypes(EVENT_TYPES));
  const fleet = fleetStream(log, { now: () => '2026-01-01T00:00:00.000Z' });
  const operator = { role: 'operator', id: 'local' } as const;
  const keyId = '0123456789abcdef';
  const publicKey = Buffer.alloc(32).toString('base64');
  const dismiss = (id: string, reason: PrivateText) =>
    fleet.send('fleet', { type: 'DismissWorker', id, data: { keyId, reason } }, operator);
  await fleet.send(
    'fleet',
    { type: 'AdmitWorker', id: 'a', data: { keyId, publicKey, label: 'gpu-1' } },
    operator,
  );
  await expect(dismiss('b', { kind: 'plain', text: 'sold' })).rejects.toThrow('in clear');
  expect((await fleet.load('fleet')).head?.revision).toBe(0);
  expect(await dismiss('c', SEALED)).toMatchObject({
    ok: true,
    value: [{ type: 'WorkerDismissed', data: { reason: SEALED } }],
  });
});

it('knows a request again however much came since, and reads no event twice to tell', async () => {
  const kept = memoryEventLog(eventTypes(EVENT_TYPES));
  let read: number[] = [];
  const log: EventLog = {
    ...kept,
    async *readStream<E extends Fact>(stream: string, options?: ReadOptions) {
      for await (const event of kept.readStream<E>(stream, options)) {
        read.push(event.revision);
        yield event;
      }
    },
  };
  const studies = studyStreams(log, { now: () => '2026-01-01T00:00:00.000Z' });
  const actor = { role: 'researcher', id: 'somebody' } as const;
  const ask = async (command: Omit<RegisterStudy, 'id'> | Omit<PlaceStudy, 'id'>, id: string) => {
    read = [];
    const asked = await studies.request(
      'pay',
      { commandId: id, causationId: id, actor },
      async () => ok({ ...command, id }),
    );
    if (!asked.ok) throw new Error(asked.error.message);
    return asked.value;
  };
  const place = (at: number) =>
    ({
      type: 'PlaceStudy',
      data: { project: 'research', folder: 'pay', priority: at },
    }) as const;
  await ask({ type: 'RegisterStudy', data: { studyId: 'pay', title: 'Pay' } }, 'register');
  const [first] = (await ask(place(1), 'place 1')).events;
  for (let at = 2; at <= 9; at += 1) await ask(place(at), `place ${at}`);
  // The event of the request before this one, once for the state and once for its id.
  expect(read).toEqual([8, 8]);

  expect(await ask(place(1), 'place 1')).toEqual({ events: [first], repeated: true });
  expect((await studies.load('pay')).state.priority).toBe(9);
});
