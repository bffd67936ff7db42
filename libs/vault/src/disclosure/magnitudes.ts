import { cellCount, type DataPolicy, type MagnitudePolicy } from '#libs/harness';
import { kept, NOTHING, type Contribution } from './dominance.ts';

/** The greatest number that a magnitude may have in a row, so that any sum of rows stays exact and short. */
const MOST_DIGITS = 18;

/** SQL: a number in units of its last decimal; NULL for one below 0, too great, or none at all. */
export const numberOf = ({ decimals }: MagnitudePolicy, column: string): string => {
  const value = `TRY_CAST(${column} AS DECIMAL(${MOST_DIGITS}, ${decimals}))`;
  return `CASE WHEN ${value} >= 0 THEN CAST(${value} * ${10 ** decimals} AS BIGINT) END`;
};

export interface Contributions {
  readonly all: readonly (readonly Contribution[])[];
  /** Counts a row into its cell. */
  readonly add: (cell: number, number: (magnitude: number) => bigint) => void;
}

/** Sums and largest numbers by cell, filled row by row: what is kept of the rows is no more than the rules need. */
export const contributionsOf = ({
  dimensions,
  magnitudes,
}: Pick<DataPolicy, 'dimensions' | 'magnitudes'>): Contributions => {
  const keep = magnitudes.map(kept);
  const all = magnitudes.map(() =>
    Array.from({ length: cellCount(dimensions) }, (): Contribution => NOTHING),
  );
  return {
    all,
    add: (cell, number) => {
      all.forEach((cells, magnitude) => {
        const { sum, largest } = cells[cell]!;
        const value = number(magnitude);
        cells[cell] = { sum: sum + value, largest: inserted(largest, value, keep[magnitude]!) };
      });
    },
  };
};

const inserted = (largest: readonly bigint[], value: bigint, keep: number): readonly bigint[] => {
  if (largest.length >= keep && value <= largest[keep - 1]!) return largest;
  const at = largest.findIndex((one) => one < value);
  const place = at < 0 ? largest.length : at;
  return [...largest.slice(0, place), value, ...largest.slice(place)].slice(0, keep);
};
