import { expect, it } from 'vitest';
import { all, contractTypes, eventLogContract, noted } from './event-log.contract.ts';
import { memoryEventLog } from './memory-event-log.ts';

eventLogContract('memory', async (types) => {
  const log = memoryEventLog(types);
  return { log, reopen: null, dispose: () => log.close() };
});

it('cannot be changed through what it gives', async () => {
  const log = memoryEventLog(contractTypes);
  await log.append('s', 'no-stream', [noted('a')]);
  for await (const event of log.readAll()) event.canonical.fill(0);
  expect(await all(log.readAll())).toHaveLength(1);
});
