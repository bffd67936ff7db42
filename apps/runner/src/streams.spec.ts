import { expect, it } from 'vitest';
import { eventTypes, memoryEventLog } from '#libs/event-log';
import type { PrivateText } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { SEALED } from '../../../libs/kernel/src/testing/sealed-text.ts';
import { fleetStream } from './streams.ts';

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
