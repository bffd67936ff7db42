import { randomUUID } from 'node:crypto';
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

if (real !== undefined) {
  eventLogContract(
    'a real server',
    async (types) => {
      const prefix = `t-${randomUUID()}-`;
      const log = await opened(real, prefix, types);
      return {
        log,
        reopen: (others) => opened(real, prefix, others),
        dispose: () => log.close(),
      };
    },
    { ids: 'stream', positions: 'last' },
  );
}
