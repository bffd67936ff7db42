import { PostgresAdapter, sql, type Kysely, type RawBuilder } from 'kysely';

/**
 * The column type for text that compares by its bytes in UTF-8 on both databases, whatever the language of a
 * PostgreSQL server is; SQLite does so by itself.
 */
export const textOf = <Tables>(db: Kysely<Tables>): RawBuilder<unknown> =>
  db.getExecutor().adapter instanceof PostgresAdapter ? sql`text collate "C"` : sql`text`;

/** PostgreSQL's text can't hold U+0000, which JSON can: on both databases the replacement character stands for it. */
export const storableText = (text: string): string =>
  text.includes('\u0000') ? text.replaceAll('\u0000', '\uFFFD') : text;
