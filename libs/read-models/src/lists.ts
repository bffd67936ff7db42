import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Indexes for lists in log order, so that a page costs the same however long the log is. Time and role lie in
 * the index, so that rows outside a span are passed over without being read.
 */
const LISTS = {
  studies: ['position', 'registeredAt', 'actorRole'],
  runs: ['position', 'requestedAt', 'actorRole'],
  cutoverAudit: ['position', 'proposedAt', 'actorRole'],
  restoreSource: ['position', 'takenAt', 'actorRole'],
  charges: ['position', 'chargedAt', 'actorRole'],
  findings: ['position', 'proposedAt', 'actorRole'],
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

type List = keyof typeof LISTS;

const inOrder = (table: List): string => `${table}InOrder`;
const filteredBy = (table: List, column: string): string =>
  `${table}By${column[0]?.toUpperCase()}${column.slice(1)}`;

const createIndex = (
  db: Kysely<unknown>,
  name: string,
  table: List,
  columns: readonly string[],
): Promise<void> =>
  db.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .execute();

/** Changes no row: the views stay where they are. */
export const listsMigration: Migration = {
  up: async (db) => {
    for (const [table, columns] of Object.entries(LISTS) as [List, readonly string[]][])
      await createIndex(db, inOrder(table), table, columns);
    for (const [table, column] of FILTERED)
      await createIndex(db, filteredBy(table, column), table, [
        column,
        'position',
        LISTS[table][1],
      ]);
  },
};

/** The run lies in the index as well, so that rows of other studies are passed over without being read. */
const WITH_RUNS: Readonly<Record<List, readonly string[]>> = {
  studies: ['position', 'registeredAt', 'actorRole'],
  runs: ['position', 'requestedAt', 'actorRole'],
  cutoverAudit: ['position', 'proposedAt', 'runId', 'actorRole'],
  restoreSource: ['position', 'takenAt', 'runId', 'actorRole'],
  charges: ['position', 'chargedAt', 'runId', 'actorRole'],
  findings: ['position', 'proposedAt', 'runId', 'actorRole'],
};

/** Changes no row either: the same indexes with more columns, also where the narrower ones were made already. */
export const listsWithRunsMigration: Migration = {
  up: async (db) => {
    for (const [table, columns] of Object.entries(WITH_RUNS) as [List, readonly string[]][]) {
      await db.schema.dropIndex(inOrder(table)).execute();
      await createIndex(db, inOrder(table), table, columns);
    }
    for (const [table, column] of FILTERED) {
      await db.schema.dropIndex(filteredBy(table, column)).execute();
      await createIndex(db, filteredBy(table, column), table, [column, ...WITH_RUNS[table]]);
    }
  },
};
