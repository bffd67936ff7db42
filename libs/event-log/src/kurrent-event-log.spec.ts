import { randomUUID } from 'node:crypto';
import { startEventStoreDouble } from '../../../test/doubles/event-store/event-store-double.ts';
import type { EventTypes } from './event-types.ts';
import { eventLogContract } from './event-log.contract.ts';
import { openKurrentEventLog } from './kurrent-event-log.ts';
import type { EventLog } from './port.ts';

const real = process.env['HOLDFAST_TEST_EVENTSTORE'];

const opened = async (
  connectionString: string,
  prefix: string,
  types: EventTypes,
): Promise<EventLog> => {
  const found = await openKurrentEventLog({ connectionString, prefix }, types);
  if (!found.ok) throw new Error(found.error.message);
  return found.value.log;
};

const capabilities = { ids: 'stream', positions: 'last' } as const;

eventLogContract(
  'EventStoreDB (a double)',
  async (types) => {
    const double = await startEventStoreDouble({ maxAppendBytes: 15 * 1024 * 1024 });
    const log = await opened(double.connectionString, '', types);
    return {
      log,
      reopen: (others) => opened(double.connectionString, '', others),
      dispose: async () => {
        await log.close();
        await double.stop();
      },
    };
  },
  capabilities,
);

if (real !== undefined) {
  eventLogContract(
    'EventStoreDB (a real server)',
    async (types) => {
      const prefix = `t-${randomUUID()}-`;
      const log = await opened(real, prefix, types);
      return {
        log,
        reopen: (others) => opened(real, prefix, others),
        dispose: () => log.close(),
      };
    },
    capabilities,
  );
}
