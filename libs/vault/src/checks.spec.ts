import { describe, expect, it } from 'vitest';
import { preLoopRules, type DataPolicy, type HarnessPolicy } from '#libs/harness';
import { ok, refused } from '#libs/kernel';
import {
  checkDataPolicy,
  preLoopChecks,
  type ColumnScreen,
  type SplitCounts,
  type VaultCounts,
} from './index.ts';
import { controlDisclosure } from './disclosure/control.ts';
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

const opened = async (
  counted: VaultCounts,
  data: DataPolicy,
  gates: HarnessPolicy['gates'],
  screens: readonly ColumnScreen[] = columns,
) =>
  ok({
    ...(await controlDisclosure({ counts: counted, contributions: [] }, data, gates.preLoop)),
    columns: screens,
  });

const failing = async (
  change: {
    readonly data?: Partial<DataPolicy>;
    readonly counts?: Partial<VaultCounts>;
    readonly columns?: readonly ColumnScreen[];
    readonly charts?: HarnessPolicy['charts'];
    readonly gates?: Partial<HarnessPolicy['gates']>;
  } = {},
) => {
  const data = { ...clinicPolicy, ...change.data };
  const gates = { ...clinicGates, ...change.gates };
  const vault = await opened({ ...counts, ...change.counts }, data, gates, change.columns);
  return preLoopChecks(vault, { data, charts: change.charts ?? [], gates }).filter(
    ({ passed }) => !passed,
  );
};

const [age, ward] = clinicPolicy.dimensions as [
  DataPolicy['dimensions'][number],
  DataPolicy['dimensions'][number],
];

const stay = {
  name: 'stay',
  column: 'stay',
  decimals: 0,
  dominance: { largest: 2, percent: 85 },
  priorPercent: 15,
};
describe('intersections', () => {
  const attributes = [
    ...clinicPolicy.protected,
    { name: 'wing', column: 'wing', kind: 'groups', labels: ['a', 'b'], values: [['a'], ['b']] },
  ] as const;
  const data: DataPolicy = { ...clinicPolicy, protected: attributes };
  const broken = (
    of: readonly string[],
    groups: Parameters<typeof checkDataPolicy>[1] extends
      readonly (infer Each extends { readonly groups: unknown })[] | undefined
      ? Each['groups']
      : never,
  ) =>
    checkDataPolicy(data, [{ of, groups }])
      .filter(({ passed }) => !passed)
      .map(({ rule, found }) => `${rule}: ${found}`);
  const all = ['female', 'male'].flatMap((sex) => ['a', 'b'].map((wing) => [sex, wing]));

  it('are sound as combinations, or merged without rest', () => {
    expect(broken(['sex', 'wing'], null)).toEqual([]);
    expect(
      broken(
        ['sex', 'wing'],
        [
          { label: 'some', combinations: all.slice(0, 3) },
          { label: 'rest', combinations: all.slice(3) },
        ],
      ),
    ).toEqual([]);
  });

  it.each([
    ['one attribute', ['sex'], null],
    ['an attribute twice', ['sex', 'sex'], null],
    ['something that is no protected attribute', ['sex', 'age'], null],
    ['a combination left out', ['sex', 'wing'], [{ label: 'a', combinations: all.slice(1) }]],
    [
      'a combination twice',
      ['sex', 'wing'],
      [
        { label: 'a', combinations: all },
        { label: 'b', combinations: all.slice(3) },
      ],
    ],
    [
      'an unknown group',
      ['sex', 'wing'],
      [{ label: 'a', combinations: [...all.slice(1), ['female', 'c']] }],
    ],
  ])('are not for %s', (_, of, groups) => {
    expect(broken(of, groups)).toEqual([`intersections: ${of.join(' × ')}`]);
  });

  it('and attributes are no more than there is room to count', () => {
    const wide = {
      ...ward,
      name: 'wide',
      labels: Array.from({ length: 6_000 }, (_, i) => `g${i}`),
    };
    const found = checkDataPolicy({ ...data, protected: [wide, { ...wide, name: 'wider' }] }, [
      { of: ['wide', 'wider'], groups: null },
    ]).filter(({ rule }) => ['intersections', 'protected-count'].includes(rule));
    expect(found.map(({ passed }) => passed)).toEqual([false, false]);
  });
});

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
    [
      'a step that merges a label that is gone',
      {
        coarsen: [
          { dimension: 'age', merge: ['under 40', '40 to 64'], into: 'under 65' },
          { dimension: 'age', merge: ['under 40', '65 or more'], into: 'all' },
        ],
      },
      'coarsening: age: no label "under 40"',
    ],
    [
      'a step into a label that is taken',
      { coarsen: [{ dimension: 'age', merge: ['under 40', '40 to 64'], into: '65 or more' }] },
      'coarsening: age: the label "65 or more" is taken',
    ],
    [
      'a step of no dimension',
      { coarsen: [{ dimension: 'sex', merge: ['female', 'male'], into: 'all' }] },
      'coarsening: no dimension "sex"',
    ],
    [
      'a magnitude over the outcome',
      { magnitudes: [{ ...stay, column: 'days' }] },
      'magnitudes: stay',
    ],
    [
      'a magnitude over an identifier',
      { magnitudes: [{ ...stay, column: 'ssn' }] },
      'magnitudes: stay',
    ],
    [
      'a magnitude without a rule',
      { magnitudes: [{ ...stay, dominance: null, priorPercent: null }] },
      'magnitudes: stay',
    ],
    ['a magnitude twice', { magnitudes: [stay, stay] }, 'dimension-names: sum_stay'],
    [
      'a minimum of outcomes that no cell could meet',
      { disclosure: { ...clinicPolicy.disclosure!, minimumOutcome: 6 } },
      'minimum-outcome: 6 people',
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

  it('are found by name, in a dimension, a protected attribute, the outcome and a magnitude', () => {
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
    expect(found({ magnitudes: [{ ...stay, column: 'patient_ssn' }] })).toEqual([
      '"patient_ssn" (national or tax numbers of people)',
    ]);
    const pii = { allow: [{ column: 'home_phone', reason: 'whether there is one' }] };
    expect(found({ dimensions: [contact], pii })).toEqual([]);
    // A run of version 1 is judged as it was then.
    expect(found({ dimensions: [contact], pii: null })).toEqual([]);
  });

  const withColumn = async (
    change: Partial<ColumnScreen>,
    pii: DataPolicy['pii'] = { allow: [] },
  ) =>
    (
      await failing({
        columns: columns.map((screen) =>
          screen.column === 'ward' ? screened('ward', change) : screen,
        ),
        data: { pii },
      })
    ).map(({ rule, found }) => `${rule}: ${found}`);

  it('are found by their values, told by class and count', async () => {
    const personal = [{ class: 'email', recogniser: 'email', values: 1180 }] as const;
    expect(await withColumn({ personal, values: 1200 })).toEqual([
      'pii-values: "ward": e-mail addresses in 1,180 of 1,200 different values',
    ]);
    const pii = { allow: [{ column: 'ward', reason: 'mail domains, no addresses' }] };
    expect(await withColumn({ personal, values: 1200 }, pii)).toEqual([]);
    expect(await withColumn({ personal, values: 1200 }, null)).toEqual([]);
  });

  it('are free text, keys, or more than can be read', async () => {
    expect(await withColumn({ freeText: true })).toEqual(['free-text: "ward"']);
    expect(await withColumn({ uniqueKey: true, values: 1190 })).toEqual([
      'unique-key: "ward": 1,190 different values in 1,200 rows',
    ]);
    expect(await withColumn({ values: 300_000, unread: 50_000 })).toEqual([
      'pii-values: "ward": 50,000 of 300,000 different values are too many to read',
    ]);
  });

  it('are not passed because nobody looked', async () => {
    expect((await failing({ columns: [] })).map(({ rule, found }) => `${rule}: ${found}`)).toEqual([
      'pii-values: "age": not read; "ward": not read; "sex": not read; "days": not read',
    ]);
  });
});

describe('preLoopChecks', () => {
  it('passes good data, and says of each rule what was found', async () => {
    const checks = preLoopChecks(await opened(counts, clinicPolicy, clinicGates), {
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

  it.each([
    ['with everything', {}, [GAP], {}],
    ['without a chart of the gap', {}, [], {}],
    ['without rules of disclosure', { disclosure: null }, [GAP], {}],
    ['without a screen', { pii: null }, [GAP], {}],
    [
      'with nothing bounded',
      {},
      [],
      {
        disparateImpact: null,
        demographicParity: null,
        equalOpportunity: null,
        equalizedOdds: null,
      },
    ],
  ] as const)('asks the rules that the policy names, %s', async (_, data, charts, bounds) => {
    const policy = {
      data: { ...clinicPolicy, ...data },
      charts,
      gates: { ...clinicGates, postLoop: { ...clinicGates.postLoop, ...bounds } },
    };
    const checks = preLoopChecks(await opened(counts, policy.data, policy.gates), policy);
    // Of other runs' tables the runner answers.
    expect(checks.map(({ rule }) => rule)).toEqual(
      preLoopRules(policy).filter((rule) => rule !== 'one-table'),
    );
  });

  it('fails a split with too few rows', async () => {
    const small = split([20, 0, 20, 0, 20, 0], [5, 0, 5, 0, 5, 0]);
    expect(await failing({ counts: { check: small } })).toEqual([
      {
        rule: 'split-rows',
        passed: false,
        found: 'train 200, dev 200, check 60, sealed 200',
        expected: 'at least 100 people in each split',
      },
    ]);
  });

  it('asks nothing of a split without a share, but always of train and dev', async () => {
    const none = split([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]);
    const data = { split: { train: 60, dev: 20, check: 0, sealed: 20 } };
    expect(await failing({ counts: { check: none }, data })).toEqual([]);
    const without = { split: { train: 60, dev: 0, check: 20, sealed: 20 } };
    expect(
      (await failing({ counts: { dev: none }, data: without })).map(({ rule }) => rule),
    ).toContain('split-rows');
  });

  it('fails a split with one outcome only', async () => {
    const positive = split([100, 20, 20, 20, 20, 20], [100, 20, 20, 20, 20, 20]);
    expect((await failing({ counts: { sealed: positive } })).map(({ rule }) => rule)).toEqual([
      'split-outcomes',
    ]);
  });

  it('fails too much suppression: dimensions so fine that cohorts become people', async () => {
    const fine = split([100, 10, 8, 8, 6, 6], [50, 5, 4, 4, 3, 3]);
    expect(await failing({ counts: { train: fine } })).toEqual([
      {
        rule: 'suppression',
        passed: false,
        found: '27.5 % of the train rows (38 people in 5 cells)',
        expected: 'at most 20 % in cells that are hidden',
      },
    ]);
  });

  it('tells no number of the train rows where one would tell of a hidden cell', async () => {
    // One cell of five people is hidden: whoever has the total has them.
    const one = split([40, 20, 40, 20, 40, 5], [10, 10, 10, 10, 10, 2]);
    const control = await opened({ ...counts, train: one }, clinicPolicy, clinicGates);
    const checks = preLoopChecks(control, { data: clinicPolicy, charts: [], gates: clinicGates });
    const found = Object.fromEntries(checks.map((each) => [each.rule, each.found]));
    expect(found).toMatchObject({
      'split-rows': "withheld: with the file's number of rows they would tell of a hidden cell",
      'split-outcomes': "withheld: with the file's number of rows they would tell of a hidden cell",
      suppression:
        'at most 20 % of the train rows (withheld: how many would tell of a hidden cell)',
      disclosure: 'audited, with the totals of the train rows withheld',
      'scorable-rows': 'dev at least 1, check at least 1, sealed at least 1',
      'protected-groups': 'sex female at least 50, sex male at least 50',
    });
    expect(checks.every(({ passed }) => passed)).toBe(true);
    const few = { ...clinicGates, postLoop: { ...clinicGates.postLoop, minimumGroup: 101 } };
    const policy = { data: clinicPolicy, charts: [], gates: few };
    expect(
      preLoopChecks(control, policy).find(({ rule }) => rule === 'measurable-groups'),
    ).toMatchObject({
      passed: false,
      found: 'sex female fewer than 101 people, sex male fewer than 101 people',
    });
  });

  it('lets nothing through that was not audited', async () => {
    const { value } = await opened(counts, clinicPolicy, clinicGates);
    const unaudited = {
      ...value,
      control: { ...value.control, audit: { outcome: 'none' } as const },
    };
    const policy = { data: clinicPolicy, charts: [], gates: clinicGates };
    const failed = preLoopChecks(ok(unaudited), policy).filter(({ passed }) => !passed);
    expect(failed).toMatchObject([{ rule: 'disclosure', found: 'not audited' }]);
    // Of version 1 it is not asked.
    const data = { ...clinicPolicy, disclosure: null };
    const first = await opened(counts, data, clinicGates);
    expect(preLoopChecks(first, { ...policy, data }).map(({ rule }) => rule)).not.toContain(
      'disclosure',
    );
  });

  it('fails a protected group that is too small on dev', async () => {
    const gates = { preLoop: { ...clinicGates.preLoop, minimumGroup: 101 } };
    expect((await failing({ gates })).map(({ rule, found }) => `${rule}: ${found}`)).toEqual([
      'protected-groups: sex female 100, sex male 100',
    ]);
  });

  it('fails a group that the post-loop gate could not measure, by what its bounds need', async () => {
    const measurable = async (postLoop: Partial<HarnessPolicy['gates']['postLoop']>) =>
      (await failing({ gates: { postLoop: { ...clinicGates.postLoop, ...postLoop } } })).map(
        ({ rule, found }) => `${rule}: ${found}`,
      );
    expect(await measurable({ minimumGroup: 31 })).toEqual([]);
    expect(await measurable({ minimumGroup: 101 })).toEqual([
      'measurable-groups: sex female 100 people, sex male 100 people',
    ]);
    expect(await measurable({ minimumGroup: 31, equalOpportunity: 0.1 })).toEqual([
      'measurable-groups: sex female 30 people with "positive", sex male 30 people with "positive"',
    ]);
    expect(
      await measurable({ minimumGroup: 31, equalOpportunity: 0.1, favourable: 'negative' }),
    ).toEqual([]);
    expect(
      await measurable({ minimumGroup: 31, equalizedOdds: 0.1, favourable: 'negative' }),
    ).toHaveLength(1);
    expect(await measurable({ minimumGroup: 101, disparateImpact: null })).toEqual([]);
  });

  it('tells no count of any group where one is below the minimum cell', async () => {
    const [sex] = good.protected;
    const [female, male] = sex!.groups;
    const few = { ...female!, counts: { people: [7], positive: [3] } };
    const dev = { ...good, protected: [{ ...sex!, groups: [few, male!] }] };
    const found = (await failing({ counts: { dev } })).map((each) => `${each.rule}: ${each.found}`);
    // With the male ones and all dev people, the female ones would be told.
    expect(found).toContain('protected-groups: sex female fewer than 50, sex male at least 50');
    expect(found.join()).not.toMatch(/\b(?:7|100) people/);
  });

  it('fails a bound on fairness without anybody to compare', async () => {
    const without = { ...good, protected: [] };
    expect((await failing({ counts: { dev: without } })).map(({ rule }) => rule)).toEqual([
      'protected-groups',
    ]);
    const postLoop = { ...clinicGates.postLoop, disparateImpact: null };
    expect(await failing({ counts: { dev: without }, gates: { postLoop } })).toEqual([]);
  });

  describe('with rows that are all in small cells', () => {
    const scattered = split([10, 10, 10, 10, 10, 10], [5, 5, 5, 5, 5, 5]);
    const gates = { preLoop: { minimumRows: 10, minimumGroup: 10, maximumSuppression: 20 } };

    it.each([
      ['dev', 'dev 0, check 200, sealed 200'],
      ['check', 'dev 200, check 0, sealed 200'],
      ['sealed', 'dev 200, check 200, sealed 0'],
    ])('fails the %s rows', async (name, found) => {
      expect(await failing({ counts: { [name]: scattered }, gates })).toEqual([
        {
          rule: 'scorable-rows',
          passed: false,
          found,
          expected:
            'people in cells of at least 11 in each, so that predictions and findings can be scored',
        },
      ]);
    });

    it('asks nothing of check rows without a share, but always of sealed ones', async () => {
      const without = { split: { train: 60, dev: 40, check: 0, sealed: 0 } };
      expect(await failing({ counts: { check: scattered }, data: without, gates })).toEqual([]);
      expect(await failing({ counts: { sealed: scattered }, data: without, gates })).toMatchObject([
        { rule: 'scorable-rows', found: 'dev 200, sealed 0' },
      ]);
    });
  });

  it('fails a gap chart that no cell could ever feed', async () => {
    // Enough people in each split, but never enough of both in the same cell.
    const left = split([60, 60, 60, 5, 5, 5], [20, 20, 20, 2, 2, 2]);
    const right = split([5, 5, 5, 60, 60, 60], [2, 2, 2, 20, 20, 20]);
    const apart = { dev: left, check: right };
    expect(await failing({ counts: apart })).toEqual([]);
    expect(await failing({ counts: apart, charts: [GAP] })).toEqual([
      {
        rule: 'gap-chart',
        passed: false,
        found: '0 cells of at least 11 in dev and in check',
        expected:
          'at least one, so that the gap chart of the policy can be measured; else set charts.gap to null',
      },
    ]);
  });

  it("shows the vault's refusal as a broken rule", async () => {
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

  it('names a broken policy once', async () => {
    const data = { ...clinicPolicy, minimumCell: 1 };
    const refusal = refused({ code: 'data-policy', message: 'minimum-cell: …' });
    const checks = preLoopChecks(refusal, { data, charts: [], gates: clinicGates });
    expect(checks.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual([
      'minimum-cell',
    ]);
  });
});
