import type { Kysely } from 'kysely';
import { POSITION_ROW, type ViewTables } from './tables.ts';

export const readPosition = async (db: Kysely<ViewTables>): Promise<number | null> => {
  const row = await db
    .selectFrom('viewPosition')
    .select('position')
    .where('id', '=', POSITION_ROW)
    .executeTakeFirstOrThrow();
  return row.position;
};

/** On PostgreSQL: keeps everybody else from writing to the views until the transaction ends. */
export const lockPosition = async (db: Kysely<ViewTables>): Promise<void> => {
  await db
    .selectFrom('viewPosition')
    .select('id')
    .where('id', '=', POSITION_ROW)
    .forUpdate()
    .executeTakeFirstOrThrow();
};

export const writePosition = async (
  db: Kysely<ViewTables>,
  position: number | null,
): Promise<void> => {
  await db.updateTable('viewPosition').set({ position }).where('id', '=', POSITION_ROW).execute();
};
