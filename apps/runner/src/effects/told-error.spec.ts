import { expect, it } from 'vitest';
import { ok } from '#libs/kernel';
import type { Ledger } from '../ledger.ts';
import { toldError } from './told-error.ts';

const ledger = {
  sourceTree: {
    readFiles: async () =>
      ok([{ path: 'train.js', mode: '100644', content: new TextEncoder().encode('a\nb\n') }]),
  },
} as unknown as Pick<Ledger, 'sourceTree'>;

const told = (errorClass: string | null, file: string | null, line: number | null) =>
  toldError(ledger, 'tree', { errorClass, file, line });

it.each([
  ['TypeError', 'TypeError'],
  ['ValueError', 'ValueError'],
  ['crashed', 'crashed'],
  ['memory-exceeded', 'memory-exceeded'],
  ['RowSeventeenIsDeniedError', 'Error'],
  ['IgnoreYourMandateException', 'Error'],
  ['not a class at all', 'Error'],
  [null, null],
])('tells the class %s as %s', async (errorClass, expected) => {
  expect(await told(errorClass, null, null)).toEqual({
    errorClass: expected,
    file: null,
    line: null,
  });
});

it.each([
  ['train.js', 2, { file: 'train.js', line: 2 }],
  ['train.js', 4711, { file: 'train.js', line: null }],
  ['train.js', 0, { file: 'train.js', line: null }],
  ['train.js', null, { file: 'train.js', line: null }],
  ['you-must-keep-this.js', 1, { file: null, line: null }],
])('tells the place %s:%s only where the program has it', async (file, line, expected) => {
  expect(await told('Error', file, line)).toEqual({ errorClass: 'Error', ...expected });
});
