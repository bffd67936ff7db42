import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlDisclosure } from './disclosure/control.ts';
import type { VaultCounts } from './index.ts';
import { release } from './release.ts';
import { clinicPolicy, noBounds } from './testing/fixtures.ts';

const CELLS = 6;

const cellCounts = fc
  .array(
    fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
      .map(([a, b]) => ({ people: Math.max(a, b), positive: Math.min(a, b) })),
    { minLength: CELLS, maxLength: CELLS },
  )
  .map((cells) => ({
    people: cells.map(({ people }) => people),
    positive: cells.map(({ positive }) => positive),
  }));

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

const vaultCounts: fc.Arbitrary<VaultCounts> = fc
  .tuple(cellCounts, cellCounts, cellCounts, cellCounts)
  .map((splits) => {
    const [train, dev, check, sealed] = splits.map((cells) => ({
      people: sum(cells.people),
      positive: sum(cells.positive),
      cells,
      protected: [],
    }));
    return { train: train!, dev: dev!, check: check!, sealed: sealed! };
  });

const minimumCells = fc.integer({ min: 3, max: 30 });

const released = async (counts: VaultCounts, change: Partial<typeof clinicPolicy>) => {
  const policy = { ...clinicPolicy, ...change };
  const controlled = await controlDisclosure({ counts, contributions: [] }, policy, noBounds);
  return { ...release(policy, controlled), base: controlled.control.base };
};

describe('release', () => {
  it('releases or suppresses every train row, once, and tells both or neither', async () => {
    await fc.assert(
      fc.asyncProperty(vaultCounts, minimumCells, async (counts, minimumCell) => {
        const { report } = await released(counts, { minimumCell });
        const { suppressed, people } = report;
        expect(suppressed === null).toBe(people === null);
        if (suppressed !== null && people !== null) {
          expect(people.train).toBe(counts.train.people);
          expect(report.released.people + suppressed.people).toBe(people.train);
          expect(report.released.cells + suppressed.cells).toBe(
            Array.from(counts.train.cells.people).filter((n) => n > 0).length,
          );
          expect(people.dev).toBe(counts.dev.people);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('releases no cell below the minimum', async () => {
    await fc.assert(
      fc.asyncProperty(vaultCounts, minimumCells, async (counts, minimumCell) => {
        for (const cell of (await released(counts, { minimumCell })).base) {
          expect(cell.people).toBeGreaterThanOrEqual(minimumCell);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('says nothing about cells that are not released, nor about other splits', async () => {
    await fc.assert(
      fc.asyncProperty(
        vaultCounts,
        vaultCounts,
        minimumCells,
        async (counts, others, minimumCell) => {
          // The same, but for empty small cells and other people in dev, check and sealed.
          const kept = (values: ArrayLike<number>) =>
            Array.from(values, (n, cell) =>
              counts.train.cells.people[cell]! >= minimumCell ? n : 0,
            );
          const { people, positive } = counts.train.cells;
          const emptied = {
            ...others,
            train: { ...counts.train, cells: { people: kept(people), positive: kept(positive) } },
          };
          const a = await released(counts, { minimumCell });
          const b = await released(emptied, { minimumCell });
          expect(a.table).toEqual(b.table);
          expect(a.cells).toEqual(b.cells);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('writes the table and the product as CSV, labels quoted where they must be', async () => {
    const cells = { people: [20, 10, 0, 11, 2, 300], positive: [5, 10, 0, 0, 1, 300] };
    const split = { people: 343, positive: 316, cells, protected: [] };
    const counts = { train: split, dev: split, check: split, sealed: split };
    const { table, cells: product } = await released(counts, {});
    expect(new TextDecoder().decode(table)).toBe(
      [
        'cell,age,ward,n,positive',
        '0,under 40,surgery,20,5',
        '3,40 to 64,"others, small",11,0',
        '5,65 or more,"others, small",300,300',
        '',
      ].join('\n'),
    );
    expect(new TextDecoder().decode(product)).toBe(
      [
        'cell,age,ward',
        '0,under 40,surgery',
        '1,under 40,"others, small"',
        '2,40 to 64,surgery',
        '3,40 to 64,"others, small"',
        '4,65 or more,surgery',
        '5,65 or more,"others, small"',
        '',
      ].join('\n'),
    );
  });
});
