import { describe, expect, it } from 'vitest';
import type { DataPolicy } from '#libs/harness';
import { examplePolicy } from '../../harness/src/testing/policy.ts';
import { collectFaults } from './faults.ts';
import { checkRelease } from './released-table.ts';

const policy: DataPolicy = {
  ...examplePolicy.data,
  dimensions: [
    {
      name: 'ward',
      column: 'ward',
      kind: 'groups',
      labels: ['eye', 'skin', 'heart, "open"'],
      values: [['e'], ['s'], ['h']],
    },
    {
      name: 'age',
      column: 'age',
      kind: 'bins',
      cuts: [40],
      labels: ['young', 'old'],
    },
  ],
  coarsen: [{ dimension: 'ward', merge: ['eye', 'skin'], into: 'head' }],
  magnitudes: [
    {
      name: 'pay',
      column: 'pay',
      decimals: 2,
      dominance: null,
      priorPercent: 15,
    },
  ],
  disclosure: { emptyCells: 'hidden', minimumOutcome: 1, totals: 'auto', tables: 'one' },
};

const file = { path: '', oid: '', sha256: '', bytes: 0 };
const release = {
  tree: '',
  table: file,
  cells: file,
  minimumCell: 11,
  dimensions: [
    { name: 'ward', labels: ['head', 'heart, "open"'] },
    { name: 'age', labels: ['young', 'old'] },
  ],
  coarsened: 1,
  released: { cells: 2, people: 31 },
  suppressed: { cells: 2, people: 12 },
  people: { train: 43, dev: 1, check: 1, sealed: 1 },
  audit: { totals: 'told', complementary: null, kinds: 1 },
} as const;

const cells =
  'cell,ward,age\n0,head,young\n1,head,old\n2,"heart, ""open""",young\n3,"heart, ""open""",old\n';
const table =
  'cell,ward,age,n,positive,sum_pay\n0,head,young,20,5,100.50\n3,"heart, ""open""",old,11,1,7.00\n';

const faultsOf = (change: {
  readonly release?: Partial<Parameters<typeof checkRelease>[0]>;
  readonly policy?: Partial<DataPolicy>;
  readonly table?: string;
  readonly cells?: string;
}): string => {
  const faults = collectFaults();
  checkRelease(
    { ...release, ...change.release },
    { ...policy, ...change.policy },
    { table: change.table ?? table, cells: change.cells ?? cells },
    faults,
  );
  return faults.outcome('good').found;
};

describe('checkRelease', () => {
  it('finds nothing in what was released by the rules', () => {
    expect(faultsOf({})).toBe('good');
    const withheld = {
      suppressed: null,
      people: null,
      audit: { ...release.audit, totals: 'withheld' },
    } as const;
    expect(faultsOf({ release: withheld })).toBe('good');
    const shown = { ...policy.disclosure!, emptyCells: 'shown' } as const;
    const empty = table.replace('3,', '2,"heart, ""open""",young,0,0,0.00\n3,');
    expect(faultsOf({ policy: { disclosure: shown }, table: empty })).toBe('good');
  });

  it.each<[string, Parameters<typeof faultsOf>[0], string]>([
    ['a small cell', { table: table.replace('20,5', '10,5') }, 'cell 0 of the base table, which'],
    ['a cell of one outcome', { table: table.replace('11,1', '11,11') }, 'cell 3 of the base'],
    ['more positive than people', { table: table.replace('20,5', '20,21') }, 'cell 0 of the base'],
    [
      'an empty cell that the policy hides',
      { table: table.replace('3,', '2,"heart, ""open""",young,0,0,0.00\n3,') },
      'cell 2 of the base table',
    ],
    ['another label', { table: table.replace('head,young', 'head,old') }, 'is no cell of it'],
    [
      'a cell twice',
      { table: table.replace('3,"heart', '0,head,young,20,5,1\n3,"heart') },
      'is no',
    ],
    ['a cell without its sum', { table: table.replace(',7.00', '') }, 'is no cell of it'],
    ['another column', { table: table.replace('sum_pay', 'pay') }, 'the header of the base table'],
    ['fewer people than said', { table: table.replace('20,5', '19,5') }, 'the released people'],
    ['a cell left out', { table: table.replace(/3,.*\n/, '') }, 'the released cells is 1'],
    ['a list without a cell', { cells: cells.replace(/3,.*\n/, '') }, 'the number of cells is 3'],
    ['a list with other labels', { cells: cells.replace('1,head', '1,eye') }, "1 cells don't have"],
    [
      'dimensions that the steps do not lead to',
      { release: { coarsened: 0 } },
      'the dimensions after coarsening',
    ],
    ['more steps than there are', { release: { coarsened: 2 } }, 'more coarsening steps'],
    ['no audit', { release: { audit: null } }, 'the release was not audited'],
    ['totals that were to be withheld', { release: { suppressed: null } }, 'the totals are told'],
    [
      'totals that do not add up',
      { release: { suppressed: { cells: 2, people: 13 } } },
      'the train rows is 44, expected 43',
    ],
  ])('finds %s', (_, change, found) => {
    expect(faultsOf(change)).toContain(found);
  });
});
