import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import type { DataPolicy, DimensionPolicy } from '#libs/harness';
import { ok } from '#libs/kernel';
import { openRecognisers, type Recognisers } from '#libs/pii';
import { withDatabase } from './database.ts';
import { openVault, preLoopChecks, surveyUndeclared } from './index.ts';
import { screenColumns, screenRelease, type ColumnScreen } from './screen.ts';
import {
  CLINIC_HEADER,
  clinicCsv,
  clinicGates,
  clinicPolicy,
  clinicRows,
  errorOf,
  testKey,
  toCsv,
  valueOf,
  noBounds,
} from './testing/fixtures.ts';

let folder: string;
let recognisers: Recognisers;
beforeAll(async () => {
  recognisers = await openRecognisers();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'screen-spec-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (content: string | Uint8Array, name = 'clinic.csv') =>
  writeFile(join(folder, name), content);
const open = (change: Partial<DataPolicy> = {}, sayValues = false) =>
  openVault({
    ...{ studyFolder: folder, data: { ...clinicPolicy, ...change }, splitKey: testKey(1) },
    ...{ sayValues, bounds: noBounds },
  });

/** The screen of a column with these values. */
const screenOf = (values: readonly string[]): Promise<ColumnScreen> =>
  withDatabase(join(folder, 'none'), async (connection) => {
    await connection.run('CREATE TABLE source (c0 VARCHAR)');
    for (let i = 0; i < values.length; i += 5000)
      await connection.run(
        `INSERT INTO source VALUES ${values
          .slice(i, i + 5000)
          .map((value) => `(NULLIF('${value.replaceAll("'", "''")}', ''))`)
          .join(', ')}`,
      );
    const [screen] = await screenColumns(connection, recognisers, [
      { column: 'c', use: 'dimension', sql: 'c0' },
    ]);
    return screen!;
  });

const repeat = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i));

describe('screenColumns', () => {
  it('counts rows, values and what was read', async () => {
    const screen = await screenOf(['a long word', 'a long word', '', '12', '12.5', '12345678']);
    expect(screen).toEqual({
      ...{ column: 'c', use: 'dimension', rows: 5, values: 4, read: 2, unread: 0 },
      ...{ personal: [], freeText: false, uniqueKey: false },
    });
  });

  it('finds one address among many rows, wherever it stands', async () => {
    const rows = repeat(30_000, (i) => `code ${i % 7000}`).with(29_123, 'ann@example.org');
    expect((await screenOf(rows)).personal).toEqual([
      { class: 'email', recogniser: 'email', values: 1 },
    ]);
  });

  it('finds card numbers that a database wrote as numbers with a fraction', async () => {
    const cards = repeat(40, (i) => {
      const body = `4${String(100000000000000 + i * 7919).slice(1)}`.slice(0, 15);
      const sum = [...body].reverse().reduce((total, digit, j) => {
        const double = Number(digit) * (j % 2 === 0 ? 2 : 1);
        return total + (double > 9 ? double - 9 : double);
      }, 0);
      return `${body}${(10 - (sum % 10)) % 10}.0`;
    });
    expect((await screenOf(cards)).personal.map(({ class: of }) => of)).toContain('card');
  });

  it.each<[string, readonly string[], boolean]>([
    ['sentences', repeat(50, (i) => `the patient came back on day ${i} with pain`), true],
    ['one long text', [...repeat(50, () => 'yes'), 'x'.repeat(201)], true],
    [
      'long names of a few groups',
      repeat(50, (i) => `some college but no degree, year ${i % 4}`),
      false,
    ],
    ['words', repeat(50, (i) => `ward ${i}`), false],
  ])('tells free text: %s', async (_, values, expected) => {
    expect((await screenOf(values)).freeText).toBe(expected);
  });

  it.each<[string, readonly string[], boolean]>([
    ['a text of its own in each row', repeat(100, (i) => `K${i}`), true],
    ['in nearly each row', repeat(100, (i) => `K${Math.min(i, 96)}`), true],
    ['a number of its own in each row', repeat(100, (i) => String(i * 3)), true],
    ['a measure', repeat(100, (i) => (i / 7).toFixed(4)), false],
    ['whole numbers, some shared', repeat(100, (i) => String(i % 90)), false],
    ['few rows', repeat(10, (i) => `K${i}`), false],
  ])('tells a key: %s', async (_, values, expected) => {
    expect((await screenOf(values)).uniqueKey).toBe(expected);
  });
});

describe('the vault', () => {
  const rules = async (change: Partial<DataPolicy>) =>
    preLoopChecks(ok(valueOf(await open(change))), {
      ...{ data: { ...clinicPolicy, ...change }, charts: [], gates: clinicGates },
    })
      .filter(({ passed }) => !passed)
      .map(({ rule, found }) => `${rule}: ${found}`);

  it('screens every declared column once', async () => {
    await write(clinicCsv());
    const { columns } = valueOf(await open());
    expect(columns.map(({ column, use }) => `${column} ${use}`)).toEqual([
      ...['age dimension', 'ward dimension', 'sex protected', 'days outcome'],
    ]);
    expect(await rules({})).toEqual([]);
    expect(valueOf(await open({ pii: null })).columns).toEqual([]);
  });

  it('breaches the gate over numbers of people that are cut into bins', async () => {
    const rows = clinicRows().map(([id, name, , ...rest], i) => [
      ...[
        id!,
        name!,
        `${536 + (i % 100)}-${10 + (i % 80)}-${1000 + i}`.replaceAll('-', ''),
        ...rest,
      ],
    ]);
    await write(toCsv([CLINIC_HEADER.with(2, 'code' as 'ssn'), ...rows]));
    const dimension: DimensionPolicy = {
      ...{ name: 'code', column: 'code', kind: 'bins' },
      ...{ cuts: [600_000_000], labels: ['low', 'high'] },
    };
    const change = { identifiers: ['patient', 'name'], dimensions: [dimension] };
    expect(await rules(change)).toEqual([
      'pii-values: "code": national or tax numbers of people in 1,200 of 1,200 different values',
      'unique-key: "code": 1,200 different values in 1,200 rows',
    ]);
    const pii = { allow: [{ column: 'code', reason: 'made up' }] };
    expect(await rules({ ...change, pii })).toEqual([]);
  });

  it('refuses labels and values that identify people, without repeating them', async () => {
    await write(clinicCsv());
    const ward = clinicPolicy.dimensions[1]!;
    for (const [label, value] of [
      ['ann@example.org', 'surgery'],
      ['ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ', 'surgery'],
      ['surgery', '536-90-4399'],
      ['4111 1111 1111 1111', 'surgery'],
    ] as const) {
      const labels = [label, 'others, small'];
      const dimensions = [
        { ...ward, labels, values: [[value], ['eye', 'skin']] } as DimensionPolicy,
      ];
      const { code, message } = errorOf(await open({ dimensions }));
      expect(code).toBe('data-policy');
      expect(message).toContain('pii-labels: found ward,');
      expect(message).not.toMatch(/ann|ａｎｎ|536|4111/);
    }
  });
});

describe('surveyUndeclared', () => {
  it('tells of columns that nothing names, by name or by values', async () => {
    const rows = clinicRows().map((row, i) => [
      ...row,
      ...[`ann${i}@example.org`, `pain since day ${i}, more at night`, String(i % 5), '', `K${i}x`],
      ...[String((i * 31) % 977)],
    ]);
    const header = [...CLINIC_HEADER, 'c1', 'c2', 'c3', 'home_phone', 'c5', 'c6'];
    await write(toCsv([header, ...rows]));
    const found = valueOf(
      await surveyUndeclared(folder, { ...clinicPolicy, identifiers: ['ssn'] }),
    );
    expect(found.map(({ column, class: of, by }) => `${column}: ${of} by ${by}`)).toEqual([
      ...['name: person-name by name', 'home_phone: phone by name'],
      ...['c1: email by values', 'c2: free-text by values', 'c5: unique-key by values'],
    ]);
    const sums = { decimals: 0, dominance: null, priorPercent: 15 };
    const magnitudes = [{ name: 'c5', column: 'c5', ...sums }];
    expect(
      valueOf(await surveyUndeclared(folder, { ...clinicPolicy, magnitudes })).map(
        ({ column }) => column,
      ),
    ).toEqual(['home_phone', 'c1', 'c2']);
  });
});

describe('screenRelease', () => {
  it('lets declared labels and numbers through, and nothing else', async () => {
    await write(clinicCsv());
    const released = valueOf(await open()).release();
    expect(screenRelease(clinicPolicy, released)).toBe(released);
    const smuggled = (text: string) => ({
      ...released,
      table: new TextEncoder().encode(
        `${new TextDecoder().decode(released.table)}7,${text},surgery,12,3\n`,
      ),
    });
    for (const text of ['Ann', '"Person ""1"", née Größe"', '12-3', 'P100001'])
      expect(() => screenRelease(clinicPolicy, smuggled(text))).toThrow(/no declared label/);
    expect(() => screenRelease(clinicPolicy, smuggled('Ann'))).not.toThrow(/Ann/);
  });
});

describe('sentinels in every column', () => {
  /** Found nowhere else; one kind for each column and for what is not declared. */
  const sentinel = (column: string, i: number) => `Zq${column}Xw${i}`;

  it('show in no byte of what leaves, nor in any refusal', async () => {
    const header = [...CLINIC_HEADER, 'remarks'];
    const rows = clinicRows().map((row, i) => [
      ...[sentinel('patient', i), sentinel('name', i), sentinel('ssn', i), ...row.slice(3)],
      `${sentinel('remarks', i)} said that she would not come back`,
    ]);
    await write(toCsv([header, ...rows]));
    const vault = valueOf(await open());
    const { table, cells, report } = vault.release();
    const left = [
      new TextDecoder().decode(table),
      new TextDecoder().decode(cells),
      JSON.stringify([report, vault.digest, vault.counts, vault.columns]),
      JSON.stringify(vault.answer({ dimensions: ['age'], columns: ['remarks'] })),
      JSON.stringify(
        preLoopChecks(ok(vault), { data: clinicPolicy, charts: [], gates: clinicGates }),
      ),
    ];

    // A sentinel in each declared column, as often as a value must be shared to be said, and once.
    for (const often of [1, 40]) {
      for (const column of header) {
        const spoilt = rows.map((row, i) =>
          i < often ? row.with(header.indexOf(column), `${sentinel('shared', 0)} ${column}`) : row,
        );
        await write(toCsv([header, ...spoilt]));
        const opened = await open();
        left.push(
          JSON.stringify(opened.ok ? [opened.value.counts, opened.value.columns] : opened.error),
        );
      }
      // The rows without a header, with other fields, with an open quote, cut off.
      for (const broken of [
        toCsv(rows),
        `${toCsv([header, ...rows])}${sentinel('line', 1)},${sentinel('line', 2)}\n`,
        `${toCsv([header, ...rows])}"${sentinel('line', 3)}`,
        toCsv([header.with(0, sentinel('header', 0)), ...rows]),
        toCsv([header.with(3, sentinel('header', 1)), ...rows]),
      ]) {
        await write(broken);
        const refusal = errorOf(await open());
        left.push(JSON.stringify(refusal));
      }
    }
    expect(left.length).toBeGreaterThan(20);
    expect(left.filter((text) => /Zq|née|Person/.test(text))).toEqual([]);
    // The search does find what is there.
    expect(left[0]).toContain('65 or more');
  });
});

describe('files that are no CSV in UTF-8', () => {
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

  it.each<[string, () => string | Uint8Array, string]>([
    ['UTF-16', () => utf16(clinicCsv()), 'UTF-16'],
    ['UTF-16, big end first', () => utf16(clinicCsv()).swap16(), 'UTF-16'],
    ['UTF-16 without a mark', () => Buffer.from(clinicCsv(), 'utf16le'), 'zero bytes'],
    ['Latin-1', () => Buffer.from(clinicCsv(), 'latin1'), 'not UTF-8'],
    [
      'a spreadsheet',
      () => Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(600, 1)]),
      'spreadsheet',
    ],
    ['gzip', () => Buffer.concat([Buffer.of(0x1f, 0x8b, 8), Buffer.alloc(600, 1)]), 'gzip'],
    ['Parquet', () => Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(600, 1)]), 'it is Parquet'],
    [
      'a huge field',
      () =>
        clinicCsv(
          clinicRows().map((row, i) => (i === 9 ? row.with(1, 'Ann '.repeat(600_000)) : row)),
        ),
      '2,000,000 bytes',
    ],
    ['other fields', () => `${clinicCsv()}"P1","Ann"\n`, 'fields'],
  ])('%s is refused, and told', async (_, content, reason) => {
    await write(content());
    const { code, message } = errorOf(await open());
    expect([code, message]).toEqual(['unreadable-data', expect.stringContaining(reason)]);
    expect(message).not.toContain('Ann');
  });

  it('reads line ends of Windows, a byte order mark, quotes and fields of a megabyte', async () => {
    const rows = clinicRows().map((row, i) =>
      i === 9 ? row.with(1, `"${'Ann, '.repeat(200_000)}`) : row,
    );
    await write(`\ufeff${clinicCsv(rows).replaceAll('\n', '\r\n')}`);
    const { counts } = valueOf(await open());
    expect(
      counts.train.people + counts.dev.people + counts.check.people + counts.sealed.people,
    ).toBe(1200);
  });
});

describe('Parquet', () => {
  const FILE = { path: 'clinic.parquet', format: 'parquet' } as const;
  const writeParquet = async (columns: string, options = '') => {
    await write(clinicCsv());
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      await connection.run("SET force_mbedtls_unsafe = 'true'");
      await connection.run("PRAGMA add_parquet_key('key1', '0123456789112345')");
      await connection.run(
        `COPY (SELECT ${columns} FROM read_csv('${join(folder, 'clinic.csv')}', all_varchar = true))
         TO '${join(folder, 'clinic.parquet')}' (FORMAT parquet ${options})`,
      );
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };

  it('is read with dictionaries, numbers and columns of lists that nothing declares', async () => {
    await writeParquet(
      "* REPLACE (age::INT AS age, ward::ENUM('surgery', 'eye', 'skin') AS ward, [name, ssn] AS name)",
    );
    const change = { ...FILE };
    expect(valueOf(await open(change)).counts.train.people).toBeGreaterThan(500);
  });

  it('counts rows without a value, and does not say who', async () => {
    await writeParquet("* REPLACE (CASE WHEN patient = 'P100007' THEN NULL ELSE ward END AS ward)");
    const { code, message } = errorOf(await open(FILE));
    expect([code, message]).toEqual([
      'uncovered-values',
      expect.stringContaining('no value in 1 rows (first in row 8)'),
    ]);
  });

  it.each([
    ['[ward]', 'LIST'],
    ["{'w': ward}", 'STRUCT'],
    ['encode(ward)', 'BLOB'],
    ['MAP {ward: 1}', 'MAP'],
  ])('with %s in a declared column is refused', async (expression, kind) => {
    await writeParquet(`* REPLACE (${expression} AS ward)`);
    const { code, message } = errorOf(await open(FILE));
    expect([code, message]).toEqual([
      'unreadable-data',
      expect.stringContaining(`column "ward" of type ${kind}`),
    ]);
    expect(message).not.toContain('surgery');
  });

  it('that is encrypted is refused', async () => {
    await writeParquet('*', ", ENCRYPTION_CONFIG {footer_key: 'key1'}");
    expect(errorOf(await open(FILE))).toMatchObject({
      code: 'unreadable-data',
      message: expect.stringContaining('encrypted') as string,
    });
  });

  it('that is cut off is refused', async () => {
    await writeParquet('*');
    const bytes = await readFile(join(folder, 'clinic.parquet'));
    await write(bytes.subarray(0, bytes.length - 9), 'clinic.parquet');
    expect(errorOf(await open(FILE)).code).toBe('unreadable-data');
  });
});
