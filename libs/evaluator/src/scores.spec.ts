import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  auc,
  aucDifference,
  brier,
  calibrationError,
  clip,
  difference,
  differenceOverSeeds,
  score,
  type CellCounts,
} from './index.ts';

/** One person, as the individual formulas see it. */
interface Person {
  readonly p: number;
  readonly q: number;
  readonly y: 0 | 1;
}

interface Table {
  readonly counts: CellCounts;
  readonly p: readonly number[];
  readonly q: readonly number[];
}

/** A few distinct values, so that ties are common, and the ends, so that clipping matters. */
const probability = fc.oneof(
  fc.constantFrom(0, 0.001, 0.2, 0.5, 0.5, 0.8, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

const tables: fc.Arbitrary<Table> = fc
  .array(
    fc.record({
      positive: fc.integer({ min: 0, max: 12 }),
      negative: fc.integer({ min: 0, max: 12 }),
      p: probability,
      q: probability,
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((cells) => ({
    counts: {
      people: cells.map((cell) => cell.positive + cell.negative),
      positive: cells.map((cell) => cell.positive),
    },
    p: cells.map((cell) => cell.p),
    q: cells.map((cell) => cell.q),
  }));

/** The rows that the counts stand for, in cells with at least `minimumCell` people. */
const expand = ({ counts, p, q }: Table, minimumCell: number): readonly Person[] =>
  Array.from(counts.people).flatMap((people, cell) =>
    people < minimumCell
      ? []
      : Array.from({ length: people }, (_, i): Person => ({
          p: clip(p[cell]),
          q: clip(q[cell]),
          y: i < counts.positive[cell]! ? 1 : 0,
        })),
  );

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const variance = (values: readonly number[]) => {
  const m = mean(values);
  return values.reduce((sum, value) => sum + (value - m) ** 2, 0) / (values.length - 1);
};

const individually = (values: readonly number[]) =>
  values.length < 2
    ? null
    : { value: mean(values), standardError: Math.sqrt(variance(values) / values.length) };

const logLoss = (p: number, y: 0 | 1) => -Math.log(y === 1 ? p : 1 - p);

/** Mann-Whitney kernel. */
const outranks = (positive: number, negative: number) =>
  positive > negative ? 1 : positive === negative ? 0.5 : 0;

const pairwise = (people: readonly Person[], kernel: (a: Person, b: Person) => number) => {
  const positives = people.filter(({ y }) => y === 1);
  const negatives = people.filter(({ y }) => y === 0);
  if (positives.length < 2 || negatives.length < 2) return null;
  const v10 = positives.map((a) => mean(negatives.map((b) => kernel(a, b))));
  const v01 = negatives.map((b) => mean(positives.map((a) => kernel(a, b))));
  return {
    value: mean(v10),
    standardError: Math.sqrt(variance(v10) / v10.length + variance(v01) / v01.length),
  };
};

const expectSame = (
  grouped: { readonly value: number; readonly standardError: number; readonly n: number } | null,
  ungrouped: { readonly value: number; readonly standardError: number } | null,
) => {
  expect(grouped === null).toBe(ungrouped === null);
  if (grouped === null || ungrouped === null) return;
  expect(Math.abs(grouped.value - ungrouped.value)).toBeLessThan(1e-12);
  expect(Math.abs(grouped.standardError - ungrouped.standardError)).toBeLessThan(1e-12);
};

const minimumCells = fc.integer({ min: 1, max: 6 });

describe('grouped counts give what the individual rows give', () => {
  it('for the log-loss and its standard error', () => {
    fc.assert(
      fc.property(tables, minimumCells, (table, minimumCell) => {
        const people = expand(table, minimumCell);
        const found = score(table.p, table.counts, minimumCell);
        expectSame(found, individually(people.map(({ p, y }) => logLoss(p, y))));
        if (found) expect(found.n).toBe(people.length);
      }),
    );
  });

  it('for the paired difference', () => {
    fc.assert(
      fc.property(tables, minimumCells, (table, minimumCell) => {
        expectSame(
          difference(table.p, table.q, table.counts, minimumCell),
          individually(
            expand(table, minimumCell).map(({ p, q, y }) => logLoss(p, y) - logLoss(q, y)),
          ),
        );
      }),
    );
  });

  it('for the Brier score', () => {
    fc.assert(
      fc.property(tables, (table) => {
        expectSame(
          brier(table.p, table.counts, 1),
          individually(expand(table, 1).map(({ p, y }) => (y - p) ** 2)),
        );
      }),
    );
  });

  it('for the AUC by counting pairs, and its error by the individual form of DeLong', () => {
    fc.assert(
      fc.property(tables, minimumCells, (table, minimumCell) => {
        expectSame(
          auc(table.p, table.counts, minimumCell),
          pairwise(expand(table, minimumCell), (a, b) => outranks(a.p, b.p)),
        );
      }),
    );
  });

  it('for the paired difference of two AUCs', () => {
    fc.assert(
      fc.property(tables, minimumCells, (table, minimumCell) => {
        expectSame(
          aucDifference(table.p, table.q, table.counts, minimumCell),
          pairwise(expand(table, minimumCell), (a, b) => outranks(a.p, b.p) - outranks(a.q, b.q)),
        );
      }),
    );
  });
});

describe('score', () => {
  it('is the binomial log-loss of a table worked by hand', () => {
    // 5 of 20 at p = 1/4: (5 ln 4 + 15 ln(4/3)) / 20; losses differ by ln 3, so the deviation is ln 3 √(75 / 380).
    const found = score([0.25], { people: [20], positive: [5] }, 11)!;
    expect(found).toMatchObject({ name: 'log-loss', n: 20 });
    expect(found.value).toBeCloseTo((5 * Math.log(4) + 15 * Math.log(4 / 3)) / 20, 14);
    expect(found.standardError).toBeCloseTo(Math.log(3) * Math.sqrt(75 / 380 / 20), 14);
  });

  it('leaves out cells below the minimum', () => {
    const counts = { people: [20, 10], positive: [5, 10] };
    expect(score([0.25, 0.01], counts, 11)).toEqual(score([0.25, 0.99], counts, 11));
    expect(score([0.25, 0.01], counts, 10)).not.toEqual(score([0.25, 0.99], counts, 10));
  });

  it('bounds what one wrong certainty costs', () => {
    expect(score([0], { people: [2], positive: [2] }, 1)!.value).toBeCloseTo(-Math.log(0.005), 14);
    expect(score([1], { people: [2], positive: [0] }, 1)!.value).toBeCloseTo(-Math.log(0.005), 14);
  });

  it('is nothing where nobody can be scored', () => {
    expect(score([0.5], { people: [10], positive: [5] }, 11)).toBeNull();
    expect(score([], { people: [], positive: [] }, 1)).toBeNull();
  });

  it('refuses what is not a number, and predictions that do not cover the cells', () => {
    const counts = { people: [20], positive: [5] };
    for (const metric of [score, auc, brier, calibrationError]) {
      expect(() => metric([Number.NaN], counts, 11)).toThrow(RangeError);
      expect(() => metric([1.1], counts, 11)).toThrow(RangeError);
    }
    expect(() => score([0.5], { people: [20, 20], positive: [5, 5] }, 11)).toThrow(RangeError);
  });
});

describe('difference', () => {
  it('of a set of predictions with itself is exactly nothing', () => {
    const counts = { people: [20, 30], positive: [5, 20] };
    expect(difference([0.3, 0.6], [0.3, 0.6], counts, 11)).toEqual({
      name: 'log-loss-difference',
      value: 0,
      standardError: 0,
      n: 50,
    });
  });

  it('is negative for the better predictions, and less noisy than either score', () => {
    const counts = { people: [200, 300], positive: [50, 200] };
    const better = difference([0.25, 0.66], [0.3, 0.6], counts, 11)!;
    expect(better.value).toBeLessThan(0);
    expect(better.standardError).toBeLessThan(score([0.25, 0.66], counts, 11)!.standardError);
  });
});

describe('auc', () => {
  it('is 1, 0 and a half for perfect, reversed and constant ranks', () => {
    const counts = { people: [20, 20], positive: [0, 20] };
    expect(auc([0.1, 0.9], counts, 11)).toMatchObject({ value: 1, standardError: 0, n: 40 });
    expect(auc([0.9, 0.1], counts, 11)).toMatchObject({ value: 0, standardError: 0 });
    expect(auc([0.4, 0.4], counts, 11)).toMatchObject({ value: 0.5, standardError: 0 });
  });

  it('is nothing where one outcome is missing', () => {
    expect(auc([0.1, 0.9], { people: [20, 20], positive: [0, 0] }, 11)).toBeNull();
    expect(auc([0.1, 0.9], { people: [20, 20], positive: [20, 20] }, 11)).toBeNull();
  });
});

describe('calibrationError', () => {
  it('is the mean distance of observed and predicted shares over the bins', () => {
    // |5 − 20 × 0.35| and |24 − 30 × 0.65| over 50 people.
    const counts = { people: [20, 30], positive: [5, 24] };
    const found = calibrationError([0.35, 0.65], counts, 11)!;
    expect(found.value).toBeCloseTo((2 + 4.5) / 50, 14);
    expect(found.standardError).toBeGreaterThan(0);
  });

  it('lets opposite errors in one bin cancel, and in two bins add up', () => {
    const counts = { people: [20, 20], positive: [4, 8] };
    expect(calibrationError([0.31, 0.31], counts, 11)!.value).toBeCloseTo(0.01, 14);
    expect(calibrationError([0.25, 0.35], counts, 11)!.value).toBeCloseTo(0.05, 14);
  });
});

describe('the difference over seeds', () => {
  const counts = { people: [400, 300], positive: [100, 240] };
  const pair = (predictions: readonly number[], incumbent: readonly number[]) => ({
    predictions,
    incumbent,
  });
  const one = pair([0.25, 0.8], [0.3, 0.7]);
  const other = pair([0.28, 0.75], [0.31, 0.72]);
  const of = (...pairs: readonly ReturnType<typeof pair>[]) =>
    differenceOverSeeds(pairs, counts, 11);

  it('is the mean of those of each seed', () => {
    const each = [one, other].map(
      ({ predictions, incumbent }) => difference(predictions, incumbent, counts, 11)?.value ?? NaN,
    );
    expect(of(one, other)?.value).toBeCloseTo(((each[0] ?? 0) + (each[1] ?? 0)) / 2, 12);
    expect(of(one)).toMatchObject({ value: expect.closeTo(each[0] ?? 0, 12) as number, n: 700 });
    expect(of(one, one)).toEqual(of(one));
  });

  it("has the sample's own standard error, or a greater one", () => {
    const inner = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    const cell = fc.record({
      people: fc.integer({ min: 11, max: 300 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      p: inner,
      q: inner,
    });
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 20 }), (cells) => {
        const some = {
          people: cells.map(({ people }) => people),
          positive: cells.map(({ people, share }) => Math.round(share * people)),
        };
        const [p, q] = [cells.map((each) => each.p), cells.map((each) => each.q)];
        const own = difference(p, q, some, 11)?.standardError ?? NaN;
        const allowed = differenceOverSeeds([pair(p, q)], some, 11)?.standardError ?? NaN;
        expect(allowed).toBeGreaterThanOrEqual(own * (1 - 1e-9));
      }),
    );
  });

  it('is not sure of a bet on one cell where everybody happened to have the outcome', () => {
    // 20 of 20 without the outcome, which a share of 0.1 does in one case of eight.
    const lucky = { people: [20, 1000], positive: [0, 500] };
    const bet = pair([0.05, 0.5], [0.17, 0.5]);
    const own = difference(bet.predictions, bet.incumbent, lucky, 11);
    const allowed = differenceOverSeeds([bet], lucky, 11);
    const z = (estimate: typeof own) => -(estimate?.value ?? 0) / (estimate?.standardError ?? 1);
    expect(z(own)).toBeGreaterThan(4);
    expect(z(allowed)).toBeLessThan(2);
  });

  it('is null where nobody can be scored, and refuses no pair', () => {
    expect(differenceOverSeeds([one], { people: [3, 4], positive: [1, 1] }, 11)).toBeNull();
    expect(() => differenceOverSeeds([], counts, 11)).toThrow('no seed');
  });
});
