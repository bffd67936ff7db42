import { describe, expect, it } from 'vitest';
import { midLoopGate, type FileChange } from '../index.ts';
import { examplePolicy } from '../testing/policy.ts';

const policy = {
  ...examplePolicy,
  program: {
    ...examplePolicy.program,
    mutable: {
      hyperparameter: [
        'hyperparameters.json',
        'rates.js',
        'rates.py',
        'mixed.js#RATE',
        'mixed.py#RATE',
        'config.json#/optimizer',
        'whole.js#RATE',
      ],
      feature: [
        'features.json',
        'features.js',
        'features.py',
        'mixed.js#columns',
        'config.json#use',
      ],
      architecture: ['model.js', 'model.ts', 'model.py', 'mixed.js#Model', 'whole.js', 'notes.txt'],
    },
    protectedParameters: ['seed', 'time_limit'],
  },
};

const changed = (
  path: string,
  text: string | null,
  textBefore: string | null = '',
): FileChange => ({
  path,
  kind: 'modified',
  before: 'a'.repeat(40),
  after: 'b'.repeat(40),
  mode: '100644',
  textBefore,
  text,
});

const gate = (...changes: readonly FileChange[]) => midLoopGate(policy, changes);
const told = (...changes: readonly FileChange[]) =>
  gate(...changes).breaches.map(({ rule, found }) => `${rule}: ${found}`);
const rules = (...changes: readonly FileChange[]) => [
  ...new Set(gate(...changes).breaches.map(({ rule }) => rule)),
];
const domain = (path: string, before: string, after: string) =>
  gate(changed(path, after, before)).domain;

describe('the mid-loop gate', () => {
  it('passes an edit of a mutable file, and every rule answers', () => {
    const ruling = gate(changed('hyperparameters.json', '{"rate": 0.1}', '{"rate": 0.2}'));
    expect(ruling).toMatchObject({
      breaches: [],
      unreadable: [],
      domain: 'hyperparameter',
      files: [{ path: 'hyperparameters.json', language: 'json', domain: 'hyperparameter' }],
    });
    expect(ruling.checks.map(({ rule, passed, found }) => [rule, passed, found])).toEqual(
      [
        ...['mutable-files-only', 'mutable-declarations-only', 'regular-files-only'],
        ...['readable-text', 'bounded-size', 'protected-parameters', 'plain-names'],
        ...['no-dynamic-code', 'no-new-imports', 'no-process-access', 'no-patching'],
        'no-paths-outside',
      ].map((rule) => [rule, true, 'none']),
    );
  });

  it('names what it found, where, and what it expected', () => {
    expect(gate(changed('model.js', 'let a;\n\neval(a);\n')).breaches).toEqual([
      {
        rule: 'no-dynamic-code',
        found: 'model.js:3 uses eval',
        expected: 'code that stands in the files, none that is made while it runs',
        file: 'model.js',
        line: 3,
      },
    ]);
  });

  it('has no domain for a file that none owns', () => {
    const ruling = gate(changed('train.js', '// 1'));
    expect(ruling.domain).toBeNull();
    expect(ruling.breaches).toMatchObject([
      { rule: 'mutable-files-only', found: 'train.js modified', file: 'train.js', line: null },
    ]);
    expect(told()).toEqual(['mutable-files-only: no file']);
  });

  it.each([
    ['a deleted file', { kind: 'deleted', after: null, mode: null, text: null }],
    ['a symlink', { kind: 'type-changed', mode: '120000', text: '/etc/passwd' }],
    ['an executable', { mode: '100755' }],
    ['a submodule', { kind: 'added', mode: '160000', text: null }],
  ] as const)('is breached by %s', (_, change) => {
    expect(rules({ ...changed('features.json', '{}'), ...change })).toContain('regular-files-only');
  });

  it('reads nothing of what is too long or too many, which is a breach already', () => {
    const long = `eval("${'x'.repeat(70_000)}")`;
    expect(rules(changed('model.js', long))).toEqual(['bounded-size']);
    const many = ['model.js', 'model.ts', 'model.py', 'rates.js'].map((path) =>
      changed(path, 'eval(1)'),
    );
    expect(rules(...many)).toEqual(['bounded-size']);
  });

  it('tells of twenty breaches of a rule, and how many more there are', () => {
    const { breaches, checks } = gate(changed('model.js', 'eval(a);\n'.repeat(500)));
    expect(breaches).toHaveLength(20);
    const check = checks.find(({ rule }) => rule === 'no-dynamic-code');
    expect(check?.found).toContain('model.js:20 uses eval; and 480 more');
  });

  it('shows no control, no line break and no lone surrogate of what it quotes', () => {
    const { breaches } = gate(
      changed(
        'features.json',
        String.raw`{"\ud800": 1, "s\u200beed": 2, "x": "/etc/${'a'.repeat(500)}"}`,
      ),
    );
    for (const { found } of breaches) {
      expect(found.isWellFormed()).toBe(true);
      expect(found).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(found.length).toBeLessThan(250);
    }
    expect(breaches.length).toBeGreaterThan(1);
  });
});

describe('a text that is no program', () => {
  it.each([
    ['model.js', 'const a = 1;\nconst b = ;\n', 2],
    ['model.ts', 'const a: number = 1;\nenum { }\n', 2],
    ['model.py', 'a = 1\nb = (2\nc = 3\n', 3],
    ['model.py', 'if a:\n    b\n  c\n', 3],
    ['features.json', '{\n  "a": 1,\n}\n', 3],
    ['features.json', '{\n  "a": 1,\n  "a": 2\n}\n', 3],
    ['features.json', '', 1],
    ['model.py', '#!/usr/bin/python\n# -*- coding: utf-7 -*-\n', 2],
  ])('is unreadable, which is no breach: %s %j', (path, text, line) => {
    const ruling = gate(changed(path, text));
    expect(ruling.breaches).toEqual([]);
    expect(ruling.domain).toBeNull();
    expect(ruling.unreadable).toMatchObject([{ file: path, line }]);
    expect(ruling.unreadable[0]?.message).not.toBe('');
  });

  const LEVELS = 30_000;
  it.each([
    ['model.js', '['.repeat(LEVELS)],
    ['model.js', `${'('.repeat(LEVELS)}1${')'.repeat(LEVELS)}`],
    ['model.js', `a${'+a'.repeat(LEVELS)}`],
    ['model.js', `a${'.a'.repeat(LEVELS)} = 1`],
    ['model.js', `${'!'.repeat(LEVELS)}a`],
    ['model.js', `${'a=>'.repeat(LEVELS / 2)}1`],
    ['model.js', `${'if(a)'.repeat(LEVELS / 3)};`],
    ['model.js', '`${'.repeat(LEVELS / 2)],
    ['model.ts', `let a: ${'A<'.repeat(LEVELS)}`],
    ['model.py', `a = ${'['.repeat(LEVELS)}`],
    ['model.py', `a = ${'('.repeat(LEVELS)}1${')'.repeat(LEVELS)}`],
    ['model.py', `a = ${'not '.repeat(LEVELS / 4)}1`],
    ['model.py', `a = b${'+b'.repeat(LEVELS)}`],
    ['model.py', `a = b${'.b'.repeat(LEVELS)}`],
    ['features.json', `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`],
    ['features.json', `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`],
  ])('is one that nests too deep: %s %.12s', (path, text) => {
    const started = performance.now();
    const { unreadable, breaches } = gate(changed(path, text));
    expect(performance.now() - started).toBeLessThan(2000);
    expect(breaches).toEqual([]);
    expect(unreadable).toMatchObject([{ file: path, message: 'nests deeper than 200 levels' }]);
  });

  it.each([
    ['model.js', 'a = 1;\na <!-- b;\n', 2],
    ['model.ts', 'a = 1;\na <!-- b;\n', 2],
    ['model.cjs', 'a <!-- eval(b)\n', 1],
    ['model.js', 'a = 1;\n--> eval(b)\n', 2],
    ['model.js', 'var await = 1, g = 1;\nx\n<!-- y', 3],
    ['model.js', 'var g = 1;\nawait /eval(process)/g;\n', 2],
    ['model.js', 'f();\nawait (x);\n', 2],
    ['model.js', 'f();\nawait\n[x];\n', 2],
  ])('is one that Node may run as another than it was read as: %s %j', (path, text, line) => {
    const owner = { ...policy, program: { ...policy.program } };
    owner.program.mutable = { ...owner.program.mutable, architecture: [path] };
    const ruling = midLoopGate(owner, [changed(path, text)]);
    expect(ruling.domain).toBeNull();
    expect(ruling.unreadable).toHaveLength(1);
    expect(ruling.unreadable[0]).toMatchObject({
      line,
      message: expect.stringMatching(/comment of HTML|another as a module/u) as string,
    });
  });

  it.each([
    ['model.mjs', 'const a = b <!--c;\n'],
    ['model.mjs', 'await /a/;\n'],
    ['model.js', 'import { a } from "./model.js";\nconst b = a <!--c;\nawait /a/;\n'],
    ['model.js', 'const b = await f();\n'],
    ['model.js', 'f();\nawait /1/ g;\n'],
    ['model.js', 'if (a) return;\nwith (a) b();\n'],
    ['model.js', '#!/usr/bin/env node\n"use strict";\nmodule.exports = { a: 1 }; // <!-- -->\n'],
    ['model.ts', 'const a: number = (b as any) as number;\nenum E { A }\n'],
    ['model.cjs', 'const await = 1;\nf(await /2/ 1);\nreturn;\n'],
  ])('is not one that can be read one way alone, or both ways alike: %s %j', (path, text) => {
    const owner = { ...policy, program: { ...policy.program } };
    owner.program.mutable = { ...owner.program.mutable, architecture: ['model.js', path] };
    expect(midLoopGate(owner, [changed(path, text)]).unreadable).toEqual([]);
  });

  it('is not one that nests as deep as may be', () => {
    const deep = (levels: number) => `const a = ${'['.repeat(levels)}${']'.repeat(levels)};`;
    expect(gate(changed('model.js', deep(190))).unreadable).toEqual([]);
    expect(gate(changed('model.js', deep(210))).unreadable).toHaveLength(1);
  });
});

describe('a hostile text', () => {
  const chain = (of: (i: number) => string, more: string) =>
    `${Array.from({ length: 2000 }, (_, i) => of(i)).join('\n')}\n${more}`;
  it.each([
    ['model.js', 'evals', 'eval(a);'.repeat(8000)],
    ['model.js', 'settings', 'x={seed:4};'.repeat(5900)],
    [
      'model.js',
      'a chain of constants',
      chain((i) => `const a${i}='x'+a${i + 1};`, 't[a0]=1;'.repeat(900)),
    ],
    [
      'model.js',
      'constants that double',
      chain((i) => `const a${i}=a${i + 1}+a${i + 1};`, 't[a0]=1;'.repeat(900)),
    ],
    [
      'model.py',
      'a chain of constants',
      chain((i) => `a${i}="x"+a${i + 1}`, 't[a0]=1\n'.repeat(900)),
    ],
    ['model.py', 'keywords', 'f(seed=4)\n'.repeat(6500)],
    ['notes.txt', 'comments', 'seed/*'.repeat(10_000)],
    ['model.js', 'hidden characters', `/*${'\u200b'.repeat(20_000)}*/`],
  ])('costs no more than an honest one of its size: %s of %s', (path, _, text) => {
    const started = process.cpuUsage();
    gate(changed(path, text));
    const { user } = process.cpuUsage(started);
    expect(user / 1000).toBeLessThan(5000);
  });
});

describe('the domain', () => {
  it.each([
    ['a number', 'export const RATE = 0.1;', 'export const RATE = -0.2;', 'hyperparameter'],
    ['a text', "export const KIND = 'a';", "export const KIND = 'b';", 'hyperparameter'],
    ['a list', 'const a = [1, 2];', 'const a = [1, 2, [3]];', 'hyperparameter'],
    ['a record', 'const a = { b: 1 };', 'const a = { c: { d: null }, e: true };', 'hyperparameter'],
    ['another kind of value', 'const a = 1;', 'const a = [1];', 'hyperparameter'],
    ['a comment', 'const a = 1;', '// one\nconst a = 1;', 'hyperparameter'],
    ['an expression', 'const a = 1;', 'const a = 1 + 1;', 'architecture'],
    ['a name', 'const a = b;', 'const a = c;', 'architecture'],
    ['a declaration more', 'const a = 1;', 'const a = 1; const b = 1;', 'architecture'],
    ['a call in a list', 'const a = [1];', 'const a = [f()];', 'architecture'],
    ['a computed key', 'const a = { b: 1 };', 'const a = { [b]: 1 };', 'architecture'],
    ['a function', 'const a = 1;', 'const a = () => 1;', 'architecture'],
  ] as const)(
    'of values is theirs, and of all else the architecture’s: %s',
    (_, before, after, is) => {
      expect(domain('rates.js', before, after)).toBe(is);
    },
  );

  it.each([
    ['RATE = 0.1', 'RATE = -0.2', 'hyperparameter'],
    ['A = {"a": [1, 2]}', 'A = {"b": (1, None, True)}', 'hyperparameter'],
    ['A = 1', 'A = 1 if B else 2', 'architecture'],
    ['A = 1', 'A = f(1)', 'architecture'],
    ['A = 1', 'A = 1\nimport math', 'architecture'],
  ] as const)('of values in Python is as fine: %s → %s', (before, after, is) => {
    expect(domain('rates.py', before, after)).toBe(is);
  });

  const BASE = 'export const columns = (row) => [row.a, row.b];\n';
  it.each([
    ['an expression', '(row) => [row.a * 2, row.b]', 'feature'],
    ['a condition', '(row) => (row.a > 1 ? [row.a] : [row.b])', 'feature'],
    ['a helper', '(row) => { const f = (x) => x * x; return [f(row.a)]; }', 'feature'],
    [
      'a loop over what is there',
      '(row) => { const all = []; for (const a of row) all.push(a); return all; }',
      'feature',
    ],
    [
      'a counted loop',
      '(row) => { for (let i = 0; i < 3; i++) row.a += i; return [row.a]; }',
      'feature',
    ],
    ['a class', '(row) => [new (class { a = 1 })().a]', 'architecture'],
    ['a loop without a bound', '(row) => { while (row.a) row.a--; return []; }', 'architecture'],
    ['an endless for', '(row) => { for (;;) return []; }', 'architecture'],
    ['recursion', '(row) => columns(row)', 'architecture'],
    ['an async function', 'async (row) => [row.a]', 'architecture'],
  ] as const)('of features is theirs but for structure: %s', (_, formula, is) => {
    expect(domain('features.js', BASE, `export const columns = ${formula};\n`)).toBe(is);
  });

  it('of an import in features is the architecture’s', () => {
    expect(domain('features.js', BASE, `import { a } from './a.js';\n${BASE}`)).toBe(
      'architecture',
    );
    expect(domain('features.py', 'A = [1]', 'import math\nA = [1]')).toBe('architecture');
    expect(domain('features.py', 'A = [1]', 'A = [x for x in B]')).toBe('feature');
    expect(domain('features.py', 'A = [1]', 'class A: pass')).toBe('architecture');
  });

  it('is the dearest that the diff touches, whatever was declared', () => {
    const both = gate(
      changed('hyperparameters.json', '{"a": 1}', '{}'),
      changed('features.json', '{"a": 1}', '{}'),
    );
    expect(both.domain).toBe('feature');
    expect(both.files?.map((file) => file.domain)).toEqual(['hyperparameter', 'feature']);
  });

  it('of code that moves between files is the dearest of both', () => {
    const code = 'export const f = (x) => x;\n';
    const moved = gate(changed('features.js', '', code), changed('model.js', code, ''));
    expect(moved.domain).toBe('architecture');
    expect(moved.breaches).toEqual([]);
  });

  it('of a code file whose base could not be read is not that of values', () => {
    expect(domain('rates.js', 'const a = ;', 'const a = 1;')).toBe('architecture');
    expect(gate(changed('rates.js', 'const a = 1;', null)).domain).toBe('architecture');
  });
});

describe('a part of a file', () => {
  const MIXED = [
    "import { readFileSync } from 'node:fs';",
    'const RATE = 0.1;',
    'let state = 0;',
    'function columns(row) { return [row.a]; }',
    'export class Model { fit() { return RATE; } }',
    'export const evaluate = (x) => x;',
    '',
  ].join('\n');
  const edit = (from: string, to: string) => changed('mixed.js', MIXED.replace(from, to), MIXED);

  it.each([
    ['RATE = 0.1', 'RATE = 0.2', 'hyperparameter'],
    ['RATE = 0.1', 'RATE = Math.log(2)', 'architecture'],
    ['[row.a]', '[row.a, row.b]', 'feature'],
    ['return RATE', 'return RATE * 2', 'architecture'],
    ['fit()', '/* fits */ fit()', 'hyperparameter'],
  ] as const)('is its declaration’s domain: %s → %s', (from, to, is) => {
    const { breaches, domain: measured } = gate(edit(from, to));
    expect(breaches).toEqual([]);
    // A comment alone touches all that may change, and costs the dearest of that.
    expect(measured).toBe(from === 'fit()' ? 'architecture' : is);
  });

  it.each([
    ['(x) => x;', '(x) => x + 1;', 'mixed.js:6 changes evaluate'],
    ['let state = 0;', 'let state = 1;', 'mixed.js:3 changes state'],
    ['let state = 0;\n', '', 'mixed.js removes state'],
    ['let state = 0;', 'let state = 0;\nstate = 1;', 'mixed.js:4 changes a statement'],
    ['let state = 0;', 'let state = 0, more = 1;', 'mixed.js:3 changes more'],
    [
      "import { readFileSync } from 'node:fs';",
      "import { statSync } from 'node:fs';",
      'mixed.js:1 changes a statement',
    ],
    ['[row.a]', '[(state = 4)]', 'mixed.js:4 changes state in columns'],
    ['[row.a]', '[(evaluate.cache = 4)]', 'mixed.js:4 changes evaluate in columns'],
    [
      '{ return [row.a]',
      '{ { let state; } state = 4; return [row.a]',
      'mixed.js:4 changes state in columns',
    ],
    ['[row.a]', '[([state] = [4])]', 'mixed.js:4 changes state in columns'],
    [
      '{ return [row.a]',
      '{ for (state of row); return [row.a]',
      'mixed.js:4 changes state in columns',
    ],
    [
      'const RATE = 0.1;\nlet state = 0;',
      'let state = 0;\nconst RATE = 0.1;',
      'mixed.js puts declarations elsewhere',
    ],
  ])('lets nothing else of the file change: %s → %s', (from, to, found) => {
    const ruling = gate(edit(from, to));
    expect(ruling.breaches.map((breach) => `${breach.rule}: ${breach.found}`)).toEqual([
      `mutable-declarations-only: ${found}`,
    ]);
    expect(ruling.domain).toBeNull();
  });

  it('may assign to what it declares itself, whatever else has the name', () => {
    expect(told(edit('[row.a]', '[row.a].map((state) => (state += 1))'))).toEqual([]);
  });

  it('is told from the rest of a file that is mutable as a whole', () => {
    const whole = 'const RATE = 0.1;\nconst f = () => RATE;\n';
    expect(domain('whole.js', whole, whole.replace('0.1', '0.2'))).toBe('hyperparameter');
    expect(domain('whole.js', whole, whole.replace('=> RATE', '=> 1'))).toBe('architecture');
  });

  it('is a declaration of Python', () => {
    const base = 'RATE = 0.1\nOTHER = 1\ndef f():\n    return RATE\n';
    const python = (from: string, to: string) =>
      gate(changed('mixed.py', base.replace(from, to), base));
    expect(python('0.1', '0.2').domain).toBe('hyperparameter');
    expect(python('0.1', 'f()').domain).toBe('architecture');
    expect(python('OTHER = 1', 'OTHER = 2').breaches).toMatchObject([
      { rule: 'mutable-declarations-only', found: 'mixed.py:2 changes OTHER', line: 2 },
    ]);
    expect(python('return RATE', 'return 1').breaches).toMatchObject([
      { found: 'mixed.py:3 changes f' },
    ]);
    expect(python('def f', 'RATE += 1\ndef f').breaches).toMatchObject([
      { found: 'mixed.py:3 declares RATE 2 times, 1 before', line: 3 },
    ]);
    expect(python('RATE = 0.1\n', '').breaches).toMatchObject([
      { found: 'mixed.py declares RATE 0 times, 1 before', line: null },
    ]);
  });

  const FIXED = [
    "import { table } from './features.js';",
    'const RATE = 0.1;',
    'const TRIES = 3;',
    'const LIST = [1, 2];',
    'const SETTINGS = { low: 1, deep: { list: [1] } };',
    'function score(row) { return row.a; }',
    'function columns(row, other) { return [row.a]; }',
    '',
  ].join('\n');
  const inFixed = (to: string) =>
    gate(
      changed(
        'mixed.js',
        FIXED.replace('{ return [row.a]; }', () => `{ ${to} }`),
        FIXED,
      ),
    );

  it.each([
    ['LIST.push(1);', 'changes LIST'],
    ['LIST?.["pu" + "sh"](1);', 'changes LIST'],
    ['LIST[row.how](1);', 'changes LIST'],
    ['(LIST).sort();', 'changes LIST'],
    ['SETTINGS.deep.list.pop();', 'changes SETTINGS.deep.list'],
    ['[].push.call(LIST, 1);', 'changes LIST'],
    ['const push = LIST.push.bind(LIST); push(1);', 'changes LIST'],
    ['Object.assign(SETTINGS, row);', 'changes SETTINGS'],
    ['Object.defineProperty(SETTINGS, "low", { value: 2 });', 'changes SETTINGS'],
    ['Object.setPrototypeOf(SETTINGS.deep, row);', 'changes SETTINGS.deep'],
    ['Reflect.set(SETTINGS, "low", 2);', 'changes SETTINGS'],
    ['score.prototype.a = 1;', 'changes score'],
    ['exports.score = row;', 'changes exports'],
    ['module.exports.score = row;', 'changes module'],
    ['module.exports = row;', 'changes module'],
    ['(() => { globalThis.score = row; })();', 'changes globalThis'],
    ['table.rows.push(row);', 'changes table'],
    ['const list = LIST; list.push(1);', 'may change LIST'],
    ['let list = []; list = LIST; list.push(1);', 'may change LIST'],
    ['const { deep } = SETTINGS; deep.list[0] = 2;', 'may change SETTINGS'],
    ['const list = [LIST]; list[0][0] = 1;', 'may change LIST'],
    ['((list) => { list[0] = 1; })(LIST);', 'may change LIST'],
    ['((list = LIST) => list.push(1))();', 'may change LIST'],
    ['[LIST].forEach((list) => list.reverse());', 'may change LIST'],
    ['(row.a ? LIST : []).push(1);', 'may change LIST'],
    ['row = LIST; row[0] = 1;', 'may change LIST'],
    ['if (other) row.low = 4; else columns(SETTINGS, 1);', 'may change SETTINGS'],
    ['const o = { map: () => LIST }; o.map().push(1);', 'may change LIST'],
    ['class Set { constructor() { return LIST; } } new Set().push(1);', 'may change LIST'],
    ['const copy = { ...SETTINGS }; copy.deep.list = [];', 'may change SETTINGS'],
  ])('may not change at run time what is no part: %s', (to, found) => {
    const ruling = inFixed(to);
    expect(ruling.breaches[0]?.rule).toBe('mutable-declarations-only');
    expect(ruling.breaches[0]?.found).toContain(found.split('.')[0]);
    expect(ruling.domain).toBeNull();
  });

  it('may not be handed by one part to another that changes it', () => {
    const base = FIXED.replace('function score', 'const Model = (row) => row;\nfunction score');
    const to = base
      .replace('=> row;', '=> LIST;')
      .replace('return [row.a]', 'return Model(row).push(1)');
    expect(told(changed('mixed.js', to, base))).toEqual([
      'mutable-declarations-only: mixed.js:6 may change LIST in Model, by another name',
    ]);
  });

  it.each([['LIST as any'], ['LIST!'], ['<any>LIST'], ['LIST<number>'], ['(LIST satisfies any)']])(
    'may not hide behind a type what it hands on: %s',
    (list) => {
      const mutable = { ...policy.program.mutable, feature: ['mixed.ts#columns'] };
      const typed = { ...policy, program: { ...policy.program, mutable } };
      const to = FIXED.replace('return [row.a]', `const list = ${list}; list.push(1);`);
      const { breaches } = midLoopGate(typed, [changed('mixed.ts', to, FIXED)]);
      expect(breaches.map(({ found }) => found)).toEqual([
        'mixed.ts:7 may change LIST in columns, by another name',
      ]);
    },
  );

  it('may not take what is fixed for the default of what it changes', () => {
    const to = FIXED.replace('(row, other) { ', '(row = LIST, other) { row.push(1); ');
    expect(told(changed('mixed.js', to, FIXED))).toEqual([
      'mutable-declarations-only: mixed.js:7 may change LIST in columns, by another name',
    ]);
  });

  it.each([
    ['return [row.a * SETTINGS.low, Math.max(RATE, LIST[0])];'],
    ['const out = []; for (const each of LIST) out.push(row.a * each); return out;'],
    ['const out = {}; for (const each of LIST) out[each] = score(row); return out;'],
    ['return LIST.map((each) => each * row.a).sort();'],
    ['row.b = score(row) * SETTINGS.low; return [row.b];'],
    ['let sum = 0; for (let i = 0; i < TRIES; i++) sum += LIST[i] * row.a; return [sum];'],
    ['const seen = new Set(LIST); seen.add(row.a); return [...seen];'],
    ['const tries = TRIES; const c = row.b; c.push(tries); return [row.a];'],
    ['return Object.keys(SETTINGS).map((key) => SETTINGS[key] + row.a);'],
    ['const a = Object.assign({}, SETTINGS); a.low = 2; return [a.low];'],
  ])('may read what is no part, and change what it makes: %s', (to) => {
    expect(inFixed(to)).toMatchObject({ breaches: [], unreadable: [] });
  });

  it('may go on with what it did before', () => {
    const base = FIXED.replace('return [row.a]', 'LIST.push(1); return [row.a]');
    expect(told(changed('mixed.js', base.replace('[row.a]', '[row.b]'), base))).toEqual([]);
  });

  it('of JSON that is only laid out anew is the dearest of all parts, and no refusal', () => {
    const base = '{"optimizer": {"rate": 1}, "use": ["a"]}';
    const ruling = gate(changed('config.json', base.replaceAll(' ', '\n'), base));
    expect(ruling).toMatchObject({ breaches: [], unreadable: [], domain: 'feature' });
  });

  it('is a value of JSON, by pointer or by key', () => {
    const base =
      '{\n  "optimizer": { "rate": 0.1, "name": "adam" },\n  "use": ["a"],\n  "fixed": { "x": 1 }\n}\n';
    const json = (from: string, to: string) =>
      gate(changed('config.json', base.replace(from, to), base));
    expect(json('0.1', '0.2')).toMatchObject({ breaches: [], domain: 'hyperparameter' });
    expect(json('"name"', '"decay": 1, "name"')).toMatchObject({
      breaches: [],
      domain: 'hyperparameter',
    });
    expect(json('["a"]', '["a", "b"]')).toMatchObject({ breaches: [], domain: 'feature' });
    expect(json('"x": 1', '"x": 2').breaches).toMatchObject([
      { rule: 'mutable-declarations-only', found: 'config.json:4 changes #/fixed/x', line: 4 },
    ]);
    expect(json('"use"', '"more": 1, "use"').breaches).toMatchObject([
      { found: 'config.json:3 changes #/more' },
    ]);
    expect(json(',\n  "fixed": { "x": 1 }', '').breaches).toMatchObject([
      { found: 'config.json changes #/fixed/x' },
    ]);
  });
});

/** Each of these must be a breach of the rule when it is added to a file that did not have it. */
const breached = (path: string, rule: string, cases: readonly (readonly [string, number?])[]) =>
  it.each(cases.map(([text, line = 1]) => ({ text, line })))(
    `${rule} is breached in ${path} by $text`,
    ({ text, line }) => {
      const found = gate(changed(path, text, '')).breaches.filter((breach) => breach.rule === rule);
      expect(found[0], text).toMatchObject({ file: path, line });
      // What stood there before is no breach.
      expect(rules(changed(path, `${text}\n\n`, text))).toEqual([]);
    },
  );

describe('a protected parameter', () => {
  breached('features.json', 'protected-parameters', [
    ['{"seed": 4}'],
    ['{"SEED": 4}'],
    [String.raw`{"\u0073eed": 4}`],
    ['{"a": [{"b": {\n"time_limit": 9}}]}', 2],
  ]);
  breached('model.js', 'protected-parameters', [
    ['seed = 4;'],
    ['const seed=4;'],
    ['task.seed = 4;'],
    ['task.a.seed++;'],
    ["task['seed'] += 4;"],
    ['task[`seed`] ??= 4;'],
    ["task['se' + 'ed'] = 4;"],
    ["const k = 'seed'; task[k] = 4;"],
    ["const a = 'se', k = `${a}ed`; const t = { [k]: 4 };"],
    ['const task = { seed: 4 };'],
    ["const task = { 'seed': 4 };"],
    ["const task = { ['seed']: 4 };"],
    ['const task = { get seed() { return 4; } };'],
    [String.raw`task.\u{73}eed = 4;`],
    [String.raw`task['\x73eed'] = 4;`],
    ['task.seed /* a */ = 4;'],
    ['const { seed = 4 } = task;'],
    ['const { other: seed } = task;'],
    ['const [seed] = [4];'],
    ['[task.seed] = [4];'],
    ['({ a: task.seed } = b);'],
    ['const f = (seed = 4) => seed;'],
    ['const f = ({ seed = 4 }) => seed;'],
    ['for (const seed of [1, 2, 3]) fit(seed);'],
    ['for (task.seed of [1, 2]) fit(task);'],
    ["Object.defineProperty(task, 'seed', { value: 4 });"],
    ["Reflect.set(task, 'seed', 4);"],
    ['Object.assign(task, { seed: 4 });'],
    ["Object.fromEntries([['seed', 4]]);"],
    ["settings.set('seed', 4);"],
    [`JSON.parse('{"seed": 4}');`],
    ['class A { seed = 4; }'],
    ['class A { static #seed = 4; }'],
    ['delete task.seed;'],
    ['function seed() { return 4; }'],
    ["import { other as seed } from './other.js';"],
    ['const a = 4; export { a as seed };'],
    ['const four = 4; fit({ seed: four });'],
    ['SEED = 4;'],
  ]);
  breached('model.ts', 'protected-parameters', [
    ['(task as any).seed = 4;'],
    ['task!.seed = 4;'],
    ['const seed: number = 4;'],
    ['enum E { seed = 4 }'],
  ]);
  breached('model.py', 'protected-parameters', [
    ['seed = 4'],
    ['task.seed = 4'],
    ['task["seed"] = 4'],
    ['task["se" + "ed"] = 4'],
    ['K = "seed"\ntask[K] = 4', 2],
    ['globals()["seed"] = 4'],
    ['setattr(task, "seed", 4)'],
    ['task.__setitem__("seed", 4)'],
    ['task = {"seed": 4}'],
    ['task = dict(seed=4)'],
    ['task.update(seed=4)'],
    ['a, seed = 1, 4'],
    ['seed += 1'],
    ['if (seed := 4): pass'],
    ['for seed in range(9): fit(seed)'],
    ['a = [fit(seed) for seed in range(9)]'],
    ['with a as seed: pass'],
    ['def f(seed=4): pass'],
    ['def f(*, seed=4): pass'],
    ['random.seed(42)'],
    ['random.seed()'],
    ['torch.manual_seed(42)'],
    ['from a import b as seed'],
    ['ſeed = 4'],
    ['seed: int = 4'],
    ['class A:\n    seed = 4', 2],
    ['match a:\n    case {"b": seed}: pass', 2],
    ['del task["seed"]'],
  ]);
  breached('notes.txt', 'protected-parameters', [['seed = 4'], ['a\nseed: 4', 2]]);

  it.each([
    ['model.js', 'if (task.seed == 4 || task.seed === 5) go(task.seed, task["seed"]);'],
    ['model.js', 'rows.map(seed => seed * 2);'],
    ['model.js', 'const { seed } = task; fit({ seed, a: 1 }); fit({ seed: task.seed });'],
    ['model.js', 'const seed = task.seed; class A { constructor(seed) { this.seed = seed; } }'],
    [
      'model.js',
      'const my_seed = 1, randomSeed = 2, $seed = 3, seeds = [1], seeding = { seedling: 1 };',
    ],
    ['model.js', 'const a = task.ok ? seed : b; const names = ["seed", "time_limit"];'],
    ['model.js', "const note = 'seed = 4'; // seed = 4"],
    ['model.ts', 'interface A { seed: number } type B = { seed: 4 }; function f(seed: number) {}'],
    ['model.py', 'if task.seed == 4: go(seed, task["seed"], seed=task.seed)'],
    ['model.py', 'random.seed(task["seed"] + 1)\nrng = Random(seed)\nself.seed = seed'],
    ['model.py', 'seeds = [1]\nmy_seed = 2\n# seed = 4\nnote = "seed = 4"\nnames = ["seed"]'],
    [
      'features.json',
      '{"random-seed": 1, "seedling": 2, "note": "the seed decides", "use": ["seed"]}',
    ],
  ])('is not set in %s by %s', (path, text) => {
    expect(told(changed(path, text))).toEqual([]);
  });

  it('that the base sets from a variable may be set from another, never from a value', () => {
    const base = 'const f = (step) => ({ seed: step });';
    expect(told(changed('model.js', 'const f = (done) => ({ seed: done });', base))).toEqual([]);
    expect(rules(changed('model.js', 'const f = (step) => ({ seed: 4 });', base))).toEqual([
      'protected-parameters',
    ]);
    expect(rules(changed('model.js', `${base}\nf({ seed: base });`, base))).toEqual([
      'protected-parameters',
    ]);
  });

  it('that stood there and is set to something else is a breach', () => {
    expect(rules(changed('features.json', '{"seed": 5}', '{"seed": 4}'))).toEqual([
      'protected-parameters',
    ]);
    expect(rules(changed('model.py', 'seed = 5', 'seed = 4'))).toEqual(['protected-parameters']);
    expect(rules(changed('model.js', 'seed = 5;', 'seed = task.seed;'))).toEqual([
      'protected-parameters',
    ]);
    expect(rules(changed('notes.txt', 'seed = 5', 'seed = 4'))).toEqual(['protected-parameters']);
  });
});

describe('code', () => {
  breached('model.js', 'no-dynamic-code', [
    ["eval('1');"],
    ['const e = eval; e(1);'],
    ["(0, eval)('1');"],
    ["globalThis.eval('1');"],
    ["globalThis['ev' + 'al']('1');"],
    ["new Function('return 1')();"],
    ["[].constructor.constructor('return 1')();"],
    ["(() => 1).constructor('return 1')();"],
    ["const { constructor: F } = f; F('x');"],
    ["Reflect.get(f, 'constructor');"],
    ['await import(name);'],
    ['require(name);'],
    ["import { createRequire } from 'node:module';"],
    ["import vm from 'vm';"],
    ['WebAssembly.compile(bytes);'],
    ["setTimeout('a()', 1);"],
    ['globalThis[name]();'],
    ["{ let eval = 1; } eval('1');"],
    ["const f = (eval) => 1; eval('1');"],
    ["function f() { function eval() {} } eval('1');"],
  ]);
  breached('model.py', 'no-dynamic-code', [
    ['eval("1")'],
    ['e = eval'],
    ['exec(code)'],
    ['compile(a, b, "exec")'],
    ['__import__("os")'],
    ['import importlib'],
    ['from pickle import loads'],
    ['().__class__.__bases__[0].__subclasses__()'],
    ['getattr(f, "__globals__")'],
    ['f.__code__'],
    ['import math\ngetattr(math, name)', 2],
    ['globals()'],
    ['def f(eval): pass\neval("1")', 2],
    ['class A:\n    def eval(self): pass\neval("1")', 3],
    ['def f():\n    from math import exp as eval\neval("1")', 3],
    ['eval = eval\neval("1")'],
  ]);
  breached('model.js', 'no-new-imports', [
    ["import _ from 'lodash';"],
    ["export * from 'lodash';"],
    ["require('lodash');"],
    ["await import('lodash');"],
    ["import { writeFileSync } from 'node:fs';"],
    ["import * as fs from 'fs';"],
    ["const { rmSync } = require('fs');"],
    ["import './notes.txt';"],
    ["import './a.js?x';"],
    ["import 'data:text/javascript,1';"],
  ]);
  breached('model.ts', 'no-new-imports', [
    ["import fs = require('node:fs');"],
    ["import { z } from 'zod';"],
  ]);
  breached('model.py', 'no-new-imports', [
    ['import numpy as np'],
    ['from sklearn.linear_model import A'],
  ]);
  breached('model.js', 'no-process-access', [
    ['process.exit(0);'],
    ['process.env.HOME;'],
    ["process['bind' + 'ing']('fs');"],
    ['globalThis.process.kill(1);'],
    ['const { exit } = process;'],
    ['const p = process; p.exit(0);'],
    ['process.exitCode = 0;'],
    ["import { spawn } from 'node:child_process';"],
    ["import 'worker_threads';"],
    ["import fs from 'fs/promises';"],
    ["require('os');"],
    ["fetch('https://example.org');"],
    ["new WebSocket('ws://example.org');"],
    ['new SharedArrayBuffer(8);'],
    ["process.on('exit', f);"],
  ]);
  breached('model.py', 'no-process-access', [
    ['import subprocess'],
    ['from os import fork'],
    ['import socket, math'],
    ['import sys\nsys.exit(0)', 2],
    ['import sys\nsys.modules["math"] = 1', 2],
    ['from sys import exit'],
    ['exit()'],
    ['raise SystemExit'],
    ['import threading'],
    ['import ctypes'],
    ['import sys\ns = sys\ns.exit()', 2],
  ]);
  breached('model.js', 'no-patching', [
    ['Math.log = () => 0;'],
    ["Math['log'] = f;"],
    ['Math = {};'],
    ['const M = Math; M.exp = f;'],
    ['Array.prototype.map = f;'],
    ['[].__proto__.push = f;'],
    ['Object.prototype.seeds ||= 1;'],
    ["Object.defineProperty(Math, 'log', { value: f });"],
    ['Object.assign(JSON, { parse: f });'],
    ["Reflect.set(globalThis, 'a', 4);"],
    ['globalThis.a = 4;'],
    ["import { config } from './config.js'; config.rate = 4;"],
    ["import * as m from './m.js'; m.f.cache = 4;"],
    ['delete Math.log;'],
    ['Object.setPrototypeOf(a, b);'],
    ["a.__defineGetter__('b', f);"],
    ['const a = { __proto__: b };'],
    ['console.log = f;'],
    ['{ const Math = {}; } Math.log = f;'],
    ['for (Math.log of [f]);'],
    ['[Math.log] = [f];'],
  ]);
  breached('model.py', 'no-patching', [
    ['import math\nmath.log = f', 2],
    ['import math as m\nm.log = f', 2],
    ['import math\nsetattr(math, "log", f)', 2],
    ['from random import Random\nRandom.random = f', 2],
    ['int.real = 4'],
    ['a.__class__ = B'],
    ['f.__code__ = g'],
    ['import math\nm = math\nm.log = f', 3],
    ['import math\ndel math.log', 2],
  ]);
  breached('model.js', 'no-paths-outside', [
    ["read('/etc/passwd');"],
    ["read('/proc/self/environ');"],
    ["read('/e' + 'tc/passwd');"],
    ['read(`${root}/proc/self/maps`);'],
    ["read('../data/rows.csv');"],
    ["read('a/../../b');"],
    ["read('file:///home/x');"],
    ["read('C:\\\\Users');"],
    ["read('/data/../etc/x');"],
    ["import './../a.js';"],
  ]);
  breached('model.py', 'no-paths-outside', [
    ['open("/proc/self/environ")'],
    ['open("../rows.csv")'],
    ['open(f"{root}/etc/passwd")'],
    ['from .. import a'],
  ]);
  breached('features.json', 'no-paths-outside', [['{"a": "/etc/passwd"}'], ['{"a": "../b"}']]);
  breached('model.js', 'plain-names', [
    ['const ѕeed = 4;'],
    ['const раylоad = 4;'],
    ['const a\u200db = 4;'],
    ['a.ѕеԁ = 4; a.ѕееԁ = 4;'],
    ['const isAdmin = 1; /*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin */'],
    ["const a = 'x\u202ey';"],
    ['const a = 1; \u200b'],
    ['const ｓｅｅｄ = 4;'],
    ['const rate = 1; const сοре = 2, scope = 3;'],
    ['const a = 1; const а = 2;'],
  ]);
  breached('model.py', 'plain-names', [
    ['ѕeed = 4'],
    ['# \u202e\na = 1'],
    ['def f(ѕeed): pass'],
    ['ﬁt = 4'],
  ]);
  breached('features.json', 'plain-names', [
    ['{"ѕeed": 4}'],
    ['{"s\u200beed": 4}'],
    ['{"a": "\u202e"}'],
  ]);
  breached('notes.txt', 'plain-names', [['a\u202eb']]);

  it.each([
    [
      'model.js',
      "import { readFileSync } from 'node:fs'; import path from 'node:path'; import './a/b.js';",
    ],
    [
      'model.js',
      "read('/data/train.csv', '/task/task.json', '/out/predictions.csv', '/tmp/x', '/dev/shm/x');",
    ],
    [
      'model.js',
      "split('/'); text('a/b', '../', 'and/or', '...', 'see /etc/passwd for it', '1/2').x;".replace(
        "'../', ",
        '',
      ),
    ],
    [
      'model.js',
      'process.memoryUsage(); process.hrtime(); process.stdout.write(""); process.argv[2];',
    ],
    [
      'model.js',
      'const f = (Math) => { Math.log = 1; }; const eval2 = 1; a.exit(); b.process.exit();',
    ],
    [
      'model.js',
      'class A {} A.prototype.b = 1; A.c = 2; new A().constructor.name; a instanceof Function;',
    ],
    ['model.js', 'const σ = 1, Δx = 2, λ_max = 3, größe = 4, naïve = 5, данные = 6, 数 = 7;'],
    ['model.js', "const flag = '👩‍🔬'; // 👩‍🔬"],
    [
      'model.py',
      'import math, json, csv, random, sys\nfrom collections import Counter\nprint(1, file=sys.stderr)\nsys.argv[1]',
    ],
    [
      'model.py',
      'σ = 1\nλ = 2\ngröße = 3\nmodel.eval()\nre.compile(a)\nself.a.b = 1\nx.__dict__\nx.__class__.__name__',
    ],
    ['model.py', 'import model\nfrom . import features\nfrom rates import RATE'],
  ])('of %s passes: %s', (path, text) => {
    expect(told(changed(path, text))).toEqual([]);
  });

  it('may keep and repeat an import that a changed file had, and no other name of it', () => {
    const base = "import _ from 'lodash';\nimport { writeFileSync } from 'node:fs';\n";
    expect(
      told(
        changed('features.js', "import _ from 'lodash';\n", ''),
        changed('model.js', `${base}_();`, base),
      ),
    ).toEqual([]);
    expect(rules(changed('model.js', base.replace('writeFileSync', 'rmSync'), base))).toEqual([
      'no-new-imports',
    ]);
  });

  it('that stands once more than before is a breach where it is new', () => {
    const base = 'if (a) process.exit(1);\n';
    expect(told(changed('model.js', `${base}b();\n${base}`, base))).toEqual([
      'no-process-access: model.js:3 uses process.exit',
    ]);
  });
});
