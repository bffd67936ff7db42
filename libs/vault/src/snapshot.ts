import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { DataPolicy } from '#libs/harness';
import { isSha256, ok, reasonOf, type Result } from '#libs/kernel';
import { declaredColumns, neededColumns, quoted } from './load.ts';
import { refuse, type VaultRefusal } from './refusals.ts';

/** What a snapshot may come to; each is asked of the server or counted while it is read. */
export interface SnapshotLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Milliseconds that the server may take over the whole read. */
  readonly statementMs: number;
}

export const SNAPSHOT_LIMITS: SnapshotLimits = {
  rows: 50_000_000,
  bytes: 4 * 1024 ** 3,
  statementMs: 600_000,
};
const CONNECT_MS = 10_000;
const LOCK_MS = 10_000;
const END_MS = 1_000;

export interface TakeSnapshot {
  /** `postgres://user:password@host/database?sslmode=verify-full`; never shown. */
  readonly connectionString: string;
  readonly studyId: string;
  /** Of format `postgres`. */
  readonly data: DataPolicy;
  /** Folder of the snapshots, readable by its owner only; made if it is missing. */
  readonly folder: string;
  readonly limits?: SnapshotLimits;
}

export interface Snapshot {
  /** SHA-256 (lower-case hex) of the file, and its name. */
  readonly sha256: string;
  readonly rows: number;
  readonly bytes: number;
}

/** A snapshot's file, by what it holds. */
export const snapshotFile = (sha256: string): string => `${sha256}.csv`;

/** Which rows of which study: another table or other columns are another snapshot. */
const currentFile = (studyId: string, data: DataPolicy): string => {
  const what = JSON.stringify([data.path, data.rowId, neededColumns(data)]);
  return `${studyId}-${createHash('sha256').update(what).digest('hex').slice(0, 16)}.current`;
};

/** Digest of the snapshot that new runs of a study use; null before the first. */
export const currentSnapshot = async (
  folder: string,
  studyId: string,
  data: DataPolicy,
): Promise<string | null> => {
  try {
    const text = await readFile(join(folder, currentFile(studyId, data)), 'utf8');
    const digest = text.slice(0, -1);
    if (isSha256(digest) && text.endsWith('\n')) return digest;
    throw new Error(`${join(folder, currentFile(studyId, data))} holds no digest; take a snapshot`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

/**
 * Reads the declared columns of a table or view of PostgreSQL into a private file, as it stood at one moment: one
 * transaction, repeatable read, read only, ordered by the row id. Columns that nothing declares are never asked for. From
 * then on it is what new runs of the study use; runs that pinned another go on with that.
 *
 * The same rows give the same bytes, and so the same digest.
 *
 * @throws DatabaseUnavailable when the server can't be reached or refuses the login
 */
export const takeSnapshot = async (
  request: TakeSnapshot,
): Promise<Result<Snapshot, VaultRefusal>> => {
  const { connectionString, studyId, data, folder } = request;
  if (data.format !== 'postgres' || data.rowId === null)
    throw new TypeError('a snapshot is taken of a table with a row id');
  const unsafe = await insecurity(connectionString);
  if (unsafe !== null) return refuse('insecure-connection', unsafe);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const taking = join(folder, `${randomUUID()}.taking`);
  const file = await open(taking, 'wx', 0o600);
  try {
    const read = await withClient(connectionString, (client) => readTable(client, file, request));
    if (!read.ok) return read;
    await file.sync();
    await rename(taking, join(folder, snapshotFile(read.value.sha256)));
    await writeCurrent(folder, currentFile(studyId, data), read.value.sha256);
    return read;
  } finally {
    await file.close();
    await rm(taking, { force: true });
  }
};

const writeCurrent = async (folder: string, name: string, sha256: string): Promise<void> => {
  const taking = join(folder, `${randomUUID()}.taking`);
  const file = await open(taking, 'wx', 0o600);
  try {
    await file.writeFile(`${sha256}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(taking, join(folder, name));
};

/** People's data cross no network that others can listen to; null when they don't. */
const insecurity = async (connectionString: string): Promise<string | null> => {
  const expected =
    'expected postgres://user:password@host/database?sslmode=verify-full, or a server on this machine: correct HOLDFAST_DATA_URL';
  const { default: pg } = await import('pg');
  let host: string;
  let modes: readonly string[];
  try {
    modes = new URL(connectionString).searchParams.getAll('sslmode');
    // Read as it will be used, several hosts and none among them; nothing connects yet.
    ({ host } = new pg.Client({ connectionString }));
  } catch {
    return `found an address that can't be read; ${expected}`;
  }
  const here = host.startsWith('/') || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
  if (here || (modes.length > 0 && modes.every((mode) => mode === 'verify-full'))) return null;
  return `found a server on another machine with sslmode=${modes.join(', ') || '(none)'}, whose identity nobody checks; ${expected}`;
};

/** SQLSTATE classes (PostgreSQL's Appendix A) of connections, resources, operators and the system. */
const BROKEN_SERVER = /^(08|53|57|58)/;

const withClient = async <T>(
  connectionString: string,
  use: (client: Client) => Promise<T>,
): Promise<T> => {
  const [{ default: pg }, { DatabaseUnavailable, placeOf }] = await Promise.all([
    import('pg'),
    import('#libs/database'),
  ]);
  const place = placeOf({ kind: 'postgres', connectionString });
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'holdfast_vault',
    keepAlive: true,
  });
  // What breaks the connection also rejects what is under way.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => undefined);
    const said = reasonOf(cause);
    throw new DatabaseUnavailable(`${place} can't be reached or used: ${said}`, { cause });
  }
  try {
    return await use(client);
  } catch (cause) {
    // Without a SQLSTATE it is the connection.
    const code = cause instanceof pg.DatabaseError ? (cause.code ?? '') : '08';
    if (!BROKEN_SERVER.test(code)) throw cause;
    throw new DatabaseUnavailable(`${place} failed while it was read (SQLSTATE ${code})`, {
      cause,
    });
  } finally {
    // A server that still sends rows would hold up a polite end; there is nothing here to lose.
    await Promise.race([client.end().catch(() => undefined), sleep(END_MS, null, { ref: false })]);
    (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }
};

/** Types of one value a row that reads the same as text, by PostgreSQL's categories (its catalogue pg_type). */
const SCALAR_CATEGORIES: ReadonlySet<string> = new Set(['B', 'D', 'E', 'I', 'N', 'S', 'T']);

interface Column {
  readonly name: string;
  readonly type: string;
  readonly category: string;
}

const readTable = async (
  client: Client,
  file: FileHandle,
  { data, limits = SNAPSHOT_LIMITS }: TakeSnapshot,
): Promise<Result<Snapshot, VaultRefusal>> => {
  const [schema = '', table = ''] = data.path.split('.');
  const from = `${quoted(schema)}.${quoted(table)}`;
  const needed = neededColumns(data);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  // Nothing that the server or the role is set to changes what a value reads as.
  await client.query(
    `SELECT set_config(name, value, true) FROM (VALUES
       ('statement_timeout', $1), ('lock_timeout', $2), ('idle_in_transaction_session_timeout', $1),
       ('search_path', 'pg_catalog'), ('client_encoding', 'UTF8'), ('DateStyle', 'ISO, YMD'), ('TimeZone', 'UTC'),
       ('IntervalStyle', 'iso_8601'), ('extra_float_digits', '1')) AS settings (name, value)`,
    [String(limits.statementMs), String(LOCK_MS)],
  );
  const { rows: columns } = await client.query<Column>(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
       CASE WHEN t.typname = 'uuid' THEN 'S' ELSE t.typcategory END AS category
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [from],
  );
  if (columns.length === 0) {
    return refuse(
      'missing-data',
      `found no table or view ${data.path} that this role sees; expected the one that the study names: correct data.table, or grant USAGE on the schema and SELECT`,
    );
  }
  const missing = declaredColumns(data).filter(
    (name) => !columns.some((column) => column.name === name),
  );
  if (missing.length > 0) {
    return refuse(
      'missing-columns',
      `found no column ${missing.map((name) => `"${name}"`).join(', ')} in ${data.path}; expected all that the policy names: correct them there (the table has ${columns.map(({ name }) => name).join(', ')})`,
    );
  }
  const nested = columns.filter(
    ({ name, category }) => needed.includes(name) && !SCALAR_CATEGORIES.has(category),
  );
  if (nested.length > 0) {
    return refuse(
      'unreadable-data',
      `found ${nested.map(({ name, type }) => `column "${name}" of type ${type}`).join(', ')} in ${data.path}; expected numbers, texts, truth values and times: make a view that has them`,
    );
  }
  try {
    const texts = needed.map((name) => `${quoted(name)}::text AS ${quoted(name)}`);
    return await copyOut(
      client,
      file,
      `COPY (SELECT ${texts.join(', ')} FROM ${from} ORDER BY ${quoted(data.rowId ?? '')}::text COLLATE "C")
       TO STDOUT (FORMAT csv, HEADER true)`,
      { data, limits },
    );
  } catch (error) {
    const { DatabaseError } = (await import('pg')).default;
    const code = error instanceof DatabaseError ? (error.code ?? '') : '';
    if (code === '' || (BROKEN_SERVER.test(code) && code !== '57014')) throw error;
    return refuse(
      'unreadable-data',
      // The server's own message may quote a row.
      `found that ${data.path} can't be read: ${REASONS[code] ?? 'the server refused it; its log says why'} (SQLSTATE ${code})`,
    );
  }
};

/** What PostgreSQL's error codes (its Appendix A) mean here. */
const REASONS: Readonly<Record<string, string>> = {
  '25006': 'it is a view that writes',
  '42501': 'the role may not read it; grant it SELECT on the declared columns',
  '57014': 'it took longer than the limit; make a materialised view, or an index on the row id',
  '55P03': 'somebody holds a lock on it; try again',
  '22021': 'a text is no UTF-8',
  '22P05': 'a text has a character that UTF-8 lacks',
  '22P02': 'a view casts a value that does not fit',
  '22012': 'a view divides by zero',
};

const copyOut = async (
  client: Client,
  file: FileHandle,
  statement: string,
  { data, limits }: Required<Pick<TakeSnapshot, 'data' | 'limits'>>,
): Promise<Result<Snapshot, VaultRefusal>> => {
  const { to } = await import('pg-copy-streams');
  const stream = client.query(to(statement));
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream; the connection is of no more use then, and is closed.
    if (bytes > limits.bytes) break;
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  if (bytes > limits.bytes || stream.rowCount > limits.rows) {
    return refuse(
      'too-much-data',
      `found more than ${bytes > limits.bytes ? `${limits.bytes} bytes` : `${limits.rows} rows`} in the declared columns of ${data.path}; expected at most ${limits.rows} rows and ${limits.bytes} bytes: make a view with fewer`,
    );
  }
  await client.query('COMMIT');
  return ok({ sha256: hash.digest('hex'), rows: stream.rowCount, bytes });
};
