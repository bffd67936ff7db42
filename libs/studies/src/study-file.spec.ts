import { describe, expect, it } from 'vitest';
import { describeProblem, LONGEST_STUDY_FILE, parseStudyFile } from './study-file.ts';
import { policyDigest } from './policy-digest.ts';

const SMALLEST = `study: { id: pay, title: Pay, question: What goes with pay? }
program:
  path: program
  entry: train.js
  mutable: { feature: [features.json] }
data:
  path: data/pay.csv
  outcome: { name: high_pay, column: wage, positive: { at_least: 500 } }
  dimensions:
    education: { bins: [12, 16] }
    south: { column: region, groups: { south: [south], other: [northeast, midwest] } }
`;

const policyOf = (text: string) => {
  const parsed = parseStudyFile(text, 'holdfast.yaml');
  if (!parsed.ok) throw new Error(parsed.error.map(describeProblem).join('\n'));
  return parsed.value.policy;
};

const problemsOf = (text: string) => {
  const parsed = parseStudyFile(text, 'holdfast.yaml');
  return parsed.ok ? [] : parsed.error;
};

/** Where each problem stands and what it is about. */
const places = (text: string) =>
  problemsOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`);

const edited = (from: string, to: string): string => {
  if (!SMALLEST.includes(from)) throw new Error(`the smallest study has no ${from}`);
  return SMALLEST.replace(from, to);
};

describe('a study file', () => {
  it('needs little, and has a default for everything else', () => {
    const policy = policyOf(SMALLEST);
    expect(policy.budget).toEqual({
      total: 100,
      costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 },
    });
    expect(policy.data).toMatchObject({
      format: 'csv',
      rowId: null,
      split: { train: 50, dev: 20, check: 15, sealed: 15 },
      minimumCell: 11,
      dimensions: [
        {
          name: 'education',
          column: 'education',
          kind: 'bins',
          cuts: [12, 16],
          labels: ['below 12', '12 to below 16', '16 and above'],
        },
        {
          name: 'south',
          column: 'region',
          kind: 'groups',
          labels: ['south', 'other'],
          values: [['south'], ['northeast', 'midwest']],
        },
      ],
      protected: [],
    });
    expect(policy.charts).toEqual([
      { kind: 'gain', reference: 0, allowance: 0.05, decisionInterval: 0.1 },
      { kind: 'gap', reference: 0, allowance: 0.5, decisionInterval: 5 },
    ]);
    expect(policy.gates.postLoop).toMatchObject({
      threshold: 0.5,
      disparateImpact: { numerator: 4, denominator: 5 },
      demographicParity: null,
    });
    expect(policy.program.protectedParameters).toEqual(['seed', 'seconds', 'steps']);
    expect(policy.governance.acceptUngoverned).toBe(false);
  });

  it('says what it changes of a default and leaves the rest', () => {
    const policy = policyOf(
      `${SMALLEST}budget: { total: 300, costs: { feature: 30 } }
charts: { gain: { allowance: 0.02 }, gap: null, value: { reference: 0.6, allowance: 0.01, decision_interval: 0.1 } }
gates: { post_loop: { disparate_impact: 2/3, equal_opportunity: 0.1 } }
`,
    );
    expect(policy.budget.costs).toMatchObject({ hypothesis: 5, feature: 30 });
    expect(policy.charts.map(({ kind, allowance }) => [kind, allowance])).toEqual([
      ['gain', 0.02],
      ['value', 0.01],
    ]);
    expect(policy.gates.postLoop).toMatchObject({
      disparateImpact: { numerator: 2, denominator: 3 },
      equalOpportunity: 0.1,
    });
    expect(policy.gates.preLoop.minimumRows).toBe(1000);
  });

  it('keeps the order of groups, of numbered ones too, and takes numbers as values', () => {
    const text = edited(
      'education: { bins: [12, 16] }',
      'history: { groups: { 2: [2, 3], 1: [1] } }',
    );
    expect(policyOf(text).data.dimensions[0]).toEqual({
      name: 'history',
      column: 'history',
      kind: 'groups',
      labels: ['2', '1'],
      values: [['2', '3'], ['1']],
    });
  });

  it('takes the format from the name of the data', () => {
    expect(policyOf(edited('pay.csv', 'pay.parquet')).data.format).toBe('parquet');
    expect(
      policyOf(edited('positive: { at_least: 500 }', 'positive: { equals: yes }')).data.outcome,
    ).toMatchObject({ positive: { equals: 'yes' } });
  });

  it('tells every problem at once, at its place, in the order of the file', () => {
    const text = `version: 2
study: { id: Pay 1, title: '', question: What? }
programme: {}
program: { path: ../out, entry: train.js, mutable: { feature: [train.js] } }
data:
  path: data/pay.csv
  outcome: { name: high_pay, column: wage, positive: {} }
  dimensions:
    education: { bins: [12, 12], labels: [a, b] }
  split: { train: 50, dev: 20, check: 15, sealed: 16 }
  minimum_cell: 1
budget: { total: 10 }
replicates: three
charts: { gain: { allowance: 0, decision_interval: .inf } }
gates: { post_loop: { threshold: 1, disparate_impact: 0.8 } }
`;
    expect(places(text)).toEqual([
      '1:10 version',
      '2:14 study.id',
      '2:28 study.title',
      '3:1 programme',
      '4:18 program.path',
      '7:54 data.outcome.positive',
      '9:29 data.dimensions.education.bins[1]',
      '10:10 data.split',
      '11:17 data.minimum_cell',
      '12:18 budget.total',
      '13:13 replicates',
      '14:30 charts.gain.allowance',
      '14:52 charts.gain.decision_interval',
      '15:34 gates.post_loop.threshold',
      '15:55 gates.post_loop.disparate_impact',
    ]);
    for (const problem of problemsOf(text)) {
      expect(problem.file).toBe('holdfast.yaml');
      expect([problem.found, problem.expected, problem.remedy]).not.toContain('');
    }
  });

  it('names what is missing, at what it is missing from', () => {
    expect(places('study: { id: pay, title: Pay }\n')).toEqual([
      '1:1 study.question',
      '1:1 program',
      '1:1 data',
    ]);
    expect(places('')).toEqual(['1:1 ']);
    expect(places('- a\n- b\n')).toEqual(['1:1 ']);
  });

  it.each([
    { wrong: 'budgt: {}', remedy: 'Did you mean budget?' },
    { wrong: 'data_: {}', remedy: 'Did you mean data?' },
    { wrong: 'budget: { costs: { hyperparametre: 3 } }', remedy: 'Did you mean hyperparameter?' },
    { wrong: 'gates: { pre_loop: { minimal_rows: 1 } }', remedy: 'Did you mean minimum_rows?' },
    { wrong: 'password: secret', remedy: 'Remove it.' },
    { wrong: '__proto__: { budget: 1 }', remedy: 'Remove it.' },
    { wrong: 'objective: { metric: logloss }', remedy: 'Did you mean "log-loss"?' },
    { wrong: 'replicates: "3"', remedy: 'Write it without quotes.' },
  ])('answers "$wrong" with "$remedy"', ({ wrong, remedy }) => {
    const problems = problemsOf(`${SMALLEST}${wrong}\n`);
    expect(problems.map((problem) => problem.remedy)).toEqual([remedy]);
    expect(problems[0]?.line).toBe(12);
  });

  it('refuses a key that stands there twice, with everything else that is wrong', () => {
    expect(places(`${SMALLEST}replicates: 2\nreplicates: 3\nkeep: { false_keeps: 2 }\n`)).toEqual([
      '13:1 ',
      '14:22 keep.false_keeps',
    ]);
  });

  it.each([
    ['a tab for indent', 'study:\n\tid: pay\n'],
    ['an open bracket', 'study: { id: pay\n'],
    ['a second document', `${SMALLEST}---\n${SMALLEST}`],
    ['a tag', `${SMALLEST}replicates: !!js/function 'x'\n`],
    ['an unknown alias', `${SMALLEST}replicates: *three\n`],
    ['deep nesting', `${SMALLEST}x: ${'['.repeat(100_000)}\n`],
    [
      'aliases that multiply',
      `a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n${'bcdefgh'
        .split('')
        .map((name, i) => {
          const before = 'abcdefgh'[i];
          return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]\n`;
        })
        .join('')}`,
    ],
  ])('refuses %s as YAML that cannot be read', (_what, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.path).toBe('');
    expect(problems[0]?.line).toBeGreaterThan(0);
  });

  it('refuses a file that is too long before it reads it', () => {
    const problems = problemsOf(`${SMALLEST}#${'x'.repeat(LONGEST_STUDY_FILE)}`);
    expect(problems).toMatchObject([{ line: 1, expected: `at most ${LONGEST_STUDY_FILE}` }]);
  });

  it.each([
    ['/etc/passwd'],
    ['../rows.csv'],
    ['data/../../rows.csv'],
    ['data//rows.csv'],
    ['./rows.csv'],
    ['.git/config'],
    ['data\\rows.csv'],
    ['C:/rows.csv'],
    ['"data/\\0.csv"'],
  ])('refuses the path %s', (path) => {
    expect(places(edited('data/pay.csv', path))).toEqual(['7:9 data.path']);
  });

  it.each([
    {
      what: 'a dimension over an identifier',
      from: 'path: data/pay.csv',
      to: 'path: data/pay.csv\n  identifiers: [education]',
      place: '11:5 data.dimensions.education.column',
    },
    {
      what: 'a dimension over the outcome',
      from: 'column: region',
      to: 'column: wage',
      place: '11:22 data.dimensions.south.column',
    },
    {
      what: 'a dimension over a protected column',
      from: 'path: data/pay.csv',
      to: 'path: data/pay.csv\n  protected: { area: { column: region, values: [a, b] } }',
      place: '12:22 data.dimensions.south.column',
    },
    {
      what: 'a dimension over the row id',
      from: 'path: data/pay.csv',
      to: 'path: data/pay.csv\n  row_id: region',
      place: '12:22 data.dimensions.south.column',
    },
    {
      what: 'a planted name that is no dimension',
      from: 'path: data/pay.csv',
      to: 'path: data/pay.csv\n  planted: [withholding]',
      place: '8:13 data.planted[0]',
    },
    {
      what: 'a value in two groups',
      from: 'other: [northeast, midwest]',
      to: 'other: [south, midwest]',
      place: '11:64 data.dimensions.south.groups.other[0]',
    },
    {
      what: 'a label twice',
      from: 'bins: [12, 16]',
      to: 'bins: [12, 16], labels: [a, b, a]',
      place: '10:49 data.dimensions.education.labels[2]',
    },
    {
      what: 'too few labels',
      from: 'bins: [12, 16]',
      to: 'bins: [12, 16], labels: [a, b]',
      place: '10:42 data.dimensions.education.labels',
    },
    {
      what: 'bins and values at once',
      from: 'bins: [12, 16]',
      to: 'bins: [12, 16], values: [a, b]',
      place: '10:16 data.dimensions.education',
    },
    {
      what: 'a file in two domains',
      from: '{ feature: [features.json] }',
      to: '{ feature: [a.json], architecture: [a.json] }',
      place: '5:48 program.mutable.architecture[0]',
    },
    {
      what: 'the entry as a mutable file',
      from: '[features.json]',
      to: '[train.js]',
      place: '5:24 program.mutable.feature[0]',
    },
    {
      what: 'nothing to change',
      from: '{ feature: [features.json] }',
      to: '{ feature: [] }',
      place: '5:12 program.mutable',
    },
    {
      what: 'data inside the program',
      from: 'data/pay.csv',
      to: 'program/pay.csv',
      place: '7:9 data.path',
    },
    {
      what: 'too many cells',
      from: 'education: { bins: [12, 16] }',
      to: ['a', 'b', 'c', 'd'].map((d) => `${d}: { bins: [${cuts(19)}] }`).join('\n    '),
      place: '10:5 data.dimensions',
    },
  ])('refuses $what', ({ from, to, place }) => {
    expect(places(edited(from, to))).toEqual([place]);
  });

  it.each([
    'budget: { costs: { feature: 0 } }',
    'budget: { costs: { feature: 2.5 } }',
    'budget: { total: 14 }',
    'training: { seconds: 1e9 }',
    'training: { memory_mb: -1 }',
    'replicates: 0',
    'keep: { false_keeps: 0 }',
    'keep: { false_keeps: .nan }',
    'charts: { gain: { reference: .inf } }',
    'charts: { gain: { decision_interval: -1 } }',
    'charts: { gain: null, gap: null }',
    'charts: { value: { reference: 1 } }',
    'gates: { post_loop: { threshold: 0 } }',
    'gates: { post_loop: { disparate_impact: 5/4 } }',
    'gates: { post_loop: { disparate_impact: 0/5 } }',
    'gates: { post_loop: { equalized_odds: 1.1 } }',
    'gates: { pre_loop: { maximum_suppression: 101 } }',
    'governance: { accept_ungoverned: yes }',
    'agent: { knobs: [ { file: features.json, key: use, values: [] } ] }',
    'agent: { knobs: [ { file: f.json, key: a, values: [1, 1] } ] }',
    'agent: { knobs: [ { file: f.json, key: a, values: [1] }, { file: f.json, key: a, values: [2] } ] }',
  ])('refuses %s', (line) => {
    expect(problemsOf(`${SMALLEST}${line}\n`).length).toBeGreaterThan(0);
  });

  it('takes knobs that lead into a gate, and warns of them', () => {
    const parsed = parseStudyFile(
      `${SMALLEST}agent:
  knobs:
    - { file: features.json, key: use, choose: subset, values: [education] }
    - { file: features.json, key: seed, values: [1, 2] }
    - { file: train.js, key: use, values: [1, 2] }
`,
      'holdfast.yaml',
    );
    if (!parsed.ok) throw new Error('refused');
    expect(parsed.value.policy.agent.knobs.map(({ choose }) => choose)).toEqual([
      'subset',
      'one',
      'one',
    ]);
    expect(parsed.value.warnings.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '15 agent.knobs[1].key',
      '16 agent.knobs[2].file',
    ]);
  });
});

describe('charts in units of noise', () => {
  const parsed = (text: string) => parseStudyFile(`${SMALLEST}${text}`, 'holdfast.yaml');

  it('are off unless they are set, and have their defaults', () => {
    expect(policyOf(`${SMALLEST}charts: { stability: {} }\n`).charts[2]).toEqual({
      kind: 'stability',
      allowance: 0.5,
      decisionInterval: 5,
      every: 5,
    });
    const value = 'value: { reference: baseline, allowance: 0.5, decision_interval: 5 }';
    expect(policyOf(`${SMALLEST}charts: { gain: null, gap: null, ${value} }\n`).charts).toEqual([
      { kind: 'value', reference: 'baseline', allowance: 0.5, decisionInterval: 5 },
    ]);
  });

  it.each([
    'charts: { stability: {} }',
    'charts: { value: { reference: baseline, allowance: 1, decision_interval: 5 } }',
  ])('need two replicates, and warn below five: %s', (charts) => {
    const refused = problemsOf(`${SMALLEST}replicates: 1\n${charts}\n`);
    expect(refused.map(({ path }) => path)).toEqual(['replicates']);
    const few = parsed(`replicates: 4\n${charts}\n`);
    expect(few.ok && few.value.warnings.map(({ path }) => path)).toEqual(['replicates']);
    const enough = parsed(`replicates: 5\n${charts}\n`);
    expect(enough.ok && enough.value.warnings).toEqual([]);
    expect(parsed('replicates: 1\n').ok).toBe(true);
  });

  it.each(['soon', '.nan', 'null'])(
    'take no reference but a number or the baseline: %s',
    (reference) => {
      const charts = `charts: { value: { reference: ${reference}, allowance: 1, decision_interval: 5 } }`;
      expect(problemsOf(`${SMALLEST}${charts}\n`)).toMatchObject([
        {
          path: 'charts.value.reference',
          expected: expect.stringContaining('or baseline') as string,
        },
      ]);
    },
  );
});

describe('the digest of a policy', () => {
  const digest = (text: string) => policyDigest(policyOf(text), (canonical) => canonical);

  it('does not depend on how the file is written', () => {
    expect(digest(`# a comment\n${SMALLEST}budget: { total: 100 }\n`)).toBe(digest(SMALLEST));
  });

  it('depends on what it says', () => {
    expect(digest(`${SMALLEST}budget: { total: 101 }\n`)).not.toBe(digest(SMALLEST));
  });
});

function cuts(n: number): string {
  return Array.from({ length: n }, (_, i) => i).join(', ');
}
