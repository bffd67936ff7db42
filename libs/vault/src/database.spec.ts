import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { throwWithoutRows, withDatabase } from './database.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'database-spec-'));
  await writeFile(join(folder, 'mine.csv'), 'a\n1\n');
  await writeFile(join(folder, 'other.csv'), 'a\n2\n');
});
afterAll(() => rm(folder, { recursive: true }));

const run = (sql: string) =>
  withDatabase(join(folder, 'mine.csv'), async (connection) =>
    (await connection.runAndReadAll(sql.replaceAll('FOLDER', folder))).getRows(),
  );

describe('withDatabase', () => {
  it('reads the file that it was given', async () => {
    expect(await run("SELECT a FROM read_csv('FOLDER/mine.csv', all_varchar = true)")).toEqual([
      ['1'],
    ]);
  });

  it.each([
    ['another file', "SELECT * FROM read_csv('FOLDER/other.csv')"],
    ['a folder', "SELECT * FROM glob('FOLDER/*')"],
    ['the network', "SELECT * FROM read_csv('https://localhost/a.csv')"],
    ['another database', "ATTACH 'FOLDER/new.db'"],
    ['writing', "COPY (SELECT 1) TO 'FOLDER/out.csv'"],
    ['an extension', 'INSTALL httpfs'],
    ['a change of its settings', 'SET enable_external_access = true'],
    ['a change of its memory', "SET memory_limit = '100GB'"],
  ])('refuses %s', async (_, sql) => {
    await expect(run(sql)).rejects.toThrow(/disabled|locked|Cannot|not allowed/);
  });
});

describe('throwWithoutRows', () => {
  it('keeps the kind of what DuckDB throws, and none of what it quotes', async () => {
    const failing = run("SELECT CAST(x AS INTEGER) FROM (VALUES ('Ann')) AS t(x)");
    await expect(failing).rejects.toThrow('Ann');
    await expect(failing.catch(throwWithoutRows)).rejects.toThrow(
      /^the vault's database failed: Conversion Error$/,
    );
  });

  it('leaves errors of others as they are', () => {
    const error = new TypeError('no such thing');
    expect(() => throwWithoutRows(error)).toThrow(error);
  });
});
