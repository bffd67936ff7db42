import { PostgresAdapter, sql, type Kysely, type RawBuilder } from 'kysely';

/**
 * The column type for text that compares by its bytes in UTF-8 on both databases, whatever the language of a
 * PostgreSQL server is; SQLite does so by itself.
 */
export const textOf = <Tables>(db: Kysely<Tables>): RawBuilder<unknown> =>
  onPostgres(db) ? sql`text collate "C"` : sql`text`;

/** The column type for 64-bit integers that are a table's key: on SQLite the row's own number, no index beside it. */
export const integerOf = <Tables>(db: Kysely<Tables>): RawBuilder<unknown> =>
  onPostgres(db) ? sql`bigint` : sql`integer`;

const onPostgres = <Tables>(db: Kysely<Tables>): boolean =>
  db.getExecutor().adapter instanceof PostgresAdapter;

/**
 * PostgreSQL's text can't hold U+0000, which JSON can, nor either database half of a surrogate pair: on both the
 * replacement character stands for them.
 */
export const storableText = (text: string): string =>
  (text.includes('\u0000') ? text.replaceAll('\u0000', '\uFFFD') : text).toWellFormed();
