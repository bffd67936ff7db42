import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { describeOnPostgres } from '../../../test/support/with-postgres.ts';
import { describeReadModels, dumpOf, logOf, night, type Storage } from './read-models.contract.ts';
import { openReadModels } from './index.ts';

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-views-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sqlite: Storage = {
  target: async () => ({ kind: 'sqlite', path: join(folder, `views-${files++}.sqlite`) }),
  sql: async (target, statement) => {
    if (target.kind !== 'sqlite') throw new Error('not a file');
    const database = new DatabaseSync(target.path);
    try {
      return database.prepare(statement).all() as object[];
    } finally {
      database.close();
    }
  },
};

describe('the views in a SQLite file', () => describeReadModels(sqlite));

describeOnPostgres('the views on PostgreSQL', (server) => {
  const postgres: Storage = {
    target: async () => ({ kind: 'postgres', connectionString: await server().database() }),
    sql: async (target, statement) => {
      if (target.kind !== 'postgres') throw new Error('not a server');
      const client = new Client({ connectionString: target.connectionString });
      await client.connect();
      try {
        await client.query('set search_path to holdfast_views');
        const { rows } = await client.query<Record<string, unknown>>(
          // pg gives 64-bit integers as text; as JSON they are numbers.
          statement.startsWith('SELECT')
            ? `select to_json(t) as row from (${statement}) t`
            : statement,
        );
        return rows.map((row) => ('row' in row ? (row['row'] as object) : row));
      } finally {
        await client.end();
      }
    },
  };

  describeReadModels(postgres);

  it('hold the same rows as in a SQLite file', async () => {
    const targets = [
      [sqlite, await sqlite.target()],
      [postgres, await postgres.target()],
    ] as const;
    const dumps = [];
    for (const [storage, target] of targets) {
      const views = await openReadModels(target);
      await views.catchUp(logOf(night()));
      await views.close();
      dumps.push(await dumpOf(storage, target));
    }
    expect(dumps[1]).toEqual(dumps[0]);
    expect(Object.values(dumps[0] ?? {}).flat().length).toBeGreaterThan(20);
  });
});
