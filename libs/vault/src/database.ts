import type { DuckDBConnection } from '@duckdb/node-api';

/**
 * Lends out a database in memory that can read the file at `path` and nothing else: no other file, no network, no
 * extension, and no statement can change that. It is closed afterwards.
 */
export const withDatabase = async <T>(
  path: string,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> => {
  // Loaded on demand: 40 MB of native code that most commands have no use for.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: '1GB',
    // Rows are never spilled to a disk.
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      await connection.run(`SET allowed_paths = [${text(path)}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      return await use(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
};

/** DuckDB's kind of error, e.g. `Conversion Error`: all of its message that quotes nothing; null: not DuckDB's. */
export const errorKind = (error: unknown): string | null =>
  error instanceof Error ? (/^[A-Z][A-Za-z ]* Error(?=:)/.exec(error.message)?.[0] ?? null) : null;

/** Throws an error without what DuckDB quotes of the rows in it: errors are shown and kept. */
export const throwWithoutRows = (error: unknown): never => {
  const kind = errorKind(error);
  if (kind === null) throw error;
  throw new Error(`the vault's database failed: ${kind}`);
};

/** An SQL literal. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
