import { expect, it } from 'vitest';
import { eventTypes, memoryEventLog, parseBody } from '#libs/event-log';
import { EVENT_TYPES } from '#libs/payloads';
import { storedEvents } from '../../../../libs/payloads/src/testing/golden.ts';
import { withPlanted } from './planted.ts';

it('names what was planted in a run that had not opened when it was first asked about', async () => {
  const log = memoryEventLog(eventTypes(EVENT_TYPES));
  const ledger = { log };
  const ask = () =>
    Array.fromAsync(withPlanted(ledger, [{ runId: 'pay-1' }], () => 'drop withholding'));
  expect(await ask()).toMatchObject([{ planted: [] }]);

  const stored = storedEvents('v2-pay.jsonl').find(({ type }) => type === 'RunOpened');
  const { id, type, data, metadata } = parseBody(stored!.canonical);
  const { prev: _, ...said } = metadata;
  const opened = await log.append('run-pay-1', 'no-stream', [{ id, type, data, metadata: said }]);
  expect(opened.ok).toBe(true);
  expect(await ask()).toMatchObject([{ planted: ['withholding'] }]);
});
