import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AnyColumns, AnyRow, ColumnType } from './columns.ts';
import { jsonLinesOf } from './delimited.ts';

/** DuckDB's type of each column's. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  time: 'TIMESTAMP WITH TIME ZONE',
  json: 'VARCHAR',
};

/**
 * Parquet (Zstandard). A Parquet file's index stands at its end, so it is written into a temporary folder first; memory
 * stays bounded whatever the number of rows. The folder goes when the stream is closed.
 */
export const parquetOf = async (
  columns: AnyColumns,
  rows: AsyncIterable<object>,
): Promise<Readable> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-export-'));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    const lines = join(folder, 'rows.jsonl');
    const parquet = join(folder, 'rows.parquet');
    await pipeline(jsonLinesOf(columns, asText(columns, rows)), createWriteStream(lines));
    await convert(columns, lines, parquet, folder);
    const stream = createReadStream(parquet);
    stream.once('close', () => void clean());
    return stream;
  } catch (error) {
    await clean();
    throw error;
  }
};

/** Lists become JSON text, so that every reader of Parquet has them. */
async function* asText(columns: AnyColumns, rows: AsyncIterable<object>): AsyncGenerator<AnyRow> {
  const lists = Object.keys(columns).filter((name) => columns[name]?.type === 'json');
  for await (const row of rows as AsyncIterable<AnyRow>)
    yield {
      ...row,
      ...Object.fromEntries(
        lists.map((name) => [name, row[name] === null ? null : JSON.stringify(row[name])]),
      ),
    };
}

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const identifier = (value: string): string => `"${value.replaceAll('"', '""')}"`;

const convert = async (
  columns: AnyColumns,
  from: string,
  to: string,
  folder: string,
): Promise<void> => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '256MB',
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      await connection.run(`SET allowed_directories = [${literal(folder)}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      const named = Object.entries(columns)
        .map(([name, { type }]) => `${literal(name)}: ${literal(TYPES[type])}`)
        .join(', ');
      const names = Object.keys(columns).map(identifier).join(', ');
      await connection.run(
        `COPY (SELECT ${names} FROM read_json(${literal(from)}, format = 'newline_delimited', columns = {${named}})) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd)`,
      );
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
};
