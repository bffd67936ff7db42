import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cellCount, SPLITS, type DataPolicy } from '#libs/harness';
import { dataDigest, openVault, type Vault } from './index.ts';
import { splitter } from './split.ts';
import {
  CLINIC_HEADER,
  clinicCsv,
  clinicPolicy,
  clinicRows,
  errorOf,
  noBounds,
  testKey,
  toCsv,
  valueOf,
} from './testing/fixtures.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-spec-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const write = (content: string | Uint8Array, name = 'clinic.csv') =>
  writeFile(join(folder, name), content);

const open = (change: Partial<DataPolicy> = {}, key = testKey(1), expectedDigest?: string) =>
  openVault({
    studyFolder: folder,
    data: { ...clinicPolicy, ...change },
    splitKey: key,
    bounds: noBounds,
    ...(expectedDigest === undefined ? {} : { expectedDigest }),
  });

const refusalOf = async (content: string | Uint8Array, change: Partial<DataPolicy> = {}) => {
  await write(content);
  return errorOf(await open(change));
};

const replaced = (column: (typeof CLINIC_HEADER)[number], values: readonly string[]) =>
  clinicCsv(
    clinicRows().map((row, i) =>
      values[i] === undefined ? row : row.with(CLINIC_HEADER.indexOf(column), values[i]),
    ),
  );

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

const sumPeople = ({ counts }: Vault) => sum(SPLITS.map((split) => counts[split].people));

/** The counts of every row, taken one by one in plain code. */
const countedByHand = (key: Uint8Array) => {
  const splitOf = splitter(key, clinicPolicy.split);
  const empty = () => ({ people: new Uint32Array(6), positive: new Uint32Array(6) });
  const split = () => ({ cells: empty(), female: empty(), male: empty() });
  const counts = { train: split(), dev: split(), check: split(), sealed: split() };
  for (const [id, , , age, ward, sex, days] of clinicRows()) {
    const cell =
      2 * (Number(age) < 40 ? 0 : Number(age) < 65 ? 1 : 2) + (ward === 'surgery' ? 0 : 1);
    const of = counts[splitOf(id!)];
    for (const table of [of.cells, sex === 'f' ? of.female : of.male]) {
      table.people[cell]! += 1;
      table.positive[cell]! += Number(days) >= 30 ? 1 : 0;
    }
  }
  return counts;
};

describe('openVault', () => {
  it('counts every row in its split, cell, outcome and protected group', async () => {
    await write(clinicCsv());
    for (const key of [testKey(1), testKey(2)]) {
      const { counts } = valueOf(await open({}, key));
      const expected = countedByHand(key);
      for (const split of SPLITS) {
        expect(counts[split].cells).toEqual(expected[split].cells);
        expect(counts[split].people).toBe(sum(expected[split].cells.people));
        expect(counts[split].positive).toBe(sum(expected[split].cells.positive));
        expect(counts[split].protected).toEqual([
          {
            attribute: 'sex',
            groups: [
              { group: 'female', counts: expected[split].female },
              { group: 'male', counts: expected[split].male },
            ],
          },
        ]);
      }
      expect(sum(SPLITS.map((split) => counts[split].people))).toBe(1200);
    }
  });

  it.each(['csv', 'postgres'] as const)(
    'counts a file that somebody brings instead of the study (%s), if it is the pinned one',
    async (format) => {
      await write(clinicCsv(), 'brought');
      const digest = valueOf(await dataDigest(folder, 'brought'));
      const brought = (expectedDigest: string) =>
        openVault({
          ...{ studyFolder: join(folder, 'nowhere'), file: join(folder, 'brought') },
          data: { ...clinicPolicy, format, path: 'hr.clinic' },
          ...{ splitKey: testKey(1), bounds: noBounds, expectedDigest },
        });
      const { counts } = valueOf(await brought(digest));
      expect(counts.dev.cells).toEqual(countedByHand(testKey(1)).dev.cells);
      expect(errorOf(await brought('0'.repeat(64)))).toMatchObject({ code: 'digest-differs' });
    },
  );

  it('counts the intersections of protected attributes, as the study crosses or merges them', async () => {
    await write(clinicCsv());
    const wing = {
      name: 'wing',
      column: 'ward',
      kind: 'groups',
      labels: ['a', 'b', 'c'],
      values: [['surgery'], ['eye'], ['skin']],
    } as const;
    const data: DataPolicy = {
      ...clinicPolicy,
      dimensions: clinicPolicy.dimensions.slice(0, 1),
      protected: [...clinicPolicy.protected, wing],
    };
    const merged = [
      {
        label: 'women of a and b',
        combinations: [
          ['female', 'a'],
          ['female', 'b'],
        ],
      },
      { label: 'women of c', combinations: [['female', 'c']] },
      { label: 'men', combinations: ['a', 'b', 'c'].map((of) => ['male', of]) },
    ];
    const of = ['sex', 'wing'];
    const openWith = (groups: typeof merged | null) =>
      openVault({
        studyFolder: folder,
        data,
        intersections: [{ of, groups }],
        splitKey: testKey(1),
        bounds: noBounds,
      });
    const { dev } = valueOf(await openWith(null)).counts;
    const [bySex, byWing, crossed] = dev.protected;
    const people = (groups: typeof bySex, name: string) =>
      sum(groups!.groups.find(({ group }) => group === name)!.counts.people);
    expect(crossed?.attribute).toBe('sex × wing');
    expect(crossed?.groups.map(({ group }) => group)).toEqual([
      'female × a',
      'female × b',
      'female × c',
      'male × a',
      'male × b',
      'male × c',
    ]);
    for (const sex of ['female', 'male'])
      expect(['a', 'b', 'c'].reduce((n, ward) => n + people(crossed, `${sex} × ${ward}`), 0)).toBe(
        people(bySex, sex),
      );
    for (const ward of ['a', 'b', 'c'])
      expect(people(crossed, `female × ${ward}`) + people(crossed, `male × ${ward}`)).toBe(
        people(byWing, ward),
      );
    // Counted by hand: women in the skin ward on the dev rows.
    const splitOf = splitter(testKey(1), data.split);
    expect(people(crossed, 'female × c')).toBe(
      clinicRows().filter(
        ([id, , , , ward, sex]) => splitOf(id!) === 'dev' && ward === 'skin' && sex === 'f',
      ).length,
    );
    const again = valueOf(await openWith(merged)).counts.dev.protected[2];
    expect(people(again, 'men')).toBe(people(bySex, 'male'));
    expect(people(again, 'women of c')).toBe(people(crossed, 'female × c'));
    expect(
      await openVault({
        studyFolder: folder,
        data,
        intersections: [{ of: ['sex', 'age'], groups: null }],
        splitKey: testKey(1),
        bounds: noBounds,
      }),
    ).toMatchObject({ ok: false, error: { code: 'data-policy' } });
  });

  it('splits the same rows the same way in any order, and otherwise under another key', async () => {
    await write(clinicCsv());
    const first = valueOf(await open());
    await write(clinicCsv([...clinicRows()].reverse()));
    const reversed = valueOf(await open());
    expect(reversed.counts).toEqual(first.counts);
    expect(reversed.release().table).toEqual(first.release().table);
    expect(valueOf(await open({}, testKey(2))).counts).not.toEqual(first.counts);
  });

  it('takes the place in the file for the row id where none is declared', async () => {
    await write(clinicCsv());
    const byPlace = valueOf(await open({ rowId: null })).counts;
    await write(clinicCsv(clinicRows().map((row, i) => row.with(0, String(i + 1)))));
    expect(valueOf(await open()).counts).toEqual(byPlace);
  });

  it('gives the same counts for CSV and Parquet', async () => {
    await write(clinicCsv());
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    // Types are guessed here, so that ages and days are numbers in the Parquet file.
    await connection.run(
      `COPY (SELECT * FROM read_csv('${join(folder, 'clinic.csv')}'))
       TO '${join(folder, 'clinic.parquet')}' (FORMAT parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
    const csv = valueOf(await open());
    const parquet = valueOf(await open({ path: 'clinic.parquet', format: 'parquet' }));
    expect(parquet.counts).toEqual(csv.counts);
    expect(parquet.release().table).toEqual(csv.release().table);
    expect(parquet.digest).not.toBe(csv.digest);
  });

  it('holds the digest of exactly the bytes that it read, and refuses others', async () => {
    const bytes = clinicCsv();
    await write(bytes);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(valueOf(await dataDigest(folder, 'clinic.csv'))).toBe(digest);
    expect(valueOf(await open({}, testKey(1), digest)).digest).toBe(digest);
    await write(bytes.replace('"surgery"', '"eye"'));
    const { code, message } = errorOf(await open({}, testKey(1), digest));
    expect(code).toBe('digest-differs');
    expect(message).toContain(digest);
  });

  it('reads quoted line ends, byte order marks and lines that look like comments', async () => {
    const rows = clinicRows().map((row, i) => row.with(1, i % 2 ? 'two\nlines' : '# no comment'));
    const ids = rows.map((row, i) => row.with(0, i === 700 ? '#700' : row[0]!));
    await write(`\uFEFF${toCsv([CLINIC_HEADER, ...ids])}`);
    expect(sumPeople(valueOf(await open()))).toBe(1200);
  });

  it('leaves no copy of the data behind, not even when it refuses', async () => {
    const left = async () =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-vault-'));
    const before = await left();
    await write(clinicCsv());
    await open();
    await refusalOf('patient\n1\n');
    expect((await left()).filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe('what leaves the vault', () => {
  it('is the base table, by label, with the minimum cell', async () => {
    await write(clinicCsv());
    const vault = valueOf(await open({ minimumCell: 30 }));
    const { table, cells, report } = vault.release();
    const lines = new TextDecoder().decode(table).trimEnd().split('\n');
    expect(lines[0]).toBe('cell,age,ward,n,positive');
    const people = lines.slice(1).map((line) => Number(line.split(',').at(-2)));
    expect(Math.min(...people)).toBeGreaterThanOrEqual(30);
    expect(vault.control.hidden.cells).toBeGreaterThan(0);
    expect(report.released).toEqual({ cells: people.length, people: sum(people) });
    expect(report.released.people + vault.control.hidden.people).toBe(vault.counts.train.people);
    expect(new TextDecoder().decode(cells).trimEnd().split('\n')).toHaveLength(
      1 + cellCount(clinicPolicy.dimensions),
    );
  });

  it('is the same bytes each time', async () => {
    await write(clinicCsv());
    const [first, second] = [valueOf(await open()), valueOf(await open())];
    expect(first.release()).toEqual(second.release());
    expect(first.release()).toEqual(first.release());
  });

  it('holds no value of an identifier, in any byte', async () => {
    await write(clinicCsv());
    const vault = valueOf(await open());
    const { table, cells, report } = vault.release();
    const answers = [[], ['age'], ['ward'], ['age', 'ward']].map((dimensions) =>
      valueOf(vault.answer({ dimensions })),
    );
    const refusals = [
      await refusalOf(replaced('age', ['', 'P100001', 'Person'])),
      await refusalOf(replaced('patient', ['P100001'])),
      await refusalOf(`${clinicCsv()}"P999999","Ann Example"\n`),
    ];
    const released = [
      new TextDecoder().decode(table),
      new TextDecoder().decode(cells),
      JSON.stringify([report, answers, refusals]),
    ].join('\n');
    const identifiers = new Set([
      ...clinicRows().flatMap(([id, name, ssn]) => [id!, name!, ssn!]),
      'P999999',
      'Ann Example',
    ]);
    expect(identifiers.size).toBe(3602);
    expect([...identifiers].filter((value) => released.includes(value))).toEqual([]);
    // The search does find what is there.
    expect(released).toContain('65 or more');
  });

  it('answers later requests from the base table alone', async () => {
    await write(clinicCsv());
    const vault = valueOf(await open({ minimumCell: 30 }));
    const all = valueOf(vault.answer({ dimensions: [] })).cohorts;
    // The suppressed people are not in the total either, so no difference of answers tells of them.
    expect(all.map(({ people }) => people)).toEqual([vault.release().report.released.people]);
    const byAge = valueOf(vault.answer({ dimensions: ['age'] })).cohorts;
    expect(sum(byAge.map(({ people }) => people))).toBe(all[0]!.people);
    expect(errorOf(vault.answer({ dimensions: [], rows: 'individuals' }))[0]!.rule).toBe(
      'individual-level',
    );
  });
});

describe('a magnitude', () => {
  const pay = {
    name: 'pay',
    column: 'pay',
    decimals: 2,
    dominance: { largest: 2, percent: 85 },
    priorPercent: 15,
  };
  const MEN_OF_MEANS = 3;
  /** Everybody is paid 0.10, however it is written, but for a few. */
  const paidRows = clinicRows().map((row, i) => [
    ...row,
    i < MEN_OF_MEANS ? '1.25' : i % 2 === 0 ? '0.1' : '0.10',
  ]);
  const paid = (rows: readonly (readonly string[])[]) =>
    toCsv([[...CLINIC_HEADER, 'pay'], ...rows]);
  const opened = async (rows: readonly (readonly string[])[]) => {
    await write(paid(rows));
    return open({ magnitudes: [pay], minimumCell: 3 });
  };
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).trimEnd().split('\n').slice(1);

  it('is summed exactly for each released cell, whatever the order of the rows', async () => {
    const vault = valueOf(await opened(paidRows));
    const { table } = vault.release();
    const splitOf = splitter(testKey(1), clinicPolicy.split);
    const train = paidRows.filter(([id]) => splitOf(id!) === 'train');
    const cents = sum(lines(table).map((line) => Math.round(100 * Number(line.split(',').at(-1)))));
    const hand = sum(train.map((row) => Math.round(100 * Number(row.at(-1)))));
    expect(vault.control.hidden.people).toBe(0);
    expect(cents).toBe(hand);
    const reversed = valueOf(await opened([...paidRows].reverse()));
    expect(reversed.release().table).toEqual(table);
  });

  it('hides the cell that one person dominates, with all its counts', async () => {
    const before = valueOf(await opened(paidRows)).control.base;
    const splitOf = splitter(testKey(1), clinicPolicy.split);
    const one = paidRows.findIndex((row) => splitOf(row[0]!) === 'train' && Number(row[3]) >= 65);
    const after = valueOf(await opened(paidRows.with(one, paidRows[one]!.with(-1, '90000'))));
    const hidden = before.filter(({ cell }) => !after.control.base.some((b) => b.cell === cell));
    expect(hidden.map(({ cell }) => Math.floor(cell / 2))).toEqual([2]);
    expect(new TextDecoder().decode(after.release().table)).not.toContain('9000');
  });

  it.each(['-0.01', '', 'much', 'NaN', '1e30'])('may not be %j', async (value) => {
    const { code, message } = errorOf(await opened(paidRows.with(7, paidRows[7]!.with(-1, value))));
    expect(code).toBe('uncovered-values');
    expect(message).toContain('column "pay" for the magnitude pay, a number from 0 on, has');
    expect(message).toContain('first in row 8');
  });
});

describe('a run that is resumed', () => {
  it('gets the base table that left the vault for it, and is refused where that cannot be made', async () => {
    await write(clinicCsv());
    const first = valueOf(await open({ minimumCell: 30 }));
    const released = { coarsened: 0, table: first.release().table };
    const resume = (change: Partial<DataPolicy>, key = testKey(1)) =>
      openVault({
        studyFolder: folder,
        data: { ...clinicPolicy, ...change },
        splitKey: key,
        bounds: noBounds,
        released,
      });
    // Even where another minimum would release more today.
    for (const minimumCell of [30, 11]) {
      const again = valueOf(await resume({ minimumCell }));
      expect(again.release().table).toEqual(released.table);
      expect(valueOf(again.answer({ dimensions: ['age'] })).cohorts).toEqual(
        valueOf(first.answer({ dimensions: ['age'] })).cohorts,
      );
    }
    expect(errorOf(await resume({}, testKey(2))).code).toBe('release-differs');
    const dimensions = clinicPolicy.dimensions.slice(0, 1);
    expect(errorOf(await resume({ dimensions })).code).toBe('release-differs');
  });
});

describe('openVault refuses', () => {
  it('a path out of the study', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'vault-spec-outside-'));
    try {
      await writeFile(join(outside, 'clinic.csv'), clinicCsv());
      await symlink(join(outside, 'clinic.csv'), join(folder, 'link.csv'));
      await symlink(outside, join(folder, 'folder'));
      await symlink('loop', join(folder, 'loop'));
      await mkdir(join(folder, 'inner'));
      for (const path of [
        join(outside, 'clinic.csv'),
        '../clinic.csv',
        'inner/../../clinic.csv',
        'link.csv',
        'folder/clinic.csv',
        'inner',
        'loop',
        '/dev/zero',
        'a\0b',
      ]) {
        expect([path, errorOf(await open({ path })).code]).toEqual([path, 'unsafe-path']);
        expect(errorOf(await dataDigest(folder, path)).code).toBe('unsafe-path');
      }
      expect(errorOf(await open({ path: 'inner/clinic.csv' })).code).toBe('missing-data');
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('but reads through a link that stays within it', async () => {
    await write(clinicCsv(), 'real.csv');
    await symlink('real.csv', join(folder, 'clinic.csv'));
    expect(sumPeople(valueOf(await open()))).toBe(1200);
  });

  it('columns that are not there, identifiers too', async () => {
    const { code, message } = await refusalOf(clinicCsv(), {
      identifiers: ['patient', 'name', 'social'],
      outcome: {
        name: 'readmitted',
        column: 'Days',
        positive: { atLeast: 30 },
        labels: { positive: 'positive', negative: 'negative' },
      },
    });
    expect(code).toBe('missing-columns');
    expect(message).toContain('found no column "Days", "social"');
  });

  it('values that nothing covers, in every column at once, with counts', async () => {
    const rows = clinicRows().map((row, i) =>
      i < 3
        ? row.with(3, '')
        : i < 23
          ? row.with(4, 'heart')
          : i < 25
            ? row.with(4, `rare ${i}`)
            : i === 25
              ? row.with(6, 'NaN')
              : i === 26
                ? row.with(5, 'x')
                : row,
    );
    await write(clinicCsv(rows));
    // Where refusals are kept no value is said; whoever has the file is told those that many share.
    expect(errorOf(await open()).message).not.toMatch(/heart|rare/);
    expect(errorOf(await open()).message).toContain(
      'column "ward" for ward has 3 different values in 22 rows (first in row 4)',
    );
    const request = {
      ...{ studyFolder: folder, data: clinicPolicy },
      ...{ splitKey: testKey(1), bounds: noBounds },
    };
    const { code, message } = errorOf(await openVault({ ...request, sayValues: true }));
    expect(code).toBe('uncovered-values');
    expect(message).toContain(
      [
        'column "days" for the outcome has 1 different values in 1 rows (first in row 26)',
        'column "age" for age has no value in 3 rows (first in row 1)',
        'column "ward" for ward has "heart" in 20 rows (first in row 4), 2 other values in 2 rows (first in row 24)',
        'column "sex" for sex has 1 different values in 1 rows (first in row 27)',
      ].join('; '),
    );
  });

  it.each(['inf', '-inf', 'nan', 'forty', ''])('the age %j', async (age) => {
    expect((await refusalOf(replaced('age', [age]))).code).toBe('uncovered-values');
  });

  it('row ids that are missing or repeated', async () => {
    const { code, message } = await refusalOf(replaced('patient', ['', 'P100002']));
    expect(code).toBe('bad-row-ids');
    expect(message).toContain('found 1 rows without an id and 1 repeated ids in column "patient"');
  });

  it('a file without rows', async () => {
    expect((await refusalOf(clinicCsv([]))).code).toBe('no-rows');
  });

  it.each([
    ['a line with too few fields', `${clinicCsv()}"P1","Ann"\n`],
    ['a quote that is not closed', `${clinicCsv()}"P1,Ann\n`],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(clinicCsv()), Buffer.of(0xff, 10)])],
    ['a comment in front', `# secret Ann\n${clinicCsv()}`],
  ])('%s, without quoting it', async (_, content) => {
    const { code, message } = await refusalOf(content);
    expect(code).toBe('unreadable-data');
    expect(message).not.toContain('Ann');
  });

  it('with the line, where it is far down', async () => {
    const rows = clinicRows(30_000);
    const { message } = await refusalOf(`${clinicCsv(rows)}"P1","Ann"\n`);
    expect(message).toContain('from line 30002 on');
    expect(message).not.toContain('Ann');
  });

  it('another format than the policy names', async () => {
    expect((await refusalOf(clinicCsv(), { format: 'parquet' })).code).toBe('unreadable-data');
  });

  it('a policy that would let an identifier out', async () => {
    const { code, message } = await refusalOf(clinicCsv(), {
      dimensions: [
        { name: 'who', column: 'name', kind: 'groups', labels: ['Ann'], values: [['Ann']] },
      ],
    });
    expect(code).toBe('data-policy');
    expect(message).toContain('dimension-identifier: found who (column name)');
  });
});

describe('names and values from the policy', () => {
  it('are never taken for SQL', async () => {
    const hostile = fc.string({
      unit: fc.constantFrom('a', '"', "'", ';', '--', '\\', '$', ' ', ')', '\n', '%', 'é'),
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (middle, value) => {
        // DuckDB trims a header's names.
        const column = `x${middle}x`;
        await write(
          toCsv([
            [column, 'y'],
            [value, '1'],
            [value, '0'],
            ['other', '1'],
          ]),
        );
        const vault = await open({
          rowId: null,
          identifiers: [],
          outcome: {
            name: 'y',
            column: 'y',
            positive: { equals: '1' },
            labels: { positive: 'positive', negative: 'negative' },
          },
          dimensions: [
            {
              name: 'd',
              column: column,
              kind: 'groups',
              labels: ['it', 'rest'],
              values: [[value], ['other']],
            },
          ],
          protected: [],
        });
        const { counts } = valueOf(vault);
        const cell = (id: number) => sum(SPLITS.map((split) => counts[split].cells.people[id]!));
        expect([cell(0), cell(1)]).toEqual([2, 1]);
      }),
      { numRuns: 15 },
    );
  });
});
