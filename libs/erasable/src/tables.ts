import type { Migration } from 'kysely/migration';
import { textOf } from '#libs/database';

export interface ErasableTables {
  readonly textKeys: { readonly keyId: string; readonly key: string };
  readonly people: {
    readonly personId: string;
    readonly issuer: string;
    readonly subject: string;
    /** RFC 3339. */
    readonly since: string;
  };
}

const first: Migration = {
  up: async (db) => {
    const text = textOf(db);
    await db.schema
      .createTable('textKeys')
      .addColumn('keyId', text, (column) => column.primaryKey())
      .addColumn('key', text, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('people')
      .addColumn('personId', text, (column) => column.primaryKey())
      .addColumn('issuer', text, (column) => column.notNull())
      .addColumn('subject', text, (column) => column.notNull())
      .addColumn('since', text, (column) => column.notNull())
      .addUniqueConstraint('oneIdEach', ['issuer', 'subject'])
      .execute();
  },
};

export const MIGRATIONS: Readonly<Record<string, Migration>> = { '001-first': first };
