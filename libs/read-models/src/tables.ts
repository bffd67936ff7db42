import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';
import { chargesMigration, type ChargesTable } from './charges/table.ts';
import {
  cutoverAuditMigration,
  type CutoverAuditTable,
  type HypothesesTable,
} from './cutover-audit/table.ts';
import { addLooks, addReplays, findingsMigration, type FindingsTable } from './findings/table.ts';
import { listsMigration, listsWithRunsMigration } from './lists.ts';
import { restoreSourceMigration, type RestoreSourceTable } from './restore-source/table.ts';
import { addNote, createRuns, runsMigration, type RunsTable } from './runs/table.ts';
import { createStudies, type StudiesTable } from './studies/table.ts';
import { createTrail, type TrailLinksTable, type TrailTable } from './trail/table.ts';

export interface ViewTables extends ProjectedTables {
  readonly viewPosition: ViewPositionTable;
}

/** The tables that projections write. */
export interface ProjectedTables {
  readonly studies: StudiesTable;
  readonly runs: RunsTable;
  readonly cutoverAudit: CutoverAuditTable;
  readonly hypotheses: HypothesesTable;
  readonly restoreSource: RestoreSourceTable;
  readonly charges: ChargesTable;
  readonly findings: FindingsTable;
  readonly trail: TrailTable;
  readonly trailLinks: TrailLinksTable;
}

/** One row: how far into the log the views have come. */
export interface ViewPositionTable {
  readonly id: string;
  /** The last event projected; null before the first. */
  readonly position: number | null;
}

/** Each table whose rows change, with the column that a row is known by. */
export const KEYS = {
  studies: 'studyId',
  runs: 'runId',
  cutoverAudit: 'mutationId',
  hypotheses: 'hypothesisId',
  restoreSource: 'restorePointId',
  charges: 'chargeId',
  findings: 'findingId',
} as const satisfies { readonly [T in keyof ProjectedTables]?: keyof ProjectedTables[T] };

export type ChangingTable = keyof typeof KEYS;
export const CHANGING = Object.keys(KEYS) as readonly ChangingTable[];

/** Tables that only grow: no projection looks at a row of theirs again. */
export const GROWING = [
  'trail',
  'trailLinks',
] as const satisfies readonly (keyof ProjectedTables)[];
export type GrowingTable = (typeof GROWING)[number];

/** What a rebuild makes anew. */
export const PROJECTED: readonly (keyof ProjectedTables)[] = [...GROWING, ...CHANGING];

export const POSITION_ROW = 'views';

const positionMigration: Migration = {
  up: async (db) => {
    await db.schema
      .createTable('viewPosition')
      .addColumn('id', textOf(db), (column) => column.primaryKey())
      .addColumn('position', 'bigint')
      .execute();
    await db.insertInto('viewPosition').values({ id: POSITION_ROW, position: null }).execute();
  },
};

/** Every row of these tables, those of then, is made anew from the log. */
const forgetRows = async (
  db: Kysely<ViewTables>,
  tables: readonly (keyof ProjectedTables)[],
): Promise<void> => {
  for (const table of tables) await db.deleteFrom(table).execute();
  await db.updateTable('viewPosition').set({ position: null }).execute();
};

const BEFORE_STUDIES = [
  'cutoverAudit',
  'hypotheses',
  'restoreSource',
  'charges',
  'findings',
] as const;

/** Runs from their request on, and their studies. What was projected before says nothing of either. */
const studiesMigration: Migration = {
  up: async (db) => {
    await db.schema.dropTable('runs').execute();
    await createRuns(db);
    await createStudies(db);
    await forgetRows(db as Kysely<ViewTables>, BEFORE_STUDIES);
  },
};

/** Findings with the look that they rest on. */
const looksMigration: Migration = {
  up: async (db) => {
    await addLooks(db);
    await forgetRows(db as Kysely<ViewTables>, ['studies', 'runs', ...BEFORE_STUDIES]);
  },
};

/** What humans wrote, in the sealed form of the log. */
const privateTextsMigration: Migration = {
  up: async (db) => {
    await addNote(db);
    await forgetRows(db as Kysely<ViewTables>, ['studies', 'runs', ...BEFORE_STUDIES]);
  },
};

/** Findings with what came of training their programs again. */
const replaysMigration: Migration = {
  up: async (db) => {
    await addReplays(db);
    await forgetRows(db as Kysely<ViewTables>, ['studies', 'runs', ...BEFORE_STUDIES]);
  },
};

/** Every event with what it made and used, in place of what earlier forms (011 to 013) held of that. */
const trailMigration: Migration = {
  up: async (db) => {
    for (const table of GROWING) await db.schema.dropTable(table).ifExists().execute();
    await createTrail(db);
    await forgetRows(db as Kysely<ViewTables>, ['studies', 'runs', ...BEFORE_STUDIES]);
  },
};

/** What it made is made in another form later on. */
const NOTHING_LEFT: Migration = { up: () => Promise.resolve() };

/**
 * Run in the order of their names. One that changes a view ends by setting the position to null and emptying the
 * tables: the next catch-up fills them again.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-position': positionMigration,
  '002-runs': runsMigration,
  '003-cutover-audit': cutoverAuditMigration,
  '004-restore-source': restoreSourceMigration,
  '005-charges': chargesMigration,
  '006-findings': findingsMigration,
  '007-studies': studiesMigration,
  '008-lists': listsMigration,
  '009-looks': looksMigration,
  '010-lists-with-runs': listsWithRunsMigration,
  '011-trail': NOTHING_LEFT,
  '012-private-texts': privateTextsMigration,
  '013-replays': replaysMigration,
  '014-trail': trailMigration,
};
