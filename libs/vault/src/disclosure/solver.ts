import type { Highs } from 'highs';

/** Whole-number variables between bounds, and rows of them between bounds; the index names the variable. */
export interface Programme {
  readonly variables: readonly { readonly least: number; readonly most: number }[];
  readonly rows: readonly {
    readonly terms: Terms;
    readonly lower: number;
    readonly upper: number;
  }[];
}

/** Coefficients by the index of the variable. */
export type Terms = readonly (readonly [variable: number, coefficient: number])[];

/**
 * Finds the whole numbers that fulfil a programme and make `objective` least or greatest; null: none were found in
 * time. What is found does fulfil the programme: that is checked in whole numbers, so that no tolerance of a solver's
 * arithmetic is ever believed.
 */
export type Solve = (
  programme: Programme,
  objective: Terms,
  towards: 'least' | 'greatest',
) => readonly number[] | null;

/** One programme is small; one that isn't solved by then is given up. */
const SECONDS = 10;

let loaded: Promise<Highs> | null = null;

/** HiGHS (Huangfu and Hall 2018), compiled to WebAssembly: 4 MB that only a vault with something to hide loads. */
export const loadSolver = async (): Promise<Solve> => {
  loaded ??= import('highs').then(({ default: load }) =>
    // Its types describe the CommonJS file; what is loaded is the module, whose default is the loader itself.
    (load as unknown as typeof load.default)(),
  );
  const highs = await loaded;
  return (programme, objective, towards) => {
    const { Status, Columns } = solveText(highs, inLpFormat(programme, objective, towards));
    if (Status !== 'Optimal') return null;
    const values = programme.variables.map((_, i) => Math.round(Columns[`x${i}`]?.Primal ?? NaN));
    return fulfils(programme, values) ? values : null;
  };
};

const solveText = (highs: Highs, text: string) => {
  try {
    return highs.solve(text, {
      output_flag: false,
      time_limit: SECONDS,
      mip_rel_gap: 0,
      mip_abs_gap: 0,
      // That of HiGHS 1.15 calls solutions optimal that are not.
      presolve: 'off',
    });
  } catch (error) {
    // A WebAssembly instance that threw once is not trusted again.
    loaded = null;
    throw error;
  }
};

/** The value of the terms. */
export const valueOf = (terms: Terms, values: readonly number[]): number =>
  terms.reduce((sum, [variable, coefficient]) => sum + coefficient * values[variable]!, 0);

const fulfils = ({ variables, rows }: Programme, values: readonly number[]): boolean =>
  variables.every(
    ({ least, most }, i) =>
      Number.isSafeInteger(values[i]) && least <= values[i]! && values[i]! <= most,
  ) &&
  rows.every(({ terms, lower, upper }) => {
    const value = valueOf(terms, values);
    return lower <= value && value <= upper;
  });

/** CPLEX's LP format; a bound that is not finite is left out. */
const inLpFormat = (
  { variables, rows }: Programme,
  objective: Terms,
  towards: 'least' | 'greatest',
): string => {
  const sum = (terms: Terms) =>
    terms.map(([variable, coefficient]) => `+ ${coefficient} x${variable}`).join('\n ');
  const named = variables.map((_, i) => `x${i}`);
  return [
    towards === 'least' ? 'Minimize' : 'Maximize',
    ` aim: ${sum(objective)}`,
    'Subject To',
    ...rows.flatMap(({ terms, lower, upper }, i) => {
      if (lower === upper) return [` e${i}: ${sum(terms)} = ${lower}`];
      return [
        ...(Number.isFinite(lower) ? [` l${i}: ${sum(terms)} >= ${lower}`] : []),
        ...(Number.isFinite(upper) ? [` u${i}: ${sum(terms)} <= ${upper}`] : []),
      ];
    }),
    'Bounds',
    ...variables.map(({ least, most }, i) => ` ${least} <= x${i} <= ${most}`),
    'Generals',
    ...named.map((name) => ` ${name}`),
    'End',
    '',
  ].join('\n');
};
