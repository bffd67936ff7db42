import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPLITS, type DataPolicy, type DisclosurePolicy } from '#libs/harness';
import { ok } from '#libs/kernel';
import { preLoopChecks } from '../checks.ts';
import type { SplitCounts, VaultCounts } from '../counts.ts';
import { release } from '../release.ts';
import { aggregate } from '../requests.ts';
import { clinicGates, clinicPolicy, noBounds } from '../testing/fixtures.ts';
import { controlDisclosure, recallControl, type Bounds, type Controlled } from './control.ts';

interface Cell {
  readonly people: number;
  readonly positive: number;
}

const AUTO: DisclosurePolicy = {
  emptyCells: 'hidden',
  minimumOutcome: 0,
  totals: 'auto',
  tables: 'one',
};

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

const splitOf = (cells: readonly Cell[]): SplitCounts => ({
  people: sum(cells.map(({ people }) => people)),
  positive: sum(cells.map(({ positive }) => positive)),
  cells: {
    people: cells.map(({ people }) => people),
    positive: cells.map(({ positive }) => positive),
  },
  protected: [],
});

const countsOf = (train: readonly Cell[]): VaultCounts => {
  const other = splitOf(train.map(() => ({ people: 40, positive: 20 })));
  return { train: splitOf(train), dev: other, check: other, sealed: other };
};

/** A policy with one dimension of so many labels. */
const policyOf = (cells: number, minimumCell: number, disclosure: DisclosurePolicy | null) =>
  ({
    ...clinicPolicy,
    dimensions: [
      {
        name: 'ward',
        column: 'ward',
        kind: 'groups',
        labels: Array.from({ length: cells }, (_, i) => `ward ${i}`),
        values: Array.from({ length: cells }, (_, i) => [String(i)]),
      },
    ],
    minimumCell,
    disclosure,
  }) satisfies DataPolicy;

/** All that the log is told, as it is written. */
const told = (controlled: Controlled, policy: DataPolicy, bounds: Bounds) => {
  const { table, report } = release(policy, controlled);
  const checks = preLoopChecks(ok({ ...controlled, columns: [] }), {
    data: policy,
    charts: [],
    gates: { ...clinicGates, preLoop: bounds },
  });
  const found = new Map(checks.map((check) => [check.rule, check]));
  return { table: new TextDecoder().decode(table), report, found };
};

/**
 * Somebody who reads all that: he knows the rules, which cells are empty and which of the hidden ones are below the
 * minimum. He writes down every table that agrees with what he read.
 */
const tablesThatAgree = (
  hidden: readonly (Cell & { readonly small: boolean })[],
  { table: csv, report, found }: ReturnType<typeof told>,
  minimumCell: number,
  bounds: Bounds,
  greatest: number,
): readonly (readonly Cell[])[] => {
  let tables: (readonly Cell[])[] = [[]];
  for (const { small } of hidden) {
    const [least, most] = small ? [1, minimumCell - 1] : [minimumCell, greatest];
    const choices = Array.from({ length: most - least + 1 }, (_, i) => least + i).flatMap(
      (people) => Array.from({ length: people + 1 }, (_, positive) => ({ people, positive })),
    );
    tables = tables.flatMap((table) => choices.map((cell) => [...table, cell]));
  }
  const train = /train ([\d,]+) of ([\d,]+)/.exec(found.get('split-outcomes')!.found);
  const whole = (text: string) => Number(text.replaceAll(',', ''));
  const lines = csv.trimEnd().split('\n').slice(1);
  const releasedPositive = sum(lines.map((line) => Number(line.split(',')[3])));
  return tables.filter((table) => {
    const people = sum(table.map((cell) => cell.people));
    const all = report.released.people + people;
    if (report.suppressed !== null && report.suppressed.people !== people) return false;
    if (report.people !== null && report.people.train !== all) return false;
    if (train !== null) {
      if (whole(train[2]!) !== all) return false;
      const positive = sum(table.map((cell) => cell.positive));
      if (whole(train[1]!) !== releasedPositive + positive) return false;
    }
    const within = (100 * people) / Math.max(1, all) <= bounds.maximumSuppression;
    if (within !== found.get('suppression')!.passed) return false;
    // The other splits have rows enough and both outcomes.
    if (all >= bounds.minimumRows !== found.get('split-rows')!.passed) return false;
    return true;
  });
};

const cellsOf = (most: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: most }), fc.nat())
    .map(([people, drawn]): Cell => ({ people, positive: drawn % (people + 1) }));

const small = fc.record({
  minimumCell: fc.integer({ min: 3, max: 5 }),
  cells: fc.array(cellsOf(4), { minLength: 1, maxLength: 4 }),
  large: fc.array(
    fc.tuple(fc.integer({ min: 5, max: 9 }), fc.nat()).map(([people, drawn]) => ({
      people,
      positive: drawn % (people + 1),
    })),
    { minLength: 1, maxLength: 3 },
  ),
  minimumOutcome: fc.constantFrom(0, 0, 1),
  totals: fc.constantFrom<DisclosurePolicy['totals']>('auto', 'told'),
  bounds: fc.record({
    minimumRows: fc.integer({ min: 0, max: 30 }),
    minimumGroup: fc.constant(0),
    maximumSuppression: fc.constantFrom(10, 40, 100),
  }),
});

const valuesOf = (tables: readonly (readonly Cell[])[], cell: number, of: (cell: Cell) => number) =>
  [...new Set(tables.map((table) => of(table[cell]!)))].sort((a, b) => a - b);

describe('what is told of the train rows', () => {
  it('leaves every count of a small cell possible, and no outcome of a hidden one sure', async () => {
    const outcomes = { told: 0, withheld: 0, complementary: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(small, async ({ minimumCell, cells, large, bounds, ...rest }) => {
        const minimumOutcome = Math.min(rest.minimumOutcome, Math.floor(minimumCell / 2));
        const disclosure = { ...AUTO, totals: rest.totals, minimumOutcome };
        const train = [...cells, ...large];
        const policy = policyOf(train.length, minimumCell, disclosure);
        const loaded = { counts: countsOf(train), contributions: [] };
        const controlled = await controlDisclosure(loaded, policy, bounds);
        const { control } = controlled;
        if (control.audit.outcome === 'failed') {
          outcomes.failed += 1;
          const { found } = told(controlled, policy, bounds);
          expect(found.get('disclosure')!.passed).toBe(false);
          return;
        }
        outcomes[control.totals] += 1;
        if (control.complementary > 0) outcomes.complementary += 1;

        const shown = new Set(control.base.map(({ cell }) => cell));
        const hidden = train
          .map((cell, id) => ({ ...cell, id, small: cell.people < minimumCell }))
          .filter(({ people, id }) => people > 0 && !shown.has(id));
        // The enumeration of several large cells is long.
        fc.pre(hidden.length < 5 && hidden.filter((cell) => !cell.small).length < 3);
        const greatest = control.totals === 'told' ? control.hidden.people : 10;
        const tables = tablesThatAgree(
          hidden,
          told(controlled, policy, bounds),
          minimumCell,
          bounds,
          greatest,
        );
        hidden.forEach(({ id, small: isSmall, people, positive }, at) => {
          expect(tables.some((table) => table[at]!.people === people)).toBe(true);
          const rule =
            isSmall ||
            (people >= minimumCell && Math.min(positive, people - positive) < minimumOutcome);
          if (isSmall)
            expect([id, valuesOf(tables, at, (cell) => cell.people)]).toEqual([
              id,
              Array.from({ length: minimumCell - 1 }, (_, i) => i + 1),
            ]);
          if (!rule) return;
          expect(valuesOf(tables, at, (cell) => cell.positive).length).toBeGreaterThan(1);
          expect(
            valuesOf(tables, at, (cell) => cell.people - cell.positive).length,
          ).toBeGreaterThan(1);
        });
      }),
      { numRuns: 150 },
    );
    // Each way out was taken, or this would say little.
    for (const taken of Object.values(outcomes)) expect(taken).toBeGreaterThan(0);
  }, 120_000);

  it('was a leak in version 1, which this reader finds', async () => {
    const train = [
      { people: 2, positive: 1 },
      { people: 0, positive: 0 },
      { people: 20, positive: 7 },
    ];
    const policy = policyOf(3, 5, null);
    const controlled = await controlDisclosure(
      { counts: countsOf(train), contributions: [] },
      policy,
      noBounds,
    );
    const tables = tablesThatAgree(
      [{ ...train[0]!, small: true }],
      told(controlled, policy, noBounds),
      5,
      noBounds,
      22,
    );
    expect(tables).toEqual([[train[0]]]);
  });

  it('is no less than it may be: many hidden cells, and all totals', async () => {
    const train = [
      ...Array.from({ length: 8 }, (_, i) => ({ people: 1 + i, positive: i % 3 })),
      { people: 100, positive: 30 },
    ];
    const policy = policyOf(train.length, 11, AUTO);
    const { control } = await controlDisclosure(
      { counts: countsOf(train), contributions: [] },
      policy,
      noBounds,
    );
    expect(control).toMatchObject({
      totals: 'told',
      complementary: 0,
      hidden: { cells: 8, people: 36 },
      audit: { outcome: 'passed', kinds: 1 },
    });
  });

  it('hides the smallest cell that does, where the study wants the totals told', async () => {
    const train = [3, 11, 18, 19, 40].map((people) => ({ people, positive: 3 }));
    const policy = policyOf(train.length, 11, { ...AUTO, totals: 'told' });
    const { control } = await controlDisclosure(
      { counts: countsOf(train), contributions: [] },
      policy,
      noBounds,
    );
    // 3 and 11 make 14: at most 3 for the small one, as the other has 11 or more. 3 and 18 leave it 1 to 10.
    expect(control.base.map(({ people }) => people)).toEqual([11, 19, 40]);
    expect(control).toMatchObject({ totals: 'told', complementary: 1, audit: { kinds: 2 } });
  });

  it('is nothing, and the gate says so, where no cell is left to hide', async () => {
    const train = [4, 13].map((people) => ({ people, positive: 1 }));
    const policy = policyOf(2, 11, { ...AUTO, totals: 'told' });
    const controlled = await controlDisclosure(
      { counts: countsOf(train), contributions: [] },
      policy,
      noBounds,
    );
    expect(controlled.control.totals).toBe('withheld');
    const { found, report } = told(controlled, policy, noBounds);
    expect(found.get('disclosure')).toMatchObject({ passed: false });
    expect(JSON.stringify([...found.values(), report])).not.toMatch(/\b17\b/);
  });
});

describe('the rules', () => {
  it('hide cells of too few people with an outcome only where the policy says so', async () => {
    const train = [
      ...[0, 1, 20].map((positive) => ({ people: 20, positive })),
      ...[5, 5, 5].map((people) => ({ people, positive: 2 })),
      { people: 30, positive: 10 },
    ];
    const shownBy = async (minimumOutcome: number) => {
      const policy = policyOf(train.length, 11, { ...AUTO, minimumOutcome });
      const loaded = { counts: countsOf(train), contributions: [] };
      const { control, ...counted } = await controlDisclosure(loaded, policy, noBounds);
      return {
        cells: control.base.map(({ cell }) => cell),
        complementary: release(policy, { control, ...counted }).report.audit?.complementary,
      };
    };
    expect(await shownBy(0)).toEqual({ cells: [0, 1, 2, 6], complementary: 0 });
    // How many are hidden beyond the rules would say how many the outcome hides.
    expect(await shownBy(1)).toEqual({ cells: [1, 6], complementary: null });
    expect(await shownBy(2)).toEqual({ cells: [6], complementary: null });
  });

  it('hide cells that few people dominate', async () => {
    const train = Array.from({ length: 5 }, () => ({ people: 20, positive: 8 }));
    const policy = {
      ...policyOf(train.length, 11, AUTO),
      magnitudes: [{ name: 'pay', column: 'pay', decimals: 0, dominance: null, priorPercent: 15 }],
    };
    const safe = { sum: 1000n, largest: [200n, 150n] };
    const loaded = {
      counts: countsOf(train),
      contributions: [[safe, { sum: 1000n, largest: [900n, 90n] }, safe, safe, safe]],
    };
    const controlled = await controlDisclosure(loaded, policy, noBounds);
    expect(controlled.control.base.map(({ cell }) => cell)).toEqual([0, 2, 3, 4]);
    const { table } = release(policy, controlled);
    expect(new TextDecoder().decode(table)).toBe(
      'cell,ward,n,positive,sum_pay\n0,ward 0,20,8,1000\n2,ward 2,20,8,1000\n3,ward 3,20,8,1000\n4,ward 4,20,8,1000\n',
    );
  });

  it('show empty cells as such only where the policy says so', async () => {
    const train = [20, 0, 30, 0].map((people) => ({ people, positive: people / 2 }));
    const shownBy = async (emptyCells: DisclosurePolicy['emptyCells']) => {
      const policy = policyOf(4, 11, { ...AUTO, emptyCells });
      const loaded = { counts: countsOf(train), contributions: [] };
      const controlled = await controlDisclosure(loaded, policy, noBounds);
      const { report } = release(policy, controlled);
      return [controlled.control.base.map(({ people }) => people), report.released];
    };
    const released = { cells: 2, people: 50 };
    expect(await shownBy('hidden')).toEqual([[20, 30], released]);
    expect(await shownBy('shown')).toEqual([[20, 0, 30, 0], released]);
  });
});

describe('coarsening', () => {
  const steps = [
    { dimension: 'age', merge: ['40 to 64', '65 or more'], into: '40 or more' },
    { dimension: 'ward', merge: ['surgery', 'others, small'], into: 'all' },
    { dimension: 'age', merge: ['under 40', '40 or more'], into: 'any' },
  ];
  // By age and ward: 30, 20 | 30, 9 | 30, 8.
  const train = [30, 20, 30, 9, 30, 8].map((people) => ({
    people,
    positive: Math.ceil(people / 3),
  }));
  const loaded = { counts: countsOf(train), contributions: [] };
  const policy = { ...clinicPolicy, coarsen: steps };
  const bounded = (maximumSuppression: number) => ({ ...noBounds, maximumSuppression });

  it('takes as few steps as bring suppression within the bound', async () => {
    const at = async (bound: number) => {
      const { control } = await controlDisclosure(loaded, policy, bounded(bound));
      return [control.coarsened, control.dimensions.map(({ labels }) => labels.length)];
    };
    expect(await at(20)).toEqual([0, [3, 2]]);
    expect(await at(10)).toEqual([1, [2, 2]]);
    const few = { ...policy, minimumCell: 40 };
    const { control } = await controlDisclosure(loaded, few, bounded(0));
    expect([control.coarsened, control.dimensions]).toEqual([
      2,
      [
        { name: 'age', labels: ['under 40', '40 or more'] },
        { name: 'ward', labels: ['all'] },
      ],
    ]);
    const none = await controlDisclosure(loaded, { ...policy, minimumCell: 500 }, bounded(0));
    expect(none.control.coarsened).toBe(3);
  });

  it('loses nobody, in any split, and numbers every cell by its labels', async () => {
    const { control, counts } = await controlDisclosure(loaded, policy, bounded(10));
    expect(Array.from(counts.train.cells.people)).toEqual([30, 20, 60, 17]);
    for (const split of SPLITS) {
      expect(sum(Array.from(counts[split].cells.people))).toBe(loaded.counts[split].people);
      expect(sum(Array.from(counts[split].cells.positive))).toBe(loaded.counts[split].positive);
    }
    const { cells } = release(policy, { control, counts, contributions: [] });
    expect(new TextDecoder().decode(cells).split('\n')).toEqual([
      'cell,age,ward',
      '0,under 40,surgery',
      '1,under 40,"others, small"',
      '2,40 or more,surgery',
      '3,40 or more,"others, small"',
      '',
    ]);
  });

  it('adds up sums and keeps the largest numbers', async () => {
    const magnitudes = [
      { name: 'pay', column: 'pay', decimals: 1, dominance: null, priorPercent: 10 },
    ];
    const contributions = [
      train.map((_, i) => ({
        sum: BigInt(100 * (i + 1)),
        largest: [BigInt(20 + i), BigInt(10 + i)],
      })),
    ];
    const coarse = await controlDisclosure(
      { ...loaded, contributions },
      { ...policy, magnitudes },
      bounded(10),
    );
    expect(coarse.contributions[0]![2]).toEqual({ sum: 800n, largest: [24n, 22n] });
  });
});

describe('a release that is recalled', () => {
  it('is the same, whatever was decided then', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(cellsOf(30), { minLength: 6, maxLength: 6 }),
        fc.constantFrom<DisclosurePolicy>(AUTO, { ...AUTO, totals: 'told', emptyCells: 'shown' }),
        async (train, disclosure) => {
          const policy = { ...clinicPolicy, disclosure };
          const loaded = { counts: countsOf(train), contributions: [] };
          const then = await controlDisclosure(loaded, policy, noBounds);
          const cells = then.control.base.map(({ cell }) => cell);
          const now = recallControl(loaded, policy, { coarsened: 0, cells });
          expect(release(policy, now).table).toEqual(release(policy, then).table);
          expect(now.control.base).toEqual(then.control.base);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('later requests', () => {
  it('say no more than the base table: what is hidden and empty makes no difference to any of them', async () => {
    const asked = fc.subarray(['age', 'ward']);
    await fc.assert(
      fc.asyncProperty(
        fc.array(cellsOf(30), { minLength: 6, maxLength: 6 }),
        fc.array(cellsOf(10), { minLength: 6, maxLength: 6 }),
        fc.array(asked, { minLength: 1, maxLength: 6 }),
        async (train, others, requests) => {
          const controlOf = async (cells: readonly Cell[]) =>
            (
              await controlDisclosure(
                { counts: countsOf(cells), contributions: [] },
                clinicPolicy,
                noBounds,
              )
            ).control;
          // The same released cells, other people in all the others.
          const first = await controlOf(train);
          const shown = new Set(first.base.map(({ cell }) => cell));
          const second = await controlOf(
            train.map((cell, id) => (shown.has(id) ? cell : others[id]!)),
          );
          expect(second.base).toEqual(first.base);
          for (const dimensions of requests)
            expect(aggregate(clinicPolicy, second.base, dimensions)).toEqual(
              aggregate(clinicPolicy, first.base, dimensions),
            );
        },
      ),
      { numRuns: 40 },
    );
  });
});
