import { describe, expect, it } from 'vitest';
import type { DataPolicy, HarnessPolicy } from '#libs/harness';
import { ok, refused } from '#libs/kernel';
import {
  checkDataPolicy,
  preLoopChecks,
  type ColumnScreen,
  type SplitCounts,
  type VaultCounts,
} from './index.ts';
import { clinicGates, clinicPolicy } from './testing/fixtures.ts';

const split = (people: readonly number[], positive: readonly number[]): SplitCounts => {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const part = (share: number) => ({
    people: people.map((n) => Math.round(n * share)),
    positive: positive.map((n) => Math.round(n * share)),
  });
  return {
    people: sum(people),
    positive: sum(positive),
    cells: { people, positive },
    protected: [
      {
        attribute: 'sex',
        groups: [
          { group: 'female', counts: part(0.5) },
          { group: 'male', counts: part(0.5) },
        ],
      },
    ],
  };
};

const good = split([40, 20, 40, 20, 40, 40], [10, 10, 10, 10, 10, 10]);
const counts: VaultCounts = { train: good, dev: good, check: good, sealed: good };

/** Columns with nothing to find in them. */
const screened = (column: string, change: Partial<ColumnScreen> = {}): ColumnScreen => ({
  ...{ column, use: 'dimension', rows: 1200, values: 3, read: 3, unread: 0 },
  ...{ personal: [], freeText: false, uniqueKey: false, ...change },
});
const columns = ['age', 'ward', 'sex', 'days', 'name'].map((column) => screened(column));

const GAP = { kind: 'gap', reference: 0, allowance: 0.5, decisionInterval: 5 } as const;

const failing = (
  change: {
    readonly data?: Partial<DataPolicy>;
    readonly counts?: Partial<VaultCounts>;
    readonly columns?: readonly ColumnScreen[];
    readonly charts?: HarnessPolicy['charts'];
    readonly gates?: Partial<HarnessPolicy['gates']>;
  } = {},
) =>
  preLoopChecks(
    ok({ counts: { ...counts, ...change.counts }, columns: change.columns ?? columns }),
    {
      data: { ...clinicPolicy, ...change.data },
      charts: change.charts ?? [],
      gates: { ...clinicGates, ...change.gates },
    },
  ).filter(({ passed }) => !passed);

const [age, ward] = clinicPolicy.dimensions as [
  DataPolicy['dimensions'][number],
  DataPolicy['dimensions'][number],
];

describe('checkDataPolicy', () => {
  const broken = (change: Partial<DataPolicy>) =>
    checkDataPolicy({ ...clinicPolicy, ...change })
      .filter(({ passed }) => !passed)
      .map(({ rule, found }) => `${rule}: ${found}`);

  it('passes a good policy', () => {
    expect(broken({})).toEqual([]);
  });

  it.each<[string, Partial<DataPolicy>, string]>([
    [
      'a dimension over an identifier',
      { dimensions: [age, { ...ward, column: 'ssn' }] },
      'dimension-identifier: ward (column ssn)',
    ],
    [
      'a dimension over the row id, listed as identifier or not',
      { identifiers: [], dimensions: [{ ...ward, column: 'patient' }] },
      'dimension-identifier: ward (column patient)',
    ],
    [
      'a dimension over a protected attribute',
      { dimensions: [age, { ...ward, column: 'sex' }] },
      'dimension-protected: ward (column sex)',
    ],
    [
      "a dimension over the outcome's column",
      { dimensions: [{ ...age, name: 'stay', column: 'days' }] },
      'dimension-outcome: stay (column days)',
    ],
    ['a name twice', { dimensions: [age, { ...ward, name: 'age' }] }, 'dimension-names: age'],
    ['a taken name', { dimensions: [{ ...age, name: 'n' }] }, 'dimension-names: n'],
    [
      'a bin without a label',
      { dimensions: [{ ...age, labels: ['young', 'old'] }] },
      'dimension-labels: age',
    ],
    [
      'a value in two groups',
      { dimensions: [{ ...ward, values: [['eye'], ['eye', 'skin']] } as typeof ward] },
      'dimension-labels: ward',
    ],
    [
      'a group without values',
      { dimensions: [{ ...ward, values: [['eye'], []] } as typeof ward] },
      'dimension-labels: ward',
    ],
    [
      'cuts that do not ascend',
      { dimensions: [{ ...age, cuts: [65, 40] } as typeof age] },
      'dimension-labels: age',
    ],
    ['a minimum cell of two', { minimumCell: 2 }, 'minimum-cell: 2 people'],
    [
      'shares that are not a hundred',
      { split: { train: 50, dev: 20, check: 15, sealed: 10 } },
      'split-shares: 50 / 20 / 15 / 10',
    ],
    [
      'a product that is too large',
      {
        dimensions: Array.from({ length: 15 }, (_, i) => ({ ...ward, name: `ward ${i}` })),
      },
      'cell-count: 32,768 cells',
    ],
  ])('finds %s', (_, change, found) => {
    expect(broken(change)).toEqual([found]);
  });
});

describe('columns that identify people', () => {
  const contact = { ...ward, name: 'contact', column: 'home_phone' };

  it('are found by name, in a dimension, a protected attribute and the outcome', () => {
    const found = (change: Partial<DataPolicy>) =>
      checkDataPolicy({ ...clinicPolicy, ...change })
        .filter(({ rule, passed }) => rule === 'pii-schema' && !passed)
        .map((check) => check.found);
    expect(found({})).toEqual([]);
    expect(found({ dimensions: [contact] })).toEqual(['"home_phone" (phone numbers)']);
    expect(found({ protected: [{ ...ward, name: 'd', column: 'dob' }] })).toEqual([
      '"dob" (dates of birth)',
    ]);
    const outcome = { ...clinicPolicy.outcome, column: 'patient_ssn' };
    expect(found({ outcome })).toEqual(['"patient_ssn" (national or tax numbers of people)']);
    const pii = { allow: [{ column: 'home_phone', reason: 'whether there is one' }] };
    expect(found({ dimensions: [contact], pii })).toEqual([]);
    // A run of version 1 is judged as it was then.
    expect(found({ dimensions: [contact], pii: null })).toEqual([]);
  });

  const withColumn = (change: Partial<ColumnScreen>, pii: DataPolicy['pii'] = { allow: [] }) =>
    failing({
      columns: columns.map((screen) =>
        screen.column === 'ward' ? screened('ward', change) : screen,
      ),
      data: { pii },
    }).map(({ rule, found }) => `${rule}: ${found}`);

  it('are found by their values, told by class and count', () => {
    const personal = [{ class: 'email', recogniser: 'email', values: 1180 }] as const;
    expect(withColumn({ personal, values: 1200 })).toEqual([
      'pii-values: "ward": e-mail addresses in 1,180 of 1,200 different values',
    ]);
    const pii = { allow: [{ column: 'ward', reason: 'mail domains, no addresses' }] };
    expect(withColumn({ personal, values: 1200 }, pii)).toEqual([]);
    expect(withColumn({ personal, values: 1200 }, null)).toEqual([]);
  });

  it('are free text, keys, or more than can be read', () => {
    expect(withColumn({ freeText: true })).toEqual(['free-text: "ward"']);
    expect(withColumn({ uniqueKey: true, values: 1190 })).toEqual([
      'unique-key: "ward": 1,190 different values in 1,200 rows',
    ]);
    expect(withColumn({ values: 300_000, unread: 50_000 })).toEqual([
      'pii-values: "ward": 50,000 of 300,000 different values are too many to read',
    ]);
  });

  it('are not passed because nobody looked', () => {
    expect(failing({ columns: [] }).map(({ rule, found }) => `${rule}: ${found}`)).toEqual([
      'pii-values: "age": not read; "ward": not read; "sex": not read; "days": not read',
    ]);
  });
});

describe('preLoopChecks', () => {
  it('passes good data, and says of each rule what was found', () => {
    const checks = preLoopChecks(ok({ counts, columns }), {
      data: clinicPolicy,
      charts: [GAP],
      gates: clinicGates,
    });
    expect(checks.every(({ passed }) => passed)).toBe(true);
    expect(checks.find(({ rule }) => rule === 'split-rows')).toEqual({
      rule: 'split-rows',
      passed: true,
      found: 'train 200, dev 200, check 200, sealed 200',
      expected: 'at least 100 people in each split',
    });
  });

  it('fails a split with too few rows', () => {
    const small = split([20, 0, 20, 0, 20, 0], [5, 0, 5, 0, 5, 0]);
    expect(failing({ counts: { check: small } })).toEqual([
      {
        rule: 'split-rows',
        passed: false,
        found: 'train 200, dev 200, check 60, sealed 200',
        expected: 'at least 100 people in each split',
      },
    ]);
  });

  it('asks nothing of a split without a share, but always of train and dev', () => {
    const none = split([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]);
    const data = { split: { train: 60, dev: 20, check: 0, sealed: 20 } };
    expect(failing({ counts: { check: none }, data })).toEqual([]);
    const without = { split: { train: 60, dev: 0, check: 20, sealed: 20 } };
    expect(failing({ counts: { dev: none }, data: without }).map(({ rule }) => rule)).toContain(
      'split-rows',
    );
  });

  it('fails a split with one outcome only', () => {
    const positive = split([100, 20, 20, 20, 20, 20], [100, 20, 20, 20, 20, 20]);
    expect(failing({ counts: { sealed: positive } }).map(({ rule }) => rule)).toEqual([
      'split-outcomes',
    ]);
  });

  it('fails too much suppression: dimensions so fine that cohorts become people', () => {
    const fine = split([150, 10, 10, 10, 10, 10], [50, 5, 5, 5, 5, 5]);
    expect(failing({ counts: { train: fine } })).toEqual([
      {
        rule: 'suppression',
        passed: false,
        found: '25.0 % of the train rows (50 people in 5 cells)',
        expected: 'at most 20 % in cells of fewer than 11',
      },
    ]);
  });

  it('fails a protected group that is too small on dev', () => {
    const gates = { preLoop: { ...clinicGates.preLoop, minimumGroup: 101 } };
    expect(failing({ gates }).map(({ rule, found }) => `${rule}: ${found}`)).toEqual([
      'protected-groups: sex female 100, sex male 100',
    ]);
  });

  it('fails a bound on fairness without anybody to compare', () => {
    const without = { ...good, protected: [] };
    expect(failing({ counts: { dev: without } }).map(({ rule }) => rule)).toEqual([
      'protected-groups',
    ]);
    const postLoop = { ...clinicGates.postLoop, disparateImpact: null };
    expect(failing({ counts: { dev: without }, gates: { postLoop } })).toEqual([]);
  });

  describe('with rows that are all in small cells', () => {
    const scattered = split([10, 10, 10, 10, 10, 10], [5, 5, 5, 5, 5, 5]);
    const gates = { preLoop: { minimumRows: 10, minimumGroup: 10, maximumSuppression: 20 } };

    it.each([
      ['dev', 'dev 0, check 200, sealed 200'],
      ['check', 'dev 200, check 0, sealed 200'],
      ['sealed', 'dev 200, check 200, sealed 0'],
    ])('fails the %s rows', (name, found) => {
      expect(failing({ counts: { [name]: scattered }, gates })).toEqual([
        {
          rule: 'scorable-rows',
          passed: false,
          found,
          expected:
            'people in cells of at least 11 in each, so that predictions and findings can be scored',
        },
      ]);
    });

    it('asks nothing of check rows without a share, but always of sealed ones', () => {
      const without = { split: { train: 60, dev: 40, check: 0, sealed: 0 } };
      expect(failing({ counts: { check: scattered }, data: without, gates })).toEqual([]);
      expect(failing({ counts: { sealed: scattered }, data: without, gates })).toMatchObject([
        { rule: 'scorable-rows', found: 'dev 200, sealed 0' },
      ]);
    });
  });

  it('fails a gap chart that no cell could ever feed', () => {
    // Enough people in each split, but never enough of both in the same cell.
    const left = split([60, 60, 60, 5, 5, 5], [20, 20, 20, 2, 2, 2]);
    const right = split([5, 5, 5, 60, 60, 60], [2, 2, 2, 20, 20, 20]);
    const apart = { dev: left, check: right };
    expect(failing({ counts: apart })).toEqual([]);
    expect(failing({ counts: apart, charts: [GAP] })).toEqual([
      {
        rule: 'gap-chart',
        passed: false,
        found: '0 cells of at least 11 in dev and in check',
        expected:
          'at least one, so that the gap chart of the policy can be measured; else set charts.gap to null',
      },
    ]);
  });

  it("shows the vault's refusal as a broken rule", () => {
    const refusal = refused({ code: 'digest-differs', message: 'found another file' });
    const checks = preLoopChecks(refusal, { data: clinicPolicy, charts: [], gates: clinicGates });
    expect(checks.filter(({ passed }) => !passed)).toEqual([
      {
        rule: 'data',
        passed: false,
        found: 'found another file',
        expected: 'data the vault can read in full, as it was pinned',
      },
    ]);
  });

  it('names a broken policy once', () => {
    const data = { ...clinicPolicy, minimumCell: 1 };
    const refusal = refused({ code: 'data-policy', message: 'minimum-cell: …' });
    const checks = preLoopChecks(refusal, { data, charts: [], gates: clinicGates });
    expect(checks.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual([
      'minimum-cell',
    ]);
  });
});
