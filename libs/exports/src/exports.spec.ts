import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { a, maybe, type AnyRow } from './columns.ts';
import { csvOf, jsonLinesOf } from './delimited.ts';
import { parquetOf } from './parquet.ts';

const COLUMNS = {
  position: a.integer('where'),
  summary: a.text('what'),
  metric: maybe.number('how much'),
  at: maybe.time('when'),
  planted: a.json('which'),
};

async function* given(rows: readonly AnyRow[]): AsyncGenerator<AnyRow> {
  yield* rows;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-exports-spec-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What another program reads out of a file. */
const duckdb = async (from: string): Promise<readonly AnyRow[]> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT position, summary, metric, epoch_ms("at") AS ms, planted FROM ${from} ORDER BY position`,
  );
  const rows = reader.getRowObjectsJS();
  connection.closeSync();
  instance.closeSync();
  return rows.map(({ ms, ...row }) => ({
    ...row,
    position: Number(row['position']),
    at: ms === null ? null : new Date(Number(ms)).toISOString(),
  }));
};

const ROW = fc.record({
  summary: fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => !s.includes('\0')),
  metric: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0)),
  at: fc.option(
    fc
      .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  ),
  planted: fc.array(
    fc.string({ maxLength: 8 }).filter((s) => !s.includes('\0')),
    { maxLength: 3 },
  ),
});

const rowsOf = (rows: readonly AnyRow[]): readonly AnyRow[] =>
  rows.map((row, position) => ({ position, ...row }));

describe('exports of the same rows', () => {
  it('say the same as JSON Lines and as Parquet, to another program', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ROW, { maxLength: 20 }), async (some) => {
        const rows = rowsOf(some);
        const lines = await text(jsonLinesOf(COLUMNS, given(rows)));
        expect(
          lines
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line)),
        ).toEqual(rows);
        const path = join(folder, 'rows.parquet');
        await writeFile(path, await buffer(await parquetOf(COLUMNS, given(rows))));
        const read = await duckdb(`read_parquet('${path}')`);
        expect(read).toEqual(
          rows.map((row) => ({ ...row, planted: JSON.stringify(row['planted']) })),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('say the same as CSV, where no text looks like a formula', async () => {
    const rows = rowsOf([
      { summary: 'a, "b"\nc', metric: 0.1, at: null, planted: ['x'] },
      { summary: 'ü 🌳', metric: null, at: '2026-11-23T08:00:00.000Z', planted: [] },
    ]);
    const path = join(folder, 'rows.csv');
    await writeFile(path, await text(csvOf(COLUMNS, given(rows))));
    const read = await duckdb(
      `read_csv('${path}', header = true, columns = {position: 'BIGINT', summary: 'VARCHAR', metric: 'DOUBLE', "at": 'TIMESTAMP', planted: 'VARCHAR'})`,
    );
    expect(read).toEqual(rows.map((row) => ({ ...row, planted: JSON.stringify(row['planted']) })));
  });

  it.each(['=1+1', '+1', '-1', '@x', '\tx'])(
    'keeps a spreadsheet from computing %j',
    async (summary) => {
      const csv = await text(
        csvOf(COLUMNS, given(rowsOf([{ summary, metric: 1, at: null, planted: [] }]))),
      );
      expect(csv.split('\n')[1]).toContain(`'${summary}`);
    },
  );

  it('have a header where there is no row', async () => {
    expect(await text(csvOf(COLUMNS, given([])))).toBe('position,summary,metric,at,planted\n');
    const path = join(folder, 'none.parquet');
    await writeFile(path, await buffer(await parquetOf(COLUMNS, given([]))));
    expect(await duckdb(`read_parquet('${path}')`)).toEqual([]);
  });

  it('fail where their rows do, and leave nothing behind', async () => {
    async function* broken(): AsyncGenerator<AnyRow> {
      yield { position: 0, summary: 's', metric: 1, at: null, planted: [] };
      throw new Error('the views went away');
    }
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-export-'));
    await expect(text(csvOf(COLUMNS, broken()))).rejects.toThrow('went away');
    await expect(text(jsonLinesOf(COLUMNS, broken()))).rejects.toThrow('went away');
    await expect(parquetOf(COLUMNS, broken())).rejects.toThrow('went away');
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-export-'));
    expect(after).toEqual(before);
  });
});
