import { valueOf, type Programme, type Solve, type Terms } from './solver.ts';

/** Hidden cells of which an intruder knows the same: they are alike to him, and so is what he can work out of each. */
export interface HiddenGroup {
  readonly cells: number;
  /** What he knows of the people in each, without any total. */
  readonly least: number;
  readonly most: number;
  /** The facts, by index, that each of the cells is counted in. */
  readonly in: readonly number[];
}

/** Something that was said of a sum over hidden cells. Bounds are inclusive; infinite where nothing was said. */
export interface Fact {
  readonly of: 'people' | 'positive' | 'negative';
  readonly lower: number;
  readonly upper: number;
}

export interface Interval {
  readonly least: number;
  readonly greatest: number;
}

/** What the people, the positive and the negative outcomes of one hidden cell can be, for all that was said. */
export type Feasible = Readonly<Record<Fact['of'], Interval>>;

/** More groups than any release of totals makes; an audit of more is given up rather than waited for. */
export const MAXIMUM_GROUPS = 400;

/**
 * The intruder's problem (Fischetti and Salazar 2001; Hundepool et al. 2012, ch. 4.5): the feasible interval of each
 * quantity of one cell of each group, over all tables in whole numbers that agree with every fact. Least and greatest
 * are attained: for each there is such a table. Null where a programme was not solved.
 *
 * A group's other cells are one sum. Nothing is lost by that: each cell's possible counts are the whole points of a
 * polytope with a totally unimodular matrix, and whatever whole point lies in its multiple is a sum of as many whole
 * points of it (Baum and Trotter 1978).
 */
export const feasible = (
  groups: readonly HiddenGroup[],
  facts: readonly Fact[],
  solve: Solve,
): readonly Feasible[] | null => {
  if (groups.length > MAXIMUM_GROUPS) return null;
  const found: Feasible[] = [];
  for (const index of groups.keys()) {
    const programme = intruderProgramme(groups, facts, index);
    const interval = (objective: Terms): Interval | null => {
      const least = solve(programme, objective, 'least');
      if (least === null) return null;
      const greatest = solve(programme, objective, 'greatest');
      return (
        greatest && {
          least: valueOf(objective, least),
          greatest: valueOf(objective, greatest),
        }
      );
    };
    const people = interval(TERMS.people(0));
    const positive = people && interval(TERMS.positive(0));
    const negative = positive && interval(TERMS.negative(0));
    if (negative === null) return null;
    found.push({ people: people!, positive: positive!, negative });
  }
  return found;
};

/** Variable 2i is the people and 2i + 1 the positive outcomes of the i-th unknown. */
const TERMS: Readonly<Record<Fact['of'], (unknown: number) => Terms>> = {
  people: (i) => [[2 * i, 1]],
  positive: (i) => [[2 * i + 1, 1]],
  negative: (i) => [
    [2 * i, 1],
    [2 * i + 1, -1],
  ],
};

/** Unknown 0 is a cell of the group that is looked at; the others are what is left of each group. */
const intruderProgramme = (
  groups: readonly HiddenGroup[],
  facts: readonly Fact[],
  looked: number,
): Programme => {
  const unknowns = [
    { ...groups[looked]!, cells: 1 },
    ...groups
      .map((group, i) => (i === looked ? { ...group, cells: group.cells - 1 } : group))
      .filter(({ cells }) => cells > 0),
  ];
  return {
    variables: unknowns.flatMap(({ cells, least, most }) => [
      { least: cells * least, most: cells * most },
      { least: 0, most: cells * most },
    ]),
    rows: [
      ...unknowns.map((_, i) => ({ terms: TERMS.negative(i), lower: 0, upper: Infinity })),
      ...facts.map(({ of, lower, upper }, fact) => ({
        terms: unknowns.flatMap((group, i) => (group.in.includes(fact) ? TERMS[of](i) : [])),
        lower,
        upper,
      })),
    ].filter(({ terms }) => terms.length > 0),
  };
};
