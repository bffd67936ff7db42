import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailable } from '#libs/database';
import { SPLITS, type DataPolicy } from '#libs/harness';
import { postgresMissing, startPostgres, type Postgres } from '../../../test/support/postgres.ts';
import {
  currentSnapshot,
  openVault,
  SNAPSHOT_LIMITS,
  takeSnapshot,
  type TakeSnapshot,
} from './index.ts';
import {
  CLINIC_HEADER,
  clinicCsv,
  clinicPolicy,
  clinicRows,
  errorOf,
  testKey,
  valueOf,
  noBounds,
} from './testing/fixtures.ts';

const data: DataPolicy = { ...clinicPolicy, path: 'hr.clinic', format: 'postgres' };
const request = (connectionString: string, change: Partial<TakeSnapshot> = {}): TakeSnapshot => ({
  ...{ connectionString, studyId: 'clinic', data, folder: join(folder, 'snapshots') },
  ...change,
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapshot-spec-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('takeSnapshot', () => {
  it.each([
    ['postgres://u:secret@db.example.org/d', 'sslmode=(none)'],
    ['postgres://u:secret@db.example.org/d?sslmode=require', 'sslmode=require'],
    [
      'postgres://u:secret@10.0.0.7/d?sslmode=verify-full&sslmode=disable',
      'sslmode=verify-full, disable',
    ],
    ['postgres://u:secret@127.0.0.1/d?host=db.example.org', 'sslmode=(none)'],
    // Of several hosts the last is connected to, and of an empty one the address's own.
    ['postgres://u:secret@127.0.0.1/d?host=127.0.0.1&host=db.example.org', 'sslmode=(none)'],
    ['postgres://u:secret@db.example.org/d?host=', 'sslmode=(none)'],
    ['no address', "can't be read"],
  ])('refuses %s, and does not repeat it', async (connectionString, found) => {
    const { code, message } = errorOf(await takeSnapshot(request(connectionString)));
    expect([code, message]).toEqual(['insecure-connection', expect.stringContaining(found)]);
    expect(message).not.toContain('secret');
  });
});

describe.skipIf(postgresMissing() !== null)('takeSnapshot of a PostgreSQL server', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.remove());

  let url: string;
  let owner: Client;
  beforeEach(async () => {
    url = await server.database();
    owner = new Client({ connectionString: url });
    await owner.connect();
    await owner.query(`CREATE SCHEMA hr; CREATE TABLE hr.clinic (
      patient text, name text, ssn text, age int, ward text, sex char(1), days numeric, notes jsonb)`);
    // Backwards, so that the order is the snapshot's own.
    for (const row of clinicRows().toReversed())
      await owner.query('INSERT INTO hr.clinic VALUES ($1, $2, $3, $4, $5, $6, $7)', [...row]);
  });
  afterEach(() => owner.end());

  const open = (sha256: string, change: Partial<DataPolicy> = {}) =>
    openVault({
      ...{ studyFolder: folder, snapshots: join(folder, 'snapshots'), splitKey: testKey(1) },
      ...{ data: { ...data, ...change }, expectedDigest: sha256, bounds: noBounds },
    });

  it('holds the declared columns as they stood, in a file of its owner', async () => {
    const { sha256, rows, bytes } = valueOf(await takeSnapshot(request(url)));
    expect(rows).toBe(1200);
    const path = join(folder, 'snapshots', `${sha256}.csv`);
    const content = await readFile(path);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    expect(content.length).toBe(bytes);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'snapshots'))).mode & 0o777).toBe(0o700);
    const text = content.toString();
    expect(text.split('\n')[0]).toBe('patient,days,age,ward,sex');
    // Not one name or number that nothing declares.
    expect(text).not.toMatch(/Person|née|-\d{2}-/);
    expect((await readdir(join(folder, 'snapshots'))).toSorted()).toEqual([
      `${sha256}.csv`,
      expect.stringMatching(/^clinic-[0-9a-f]{16}\.current$/) as string,
    ]);
    expect(await currentSnapshot(join(folder, 'snapshots'), 'clinic', data)).toBe(sha256);
    expect(await currentSnapshot(join(folder, 'snapshots'), 'other', data)).toBeNull();
    expect(
      await currentSnapshot(join(folder, 'snapshots'), 'clinic', { ...data, path: 'hr.other' }),
    ).toBeNull();
  });

  it('gives the vault the counts that the same rows in a file give', async () => {
    await writeFile(join(folder, 'clinic.csv'), clinicCsv());
    const fromFile = valueOf(
      await openVault({
        studyFolder: folder,
        data: clinicPolicy,
        splitKey: testKey(1),
        bounds: noBounds,
      }),
    );
    const { sha256 } = valueOf(await takeSnapshot(request(url)));
    const vault = valueOf(await open(sha256));
    expect(vault.digest).toBe(sha256);
    expect(vault.counts).toEqual(fromFile.counts);
    expect(vault.release()).toEqual(fromFile.release());
  });

  it('is the same bytes for the same rows, however the server is set', async () => {
    const first = valueOf(await takeSnapshot(request(url)));
    const name = new URL(url).pathname.slice(1);
    await owner.query(`ALTER DATABASE ${name} SET DateStyle = 'German'`);
    await owner.query(`ALTER DATABASE ${name} SET extra_float_digits = -5`);
    await owner.query(`ALTER DATABASE ${name} SET client_encoding = 'LATIN1'`);
    await owner.query('CREATE TABLE hr.again AS SELECT * FROM hr.clinic ORDER BY random()');
    await owner.query('DROP TABLE hr.clinic');
    await owner.query('ALTER TABLE hr.again RENAME TO clinic');
    expect(valueOf(await takeSnapshot(request(url)))).toEqual(first);
    await owner.query("UPDATE hr.clinic SET days = 31 WHERE patient = 'P100000'");
    const other = valueOf(await takeSnapshot(request(url)));
    expect(other.sha256).not.toBe(first.sha256);
    // A run that pinned the first goes on with it.
    expect(valueOf(await open(first.sha256)).digest).toBe(first.sha256);
  });

  it('is of one moment, whatever is written meanwhile', async () => {
    const writer = new Client({ connectionString: url });
    await writer.connect();
    const enough = new AbortController();
    const writing = (async () => {
      // Two rows at once: a snapshot has both or neither.
      for (let i = 0; !enough.signal.aborted; i += 2)
        await writer.query(
          `INSERT INTO hr.clinic SELECT 'X' || g, '', '', 30, 'eye', 'f', 1 FROM generate_series(${i}, ${i + 1}) g`,
        );
    })();
    for (let i = 0; i < 5; i += 1)
      expect(valueOf(await takeSnapshot(request(url))).rows % 2).toBe(0);
    enough.abort();
    await writing;
    await writer.end();
  });

  it('is refused once it is gone or changed', async () => {
    const { sha256 } = valueOf(await takeSnapshot(request(url)));
    const path = join(folder, 'snapshots', `${sha256}.csv`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('surgery', 'eye'));
    expect(errorOf(await open(sha256)).code).toBe('digest-differs');
    await rm(path);
    expect(errorOf(await open(sha256)).code).toBe('snapshot-missing');
    expect(
      errorOf(
        await openVault({ studyFolder: folder, data, splitKey: testKey(1), bounds: noBounds }),
      ).code,
    ).toBe('snapshot-missing');
  });

  it('needs no right but to read the declared columns', async () => {
    await owner.query(`CREATE ROLE reader LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA hr TO reader;
      GRANT SELECT (patient, days, age, ward) ON hr.clinic TO reader`);
    const as = new URL(url);
    as.username = 'reader';
    as.password = 'x';
    const { code, message } = errorOf(await takeSnapshot(request(as.href)));
    expect([code, message]).toEqual(['unreadable-data', expect.stringContaining('SELECT')]);
    expect(message).not.toContain(':x@');
    await owner.query('GRANT SELECT (sex) ON hr.clinic TO reader');
    expect(valueOf(await takeSnapshot(request(as.href))).rows).toBe(1200);
    await owner.query(
      'REVOKE ALL ON ALL TABLES IN SCHEMA hr FROM reader; REVOKE ALL ON SCHEMA hr FROM reader; DROP ROLE reader',
    );
  });

  it('can write nothing, not even by a function in a view', async () => {
    await owner.query(`CREATE FUNCTION hr.spy(text) RETURNS text VOLATILE LANGUAGE sql AS
      'DELETE FROM hr.clinic WHERE patient = $1 RETURNING $1'`);
    await owner.query(
      'CREATE VIEW hr.trap AS SELECT patient, name, ssn, age, ward, sex, days, hr.spy(patient) AS w FROM hr.clinic',
    );
    const trap = {
      ...data,
      path: 'hr.trap',
      dimensions: [{ ...data.dimensions[1]!, column: 'w' }],
    };
    expect(errorOf(await takeSnapshot(request(url, { data: trap }))).message).toContain('writes');
    expect((await owner.query('SELECT count(*)::int AS n FROM hr.clinic')).rows).toEqual([
      { n: 1200 },
    ]);
  });

  it.each<[string, Partial<DataPolicy>, string, string]>([
    ['a table that is not there', { path: 'hr.nobody' }, 'missing-data', 'hr.nobody'],
    [
      'an identifier that is not there',
      { identifiers: ['patient', 'social'] },
      'missing-columns',
      '"social"',
    ],
    [
      'a column of documents',
      { outcome: { ...data.outcome, column: 'notes' } },
      'unreadable-data',
      'column "notes" of type jsonb',
    ],
  ])('refuses %s', async (_, change, code, words) => {
    const refusal = errorOf(await takeSnapshot(request(url, { data: { ...data, ...change } })));
    expect([refusal.code, refusal.message]).toEqual([code, expect.stringContaining(words)]);
    expect(await readdir(join(folder, 'snapshots'))).toEqual([]);
  });

  it('says nothing of a row whose view fails', async () => {
    await owner.query(
      'CREATE VIEW hr.wrong AS SELECT patient, name, ssn, age, ward, sex, name::int AS days FROM hr.clinic',
    );
    const refusal = errorOf(
      await takeSnapshot(request(url, { data: { ...data, path: 'hr.wrong' } })),
    );
    expect(refusal.code).toBe('unreadable-data');
    expect(refusal.message).not.toMatch(/Person|née/);
  });

  it('has limits, and leaves nothing behind where it meets one', async () => {
    const refusals = [
      await takeSnapshot(request(url, { limits: { ...SNAPSHOT_LIMITS, rows: 1199 } })),
      await takeSnapshot(request(url, { limits: { ...SNAPSHOT_LIMITS, bytes: 10_000 } })),
    ].map((taken) => errorOf(taken).code);
    expect(refusals).toEqual(['too-much-data', 'too-much-data']);
    await owner.query(
      'CREATE VIEW hr.slow AS SELECT c.*, pg_sleep(0.01)::text AS w FROM hr.clinic c',
    );
    const slow = {
      ...data,
      path: 'hr.slow',
      dimensions: [{ ...data.dimensions[1]!, column: 'w' }],
    };
    const limits = { ...SNAPSHOT_LIMITS, statementMs: 300 };
    expect(errorOf(await takeSnapshot(request(url, { data: slow, limits }))).message).toContain(
      'longer',
    );
    expect(await readdir(join(folder, 'snapshots'))).toEqual([]);
  });

  it('tells a server that is away from rows that are wrong', async () => {
    const away = new URL(url);
    away.port = '1';
    await expect(takeSnapshot(request(away.href))).rejects.toThrow(DatabaseUnavailable);
    away.port = String(server.port);
    away.password = 'wrong';
    await expect(takeSnapshot(request(away.href))).rejects.toThrow(/can't be reached or used/);
  });

  it('holds a row that is a puzzle to CSV', async () => {
    await owner.query(`INSERT INTO hr.clinic (patient, age, ward, sex, days) VALUES
      (E'a,"b"\\n\\\\.', 30, 'eye', 'f', 31), (E'\\u00e9', 30, 'eye', 'f', 31)`);
    const { sha256, rows } = valueOf(await takeSnapshot(request(url)));
    expect(rows).toBe(1202);
    const { counts } = valueOf(await open(sha256));
    expect(SPLITS.reduce((sum, split) => sum + counts[split].people, 0)).toBe(1202);
    expect(CLINIC_HEADER).toContain('patient');
  });
});
