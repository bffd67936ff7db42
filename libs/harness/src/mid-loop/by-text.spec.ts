import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { midLoopGate, type FileChange, type HarnessPolicy } from '../index.ts';

/** Of version 1: its rules read texts, and a run that was opened under them is judged by them for ever. */
const policy: Parameters<typeof midLoopGate>[0] = {
  version: 1,
  program: {
    path: 'program',
    entry: 'train.js',
    runtime: 'node',
    mutable: {
      hyperparameter: ['hyperparameters.json', 'schedule.js'],
      feature: ['features.json'],
      architecture: ['model.js'],
    },
    protectedParameters: ['seed', 'time_limit'],
  },
  gates: {
    midLoop: { maximumFiles: 2, maximumFileBytes: 1000, maximumRefusals: 3 },
  } as HarnessPolicy['gates'],
  budget: {
    total: 100,
    costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 },
  },
};

const changed = (path: string, text: string | null = '{}'): FileChange => ({
  path,
  kind: 'modified',
  before: 'a'.repeat(40),
  after: 'b'.repeat(40),
  mode: '100644',
  textBefore: null,
  text,
});

const rules = (...changes: readonly FileChange[]) =>
  midLoopGate(policy, changes).breaches.map(({ rule }) => rule);

const setting = (text: string, path = 'schedule.js') =>
  midLoopGate(policy, [changed(path, text)]).breaches.map(({ found }) => found);

describe('the mid-loop gate of version 1', () => {
  it('passes an edit of a mutable file, and every rule answers', () => {
    const ruling = midLoopGate(policy, [changed('hyperparameters.json', '{"rate": 0.1}')]);
    expect(ruling.breaches).toEqual([]);
    expect(ruling.domain).toBe('hyperparameter');
    expect(ruling.checks.map(({ rule, passed, found }) => [rule, passed, found])).toEqual([
      ['mutable-files-only', true, 'none'],
      ['regular-files-only', true, 'none'],
      ['readable-text', true, 'none'],
      ['bounded-size', true, 'none'],
      ['protected-parameters', true, 'none'],
    ]);
  });

  it('measures the dearest domain that the diff touches', () => {
    const domains = (...paths: readonly string[]) =>
      midLoopGate(
        policy,
        paths.map((path) => changed(path)),
      ).domain;
    expect(domains('features.json')).toBe('feature');
    expect(domains('hyperparameters.json', 'features.json')).toBe('feature');
    expect(domains('model.js', 'hyperparameters.json')).toBe('architecture');
  });

  it('takes the dearest of two domains that own the same file', () => {
    const mutable = {
      hyperparameter: ['model.js'],
      feature: ['model.js'],
      architecture: ['model.js'],
    };
    const shared = { ...policy, program: { ...policy.program, mutable } };
    expect(midLoopGate(shared, [changed('model.js')]).domain).toBe('architecture');
  });

  it('has no domain for a file that none owns, and names it', () => {
    const ruling = midLoopGate(policy, [changed('features.json'), changed('train.js')]);
    expect(ruling.domain).toBeNull();
    expect(ruling.breaches).toEqual([
      {
        rule: 'mutable-files-only',
        found: 'train.js modified',
        expected: 'only hyperparameters.json, schedule.js, features.json, model.js',
        file: 'train.js',
        line: null,
      },
    ]);
  });

  it.each(['./features.json', 'sub/features.json', 'Features.json', 'features.json/'])(
    'takes no path for another: %s',
    (path) => {
      expect(rules(changed(path))).toContain('mutable-files-only');
    },
  );

  it('is breached by an edit of nothing', () => {
    const ruling = midLoopGate(policy, []);
    expect(ruling.domain).toBeNull();
    expect(ruling.breaches).toMatchObject([{ rule: 'mutable-files-only', found: 'no file' }]);
  });

  it.each([
    ['a deleted file', { kind: 'deleted', after: null, mode: null, text: null }],
    ['a symlink', { kind: 'type-changed', mode: '120000', text: '/etc/passwd' }],
    ['an executable', { mode: '100755' }],
    ['a submodule', { kind: 'added', mode: '160000' }],
  ] as const)('is breached by %s', (_, change) => {
    expect(rules({ ...changed('features.json'), ...change })).toEqual(['regular-files-only']);
  });

  it('is breached by a regular file whose text it cannot read', () => {
    expect(rules(changed('features.json', null))).toEqual(['readable-text']);
  });

  it('is breached by too many files and by a file with too many bytes, not characters', () => {
    expect(rules(changed('features.json'), changed('model.js'), changed('schedule.js'))).toEqual([
      'bounded-size',
    ]);
    expect(rules(changed('features.json', 'é'.repeat(500)))).toEqual([]);
    expect(rules(changed('features.json', 'é'.repeat(501)))).toEqual(['bounded-size']);
  });

  it('names every breach at once', () => {
    expect(
      rules(changed('train.js', 'seed = 4'), { ...changed('model.js'), mode: '100755' }),
    ).toEqual(['mutable-files-only', 'regular-files-only', 'protected-parameters']);
  });
});

describe('a protected parameter under version 1', () => {
  it('is named with file and line', () => {
    const text = '{\n  "rate": 0.1,\n  "seed": 4,\n  "time_limit": 9\n}\n';
    expect(midLoopGate(policy, [changed('features.json', text)]).breaches).toEqual([
      {
        rule: 'protected-parameters',
        found: 'features.json:3 sets seed',
        expected: 'none of seed, time_limit set',
        file: 'features.json',
        line: 3,
      },
      {
        rule: 'protected-parameters',
        found: 'features.json:4 sets time_limit',
        expected: 'none of seed, time_limit set',
        file: 'features.json',
        line: 4,
      },
    ]);
  });

  it.each([
    ['a JSON key', '{"seed": 4}'],
    ['an object key', 'export const task = { seed: 4 };'],
    ['a quoted key', "export const task = { 'seed' : 4 };"],
    ['a computed key', "export const task = { ['seed']: 4 };"],
    ['an assignment', 'seed = 4;'],
    ['a declaration', 'const seed=4;'],
    ['a property', 'task.seed = 4;'],
    ['an index', 'task["seed"] = 4;'],
    ['a template index', 'task[`seed`] = 4;'],
    ['a compound assignment', 'task.seed += 4;'],
    ['a logical assignment', 'task.seed ??= 4;'],
    ['an increment', 'task.seed++;'],
    ['another case', 'SEED = 4;'],
    ['a comment between', 'task.seed /* =+= */ = 4;'],
    ['a line comment between', 'task.seed // ==\n = 4;'],
    ['a comment without an end in sight', `seed /*${' '.repeat(300)}`],
    ['an escaped JSON key', String.raw`{"\u0073eed": 4}`],
    ['an escaped identifier', String.raw`task.\u{73}eed = 4;`],
    ['a hex escape', String.raw`task['\x73eed'] = 4;`],
  ])('is seen as %s', (_, text) => {
    expect(setting(text)).toEqual(['schedule.js:1 sets seed']);
  });

  it.each([
    ['a comparison', 'if (task.seed == 4 || task.seed === 5 || task.seed != 6) go();'],
    ['an order', 'if (task.seed <= 4 || task.seed >= 5) go();'],
    ['a reading', 'start(task.seed, task["seed"]);'],
    ['an arrow', 'rows.map(seed => seed * 2);'],
    ['a longer name before', 'const my_seed = 1, randomSeed = 2, $seed = 3, éseed = 4;'],
    ['a longer name after', 'const seeds = 1, seed_ = 2, seeding = 3;'],
    ['a longer key', '{"random-seed": 1, "seedling": 2}'],
    ['a word in a text', '{"note": "the seed decides"}'],
  ])('is not seen in %s', (_, text) => {
    expect(setting(text)).toEqual([]);
  });

  it('keeps its line after an escaped line break', () => {
    expect(setting(String.raw`const a = '\u000a\n';` + '\nseed = 1;')).toEqual([
      'schedule.js:2 sets seed',
    ]);
  });

  it('is found in JSON at any depth, whatever is escaped', () => {
    const letter = (character: string) =>
      fc.constantFrom(
        character,
        `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
        `\\u${character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
      );
    const key = fc.tuple(...[...'time_limit'].map(letter)).map((letters) => letters.join(''));
    const wraps = fc.array(fc.constantFrom('[1,#]', '{"a":#}', '{"b":[],"c":#}'), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(key, wraps, (name, around) => {
        const text = around.reduce((inner, wrap) => wrap.replace('#', inner), `{"${name}": 1}`);
        expect(JSON.stringify(JSON.parse(text))).toContain('"time_limit":1');
        expect(setting(text, 'features.json')).toEqual(['features.json:1 sets time_limit']);
      }),
    );
  });

  it('is found by its key where the text spells it in a way of JSON alone', () => {
    const slashed = { ...policy, program: { ...policy.program, protectedParameters: ['a/b'] } };
    const ruling = midLoopGate(slashed, [changed('features.json', String.raw`{"a\/b": 1}`)]);
    expect(ruling.breaches).toMatchObject([{ found: 'features.json sets a/b', line: null }]);
  });

  it('is searched for in time that a hostile text cannot stretch', () => {
    const roomy = {
      ...policy,
      gates: {
        ...policy.gates,
        midLoop: { ...policy.gates.midLoop, maximumFileBytes: 65_536 },
      },
    };
    const started = performance.now();
    const hostile = [
      'seed/*'.repeat(10_000),
      `seed${'/**/'.repeat(15_000)}`,
      'seed '.repeat(13_000),
      'seed:\n'.repeat(10_000),
    ];
    for (const text of hostile) midLoopGate(roomy, [changed('schedule.js', text)]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('is not searched for where a file is too long, which is a breach of its own', () => {
    expect(rules(changed('schedule.js', 'seed = 1;' + ' '.repeat(1000)))).toEqual(['bounded-size']);
  });
});
