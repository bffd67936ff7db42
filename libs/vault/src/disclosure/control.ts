import {
  cellCount,
  coarsened,
  type CohortDimension,
  type DataPolicy,
  type DisclosurePolicy,
  type HarnessPolicy,
} from '#libs/harness';
import type { VaultCounts } from '../counts.ts';
import type { BaseCell } from '../requests.ts';
import { feasible, type Fact, type HiddenGroup } from './audit.ts';
import { coarseCells, coarseContributions, coarseCounts } from './coarsen.ts';
import { isDominated, kept, type Contribution } from './dominance.ts';
import { loadSolver, type Solve } from './solver.ts';

/** Grouped counts, and for each magnitude its contributions to the train cells. */
export interface Loaded {
  readonly counts: VaultCounts;
  /** By magnitude in the policy's order, then by cell. */
  readonly contributions: readonly (readonly Contribution[])[];
}

export interface Tally {
  readonly cells: number;
  readonly people: number;
}

/** What may leave the vault of the train rows, decided once. The harness's own: it knows what is hidden. */
export interface DisclosureControl {
  /** What cells are numbered by: the policy's dimensions after as many of its coarsening steps as were needed. */
  readonly dimensions: readonly CohortDimension[];
  readonly coarsened: number;
  /** The base table: released cells by id, and those of nobody where the policy shows them. */
  readonly base: readonly BaseCell[];
  /** Cells that hold somebody and are not in the table, for whatever reason. */
  readonly hidden: Tally;
  /** Cells among them that break no rule of their own. */
  readonly complementary: number;
  /** Whether the train rows' totals may be said; only then can hidden cells be reckoned from anything. */
  readonly totals: 'told' | 'withheld';
  readonly audit: Audit;
}

/**
 * `none`: version 1, not audited. `passed`: nothing that is released tells of a hidden cell more than that it is one.
 * `failed`: it would, or it was not found out; then nothing is released.
 */
export type Audit =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'passed'; readonly kinds: number }
  | { readonly outcome: 'failed'; readonly found: string };

export type Rules = Pick<
  DataPolicy,
  'dimensions' | 'coarsen' | 'magnitudes' | 'minimumCell' | 'disclosure'
>;
export type Bounds = HarnessPolicy['gates']['preLoop'];

export interface Controlled extends Loaded {
  readonly control: DisclosureControl;
}

/**
 * Coarsens as little as brings suppression within the gate's bound, hides what the rules hide, and audits exactly what
 * would be said. Pure but for the solver: the same data, policy and key give the same release.
 */
export const controlDisclosure = async (
  loaded: Loaded,
  rules: Rules,
  bounds: Bounds,
): Promise<Controlled> => {
  for (let steps = 0; ; steps += 1) {
    const level = coarseLevel(loaded, rules, steps);
    const cells = occupied(level, rules);
    const within = (people: number) =>
      isWithin(people, level.counts.train.people, bounds.maximumSuppression);
    const last = steps === rules.coarsen.length;
    if (!last && !within(sums(cells.filter(({ hiddenBy }) => hiddenBy !== null)).people)) continue;
    const control = await controlLevel(level, cells, rules, bounds, steps);
    if (last || (within(control.hidden.people) && control.audit.outcome !== 'failed'))
      return { ...level, control };
  }
};

/** The control of a release that left the vault already: its cells are those, whatever the rules would say today. */
export const recallControl = (
  loaded: Loaded,
  rules: Rules,
  { coarsened: steps, cells }: { readonly coarsened: number; readonly cells: readonly number[] },
): Controlled => {
  const level = coarseLevel(loaded, rules, steps);
  const { people, positive } = level.counts.train.cells;
  const shown = new Set(cells);
  const hidden = Array.from(people).filter((n, cell) => n > 0 && !shown.has(cell));
  return {
    ...level,
    control: {
      dimensions: level.dimensions,
      coarsened: steps,
      base: cells.map((cell) => ({ cell, people: people[cell]!, positive: positive[cell]! })),
      hidden: tally(hidden),
      complementary: 0,
      totals: 'withheld',
      audit: { outcome: 'none' },
    },
  };
};

interface Level extends Loaded {
  readonly dimensions: readonly CohortDimension[];
}

const coarseLevel = (
  { counts, contributions }: Loaded,
  { dimensions, coarsen, magnitudes }: Rules,
  steps: number,
): Level => {
  const taken = coarsen.slice(0, steps);
  const after = coarsened(dimensions, taken);
  if (taken.length === 0) return { counts, contributions, dimensions: after };
  const to = coarseCells(dimensions, taken);
  const cells = cellCount(after);
  return {
    dimensions: after,
    counts: coarseCounts(counts, to, cells),
    contributions: contributions.map((of, i) =>
      coarseContributions(of, to, cells, kept(magnitudes[i]!)),
    ),
  };
};

/** Per cent of the train rows, as the gate's bound is. */
export const share = (people: number, all: number): number => (100 * people) / Math.max(1, all);
const isWithin = (people: number, all: number, bound: number) => share(people, all) <= bound;

const tally = (people: readonly number[]): Tally => ({
  cells: people.length,
  people: people.reduce((a, b) => a + b, 0),
});

/** A train cell that holds somebody. */
interface Occupied extends BaseCell {
  /** Which rule hides it; null: none does. */
  readonly hiddenBy: 'minimum' | 'outcome' | 'dominance' | null;
}

const occupied = (
  { counts, contributions }: Level,
  { minimumCell, magnitudes, disclosure }: Rules,
): readonly Occupied[] => {
  const minimumOutcome = disclosure?.minimumOutcome ?? 0;
  const { people, positive } = counts.train.cells;
  const cells: Occupied[] = [];
  for (let cell = 0; cell < people.length; cell += 1) {
    const [n, p] = [people[cell]!, positive[cell]!];
    if (n === 0) continue;
    const hiddenBy =
      n < minimumCell
        ? 'minimum'
        : Math.min(p, n - p) < minimumOutcome
          ? 'outcome'
          : magnitudes.some((magnitude, i) => isDominated(contributions[i]![cell]!, magnitude))
            ? 'dominance'
            : null;
    cells.push({ cell, people: n, positive: p, hiddenBy });
  }
  return cells;
};

const controlLevel = async (
  level: Level,
  cells: readonly Occupied[],
  rules: Rules,
  bounds: Bounds,
  steps: number,
): Promise<DisclosureControl> => {
  const { disclosure } = rules;
  const decided: Decided =
    disclosure === null
      ? { extra: [], totals: 'told', audit: { outcome: 'none' } }
      : await decide(cells, { ...rules, disclosure }, bounds);
  const extra = new Set(decided.extra);
  const isHidden = ({ cell, hiddenBy }: Occupied) => hiddenBy !== null || extra.has(cell);
  const shown = cells
    .filter((cell) => !isHidden(cell))
    .map(({ cell, people, positive }) => ({ cell, people, positive }));
  const { people } = level.counts.train.cells;
  const empty = Array.from(people, (n, cell) => ({ n, cell }))
    .filter(({ n }) => n === 0)
    .map(({ cell }) => ({ cell, people: 0, positive: 0 }));
  return {
    dimensions: level.dimensions,
    coarsened: steps,
    base:
      disclosure?.emptyCells === 'shown'
        ? [...shown, ...empty].sort((a, b) => a.cell - b.cell)
        : shown,
    hidden: tally(cells.filter(isHidden).map(({ people }) => people)),
    complementary: extra.size,
    totals: decided.totals,
    audit: decided.audit,
  };
};

interface Decided {
  /** Cells that are hidden though no rule hides them. */
  readonly extra: readonly number[];
  readonly totals: DisclosureControl['totals'];
  readonly audit: Audit;
}

type AuditedRules = Rules & { readonly disclosure: DisclosurePolicy };

/**
 * What of the totals can be told, and what more has to be hidden. Withholding totals takes no cohort from anybody, so
 * it comes before hiding further cells, unless the study wants them told.
 */
const decide = async (
  cells: readonly Occupied[],
  rules: AuditedRules,
  bounds: Bounds,
): Promise<Decided> => {
  if (cells.every(({ hiddenBy }) => hiddenBy === null))
    return { extra: [], totals: 'told', audit: { outcome: 'passed', kinds: 0 } };
  const solve = await loadSolver();
  const attempt = (extra: readonly number[], totals: DisclosureControl['totals']): Decided => ({
    extra,
    totals,
    audit: audit(cells, new Set(extra), totals, rules, bounds, solve),
  });
  const stands = ({ audit: { outcome } }: Decided) => outcome === 'passed';
  const told = attempt([], 'told');
  if (stands(told)) return told;
  if (rules.disclosure.totals === 'auto') {
    const withheld = attempt([], 'withheld');
    if (stands(withheld)) return withheld;
  }
  const more = complemented(cells, (extra) => attempt(extra, 'told'), stands);
  // The gate's refusal is written down too, and may not say what the audit found too much.
  return more ?? { ...told, totals: 'withheld' };
};

/** Single cells that are tried before several. */
const TRIED = 200;

/**
 * Hides further cells until the audit passes, the fewest people first: the smallest cell that does alone; else as many
 * of the smallest as are needed, less each that turns out not to be.
 */
const complemented = (
  cells: readonly Occupied[],
  attempt: (extra: readonly number[]) => Decided,
  stands: (decided: Decided) => boolean,
): Decided | null => {
  const candidates = cells
    .filter(({ hiddenBy }) => hiddenBy === null)
    .sort((a, b) => a.people - b.people || a.cell - b.cell)
    .map(({ cell }) => cell);
  for (const cell of candidates.slice(0, TRIED)) {
    const alone = attempt([cell]);
    if (stands(alone)) return alone;
  }
  for (let many = 2; many <= Math.min(TRIED, candidates.length); many += 1) {
    let best = attempt(candidates.slice(0, many));
    if (!stands(best)) continue;
    for (const cell of candidates.slice(0, many)) {
      const fewer = attempt(best.extra.filter((one) => one !== cell));
      if (stands(fewer)) best = fewer;
    }
    return best;
  }
  return null;
};

/**
 * Sets the strongest intruder on what would be said: he knows which cells are empty, which hidden ones are below the
 * minimum and which are not, and all that is told. Weaker ones can work out less.
 *
 * Of a cell below the minimum every count from 1 to the minimum less one must stay possible, so that what is told says
 * no more of it than that it is hidden; of every cell that a rule hides, neither the positive nor the negative outcomes
 * may follow; and the hidden people together, whom a subtraction gives, must be as many as in a cell that is released.
 */
const audit = (
  cells: readonly Occupied[],
  extra: ReadonlySet<number>,
  totals: DisclosureControl['totals'],
  rules: AuditedRules,
  bounds: Bounds,
  solve: Solve,
): Audit => {
  const hidden = cells.filter(({ cell, hiddenBy }) => hiddenBy !== null || extra.has(cell));
  const shown = cells.filter(({ cell, hiddenBy }) => hiddenBy === null && !extra.has(cell));
  const facts = said(sums(hidden), sums(shown), hidden.length, totals, bounds);
  const most = sums(cells).people;
  const groups = [
    {
      needs: true,
      of: hidden.filter(({ hiddenBy }) => hiddenBy === 'minimum'),
      least: 1,
      most: rules.minimumCell - 1,
    },
    {
      needs: hidden.some(({ hiddenBy }) => hiddenBy === 'outcome'),
      of: hidden.filter(({ hiddenBy }) => hiddenBy !== 'minimum'),
      least: rules.minimumCell,
      most,
    },
  ]
    .filter(({ of }) => of.length > 0)
    .map(({ of, ...group }) => ({ ...group, cells: of.length, in: [...facts.keys()] }));
  const failed = (found: string): Audit => ({ outcome: 'failed', found });

  if (totals === 'told') {
    const { people, positive, negative } = sums(hidden);
    if (
      people < rules.minimumCell ||
      Math.min(positive, negative) < rules.disclosure.minimumOutcome
    )
      return failed('the hidden people together are fewer than may be released');
  }
  const intervals = feasible(groups satisfies readonly HiddenGroup[], facts, solve);
  if (intervals === null) return failed('the audit was not done in time');
  for (const [i, { people, positive, negative }] of intervals.entries()) {
    const { needs, least, most: greatest } = groups[i]!;
    if (least === 1 && (people.least > least || people.greatest < greatest))
      return failed('the totals narrow down the people in a hidden cell');
    if (needs && [positive, negative].some((of) => of.least === of.greatest))
      return failed('the totals tell the outcomes in a hidden cell');
  }
  return { outcome: 'passed', kinds: groups.length };
};

interface Sums {
  readonly people: number;
  readonly positive: number;
  readonly negative: number;
}

const sums = (cells: readonly BaseCell[]): Sums => {
  const people = cells.reduce((sum, cell) => sum + cell.people, 0);
  const positive = cells.reduce((sum, cell) => sum + cell.positive, 0);
  return { people, positive, negative: people - positive };
};

/**
 * All that anybody is told of the hidden cells together, whoever it is: of the released cells he has the table. Told:
 * people and positive outcomes of the train rows, by subtraction exact. Withheld: which side of its bounds the pre-loop
 * gate found them on, the least rows, the suppressed share and both outcomes.
 */
const said = (
  hidden: Sums,
  shown: Sums,
  cells: number,
  totals: DisclosureControl['totals'],
  { minimumRows, maximumSuppression }: Bounds,
): readonly Fact[] => {
  if (totals === 'told')
    return [
      { of: 'people', lower: hidden.people, upper: hidden.people },
      { of: 'positive', lower: hidden.positive, upper: hidden.positive },
    ];
  /** From here on the gate finds the hidden people otherwise than below. */
  const turn = (of: Fact['of'], first: number): Fact =>
    hidden[of] >= first
      ? { of, lower: first, upper: Infinity }
      : { of, lower: -Infinity, upper: first - 1 };
  return [
    { of: 'people', lower: cells, upper: Infinity },
    turn('people', minimumRows - shown.people),
    turn('people', firstBeyond(shown.people, maximumSuppression)),
    turn('positive', 1 - shown.positive),
    turn('negative', 1 - shown.negative),
  ];
};

/** The fewest hidden people whose share the gate finds too great; Infinity: however many, it doesn't. */
const firstBeyond = (shown: number, bound: number): number => {
  if (bound >= 100) return Infinity;
  let first = Math.max(0, Math.floor((bound * shown) / (100 - bound)) - 2);
  while (isWithin(first, shown + first, bound)) first += 1;
  return first;
};
