import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { midLoopGate } from '../index.ts';
import { HONEST_MUTATIONS } from '../testing/honest-mutations.ts';
import { examplePolicy } from '../testing/policy.ts';

const PATHS = [
  'model.js',
  'model.ts',
  'model.py',
  'features.json',
  'model.cjs',
  'view.tsx',
] as const;
const policy = {
  ...examplePolicy,
  program: {
    ...examplePolicy.program,
    mutable: {
      hyperparameter: ['model.js#activation', 'model.py#EPOCHS'],
      feature: ['features.json', 'model.py'],
      architecture: ['model.js', 'model.ts', 'model.cjs', 'view.tsx'],
    },
  },
};

const ORIGINALS = [...new Set(HONEST_MUTATIONS.map(({ before }) => before))];
const PIECES = [
  ...[
    'seed',
    '=',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ';',
    ',',
    ':',
    '.',
    '...',
    '=>',
    '`',
    '${',
    "'",
    '"',
    '#',
    '\\',
  ],
  ...[
    'class A {',
    'import ',
    'export ',
    'default ',
    'function ',
    'async ',
    'yield ',
    'await ',
    'new ',
    'delete ',
  ],
  ...[
    '__proto__',
    'constructor',
    'process',
    'eval',
    'globalThis',
    'prototype',
    'def f():\n',
    'lambda: ',
    'for ',
  ],
  ...[
    ' in ',
    ' of ',
    'match x:\n',
    'case ',
    '\n',
    '\r',
    '\t',
    '    ',
    '\u202e',
    '\u2028',
    '\ud800',
    '\0',
    'ѕeed',
    '@',
    '?.',
  ],
  ...[
    '<T>',
    'enum E {',
    ' as any',
    '!',
    '/*',
    '*/',
    '//',
    '0x',
    '1n',
    '/a/',
    'f"{a}"',
    '**',
    ':=',
    'global x\n',
    '\f',
  ],
];
const text = fc
  .tuple(
    fc.constantFrom(...ORIGINALS),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat({ max: 30 }),
        fc.constantFrom(...PIECES),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([original, cuts]) =>
    cuts.reduce((now, [at, length, piece]) => {
      const place = Math.floor(at * now.length);
      return now.slice(0, place) + piece + now.slice(place + length);
    }, original),
  );
const soup = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 40 })
  .map((pieces) => pieces.join(''));

describe('any text', () => {
  it('gets an answer: read or not, from every rule, the same twice, and nothing is thrown', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PATHS),
        fc.oneof(text, soup, fc.string({ unit: 'binary' })),
        fc.oneof(text, soup),
        (path, after, before) => {
          const change = {
            ...{ path, kind: 'modified' as const, before: 'a', after: 'b', mode: '100644' },
            ...{ textBefore: before, text: after },
          };
          const ruling = midLoopGate(policy, [change]);
          expect(ruling.checks).toHaveLength(12);
          expect(
            ruling.unreadable.length > 0 || ruling.domain !== null || ruling.breaches.length > 0,
          ).toBe(true);
          for (const { found, line } of ruling.breaches) {
            expect(found.isWellFormed()).toBe(true);
            expect(line ?? 1).toBeGreaterThan(0);
          }
          expect(midLoopGate(policy, [change])).toEqual(ruling);
          // What does not change anything brings nothing that was not there.
          const same = midLoopGate(policy, [{ ...change, textBefore: after }]);
          if (same.unreadable.length === 0) expect(same.breaches).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
