import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventTypes } from './event-types.ts';
import { eventLogContract } from './event-log.contract.ts';
import { openSqliteEventLog } from './sqlite-event-log.ts';

const open = (path: string, types: EventTypes) => {
  const opened = openSqliteEventLog(path, types);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value.log;
};

eventLogContract('SQLite', async (types) => {
  const folder = mkdtempSync(join(tmpdir(), 'event-log-'));
  const path = join(folder, 'log.db');
  const log = open(path, types);
  return {
    log,
    reopen: async (others) => open(path, others),
    dispose: async () => {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
});
