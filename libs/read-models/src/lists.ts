import type { Migration } from 'kysely/migration';

/**
 * Indexes for lists in log order, so that a page costs the same however long the log is. Time, run and role
 * lie in the index, so that rows outside a span or of other studies are passed over without being read.
 */
const LISTS = {
  studies: ['position', 'registeredAt', 'actorRole'],
  runs: ['position', 'requestedAt', 'actorRole'],
  cutoverAudit: ['position', 'proposedAt', 'runId', 'actorRole'],
  restoreSource: ['position', 'takenAt', 'runId', 'actorRole'],
  charges: ['position', 'chargedAt', 'runId', 'actorRole'],
  findings: ['position', 'proposedAt', 'runId', 'actorRole'],
} as const;

/** What lists are filtered by that most rows may fail. */
const FILTERED = [
  ['runs', 'status'],
  ['runs', 'actorId'],
  ['cutoverAudit', 'decision'],
  ['cutoverAudit', 'actorId'],
  ['restoreSource', 'actorId'],
  ['charges', 'actorId'],
  ['findings', 'verdict'],
  ['findings', 'review'],
  ['findings', 'actorId'],
] as const;

/** Changes no row: the views stay where they are. */
export const listsMigration: Migration = {
  up: async (db) => {
    for (const [table, columns] of Object.entries(LISTS))
      await db.schema
        .createIndex(`${table}InOrder`)
        .on(table)
        .columns([...columns])
        .execute();
    for (const [table, column] of FILTERED)
      await db.schema
        .createIndex(`${table}By${column[0]?.toUpperCase()}${column.slice(1)}`)
        .on(table)
        .columns([column, ...LISTS[table]])
        .execute();
  },
};
