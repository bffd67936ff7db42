import { describe, expect, it } from 'vitest';
import { growsOnlyPersistently, keepsOlderStates } from '../../kernel/src/testing/growth.ts';
import { specification } from '../../kernel/src/testing/specification.ts';
import { dataDecider } from './data-decider.ts';
import type { DataEvent, SplitFixed, TableFixed } from './data-events.ts';

const dataDigest = 'ab'.repeat(32);
const split: SplitFixed['data'] = {
  dataDigest,
  commitment: 'cd'.repeat(32),
  rowId: null,
  split: { train: 50, dev: 20, check: 15, sealed: 15 },
};
const fixed: DataEvent = { type: 'SplitFixed', data: split };
const counted = (studyId: string, runId: string, look: number): DataEvent => ({
  type: 'LookCounted',
  data: { dataDigest, studyId, runId, look },
});

const look = (studyId: string, runId: string) =>
  ({ type: 'CountLook', id: 'c', data: { dataDigest, studyId, runId } }) as const;
const fix = (changed: Partial<SplitFixed['data']> = {}) =>
  ({ type: 'FixSplit', id: 'c', data: { ...split, ...changed } }) as const;

const given = specification(dataDecider, (found, expected) => {
  expect(found).toEqual(expected);
});

describe('the looks at the sealed rows of the same data', () => {
  it('are counted over all studies, from 1', () => {
    given([])
      .when(look('pay', 'pay-1'))
      .then([counted('pay', 'pay-1', 1)]);
    given([fixed, counted('pay', 'pay-1', 1)])
      .when(look('pay-too', 'pay-too-1'))
      .then([counted('pay-too', 'pay-too-1', 2)]);
  });

  it('leave older states as they were, however many there are', () => {
    const looks = Array.from({ length: 40 }, (_, at) => counted('pay', `pay-${at + 1}`, at + 1));
    const same = (found: unknown, expected: unknown): void => {
      expect(found).toEqual(expected);
    };
    keepsOlderStates(dataDecider, [fixed, ...looks], same);
    growsOnlyPersistently(dataDecider, [fixed, ...looks.slice(0, 2)], [fixed, ...looks], same);
  });

  it('are one for a run, however often it asks', () => {
    given([counted('pay', 'pay-1', 1), counted('pay', 'pay-2', 2)])
      .when(look('pay', 'pay-1'))
      .then([]);
  });
});

describe('the base table of the same rows', () => {
  const released: TableFixed['data'] = {
    ...{ dataDigest, commitment: split.commitment, studyId: 'pay', runId: 'pay-1' },
    table: '12'.repeat(32),
  };
  const said: DataEvent = { type: 'TableFixed', data: released };
  const fixTable = (changed: Partial<TableFixed['data']> = {}, tables: 'one' | 'any' = 'one') =>
    ({ type: 'FixTable', id: 'c', data: { fixed: { ...released, ...changed }, tables } }) as const;
  const other = { studyId: 'pay-too', runId: 'pay-too-1', table: '34'.repeat(32) };

  it('is said once by each run that releases it', () => {
    given([fixed]).when(fixTable()).then([said]);
    given([fixed, said]).when(fixTable()).then([]);
    const too = { studyId: 'pay-too', runId: 'pay-too-1' };
    given([fixed, said])
      .when(fixTable(too))
      .then([{ type: 'TableFixed', data: { ...released, ...too } }]);
  });

  it('is replaced by the same run, which comes back only where it was never opened', () => {
    const corrected = { table: other.table };
    const again: DataEvent = { type: 'TableFixed', data: { ...released, ...corrected } };
    given([fixed, said]).when(fixTable(corrected)).then([again]);
    // The first one never left: it stands in nobody's way, and comes back as it went.
    given([fixed, said, again])
      .when(fixTable(other))
      .then([{ type: 'TableFixed', data: { ...released, ...other } }]);
    given([fixed, said, again])
      .when(fixTable({ ...other, table: released.table }))
      .thenRefused('other-table', 'run pay-1');
    given([fixed, said, again]).when(fixTable()).then([said]);
  });

  it('is not replaced where another run released the first one meanwhile', () => {
    const too: DataEvent = { type: 'TableFixed', data: { ...released, runId: 'pay-2' } };
    given([fixed, said, too])
      .when(fixTable({ table: other.table }))
      .thenRefused('other-table', 'run pay-2');
  });

  it('is refused where another one left before, of whichever study', () => {
    given([fixed, said]).when(fixTable(other)).thenRefused('other-table', 'run pay-1');
  });

  it('may be another where the policy says so, or where another key made other rows', () => {
    given([fixed, said])
      .when(fixTable(other, 'any'))
      .then([{ type: 'TableFixed', data: { ...released, ...other } }]);
    const elsewhere = { ...other, commitment: 'ef'.repeat(32) };
    given([fixed, said])
      .when(fixTable(elsewhere))
      .then([{ type: 'TableFixed', data: { ...released, ...elsewhere } }]);
  });
});

describe('the split of the same data', () => {
  it('is fixed by the first run, and said once', () => {
    given([]).when(fix()).then([fixed]);
    given([fixed]).when(fix()).then([]);
  });

  it.each([
    ['other shares', { split: { train: 20, dev: 20, check: 15, sealed: 45 } }],
    ['other row ids', { rowId: 'person' }],
  ])('is refused with %s: what was learnt from could be sealed', (_, changed) => {
    given([fixed]).when(fix(changed)).thenRefused('split-otherwise', '50 / 20 / 15 / 15');
  });

  it('leaves alone a study that was committed to a key of its own before', () => {
    given([fixed])
      .when(fix({ commitment: 'ef'.repeat(32), rowId: 'person' }))
      .then([]);
  });
});
