import type { Kysely } from 'kysely';
import { textOf } from '#libs/database';

/** One row a study. */
export interface StudiesTable {
  readonly position: number;
  readonly studyId: string;
  readonly title: string;
  readonly registeredAt: string;
  readonly actorRole: string;
  readonly actorId: string;
  /** Who may see it: those of this project. */
  readonly project: string;
  /** Where it lies on the host that drives its runs; null: nobody said. */
  readonly folder: string | null;
  /** Of its trainings, among those of other studies: lower goes first. */
  readonly priority: number;
  /** Runs that were counted, those that never opened too. */
  readonly runs: number;
  /** Looks at the sealed rows, of all runs. */
  readonly looks: number;
  /** Units that its runs spent, of those that have ended. */
  readonly spent: number;
  readonly lastRevision: number;
}

/** What holds of a study that was never placed. */
export const UNPLACED = { project: 'default', folder: null, priority: 5 } as const satisfies Pick<
  StudiesTable,
  'project' | 'folder' | 'priority'
>;

export const createStudies = async (db: Kysely<unknown>): Promise<void> => {
  const text = textOf(db);
  await db.schema
    .createTable('studies')
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('studyId', text, (column) => column.primaryKey())
    .addColumn('title', text, (column) => column.notNull())
    .addColumn('registeredAt', text, (column) => column.notNull())
    .addColumn('actorRole', text, (column) => column.notNull())
    .addColumn('actorId', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('folder', text)
    .addColumn('priority', 'bigint', (column) => column.notNull())
    .addColumn('runs', 'bigint', (column) => column.notNull())
    .addColumn('looks', 'bigint', (column) => column.notNull())
    .addColumn('spent', 'double precision', (column) => column.notNull())
    .addColumn('lastRevision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('studiesByProject')
    .on('studies')
    .columns(['project', 'position'])
    .execute();
};
