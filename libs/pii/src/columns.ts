import type { PiiClass } from './classes.ts';
import type { Recognisers } from './recognisers.ts';

/** A class of PII that a column's values hold. */
export interface ColumnFinding {
  readonly class: PiiClass;
  /** The recogniser that found most of it. */
  readonly recogniser: string;
  /** Different values that are such. */
  readonly values: number;
}

/** Reads a column's different values, one after the other. */
export interface ColumnReader {
  readonly add: (value: string) => void;
  readonly findings: () => readonly ColumnFinding[];
}

/** Chance at which hits are put down to something else than chance, for each recogniser. */
const SIGNIFICANCE = 1e-6;
/** A recogniser that random numbers pass as often tells of a column only what holds for most of it. */
const WEAK = 0.03;
/** Days of a year at which a column of dates is no longer one of a few points in time. */
const FEW_DATES = 31;
/** Values that the costly recognisers look at. */
const COSTLY_VALUES = 2000;

/**
 * Whether `hits` of `shaped` values are more than chance explains: the Chernoff bound of the binomial tail, and a
 * share that no quirk of the numbers (all even, all of one year) brings about.
 */
export const isBeyondChance = (hits: number, shaped: number, chance: number): boolean => {
  if (hits === 0) return false;
  if (chance >= 1) return false;
  const share = hits / shaped;
  const needed = chance > WEAK ? 0.5 + chance / 2 : chance > 1e-6 ? 0.25 : 0;
  if (share <= chance || share < needed) return false;
  const part = (p: number, q: number) => (p === 0 ? 0 : p * Math.log(p / q));
  const divergence = part(share, chance) + part(1 - share, 1 - chance);
  return shaped * divergence >= -Math.log(SIGNIFICANCE);
};

/**
 * Tells what a column's different values are: a recogniser's hits count once they are more than chance explains,
 * since one number in ten passes most checksums. A pattern that nothing else has counts from its first hit.
 */
export const readColumn = ({ read }: Recognisers): ColumnReader => {
  const seen = new Map<string, { class: PiiClass; chance: number; shaped: number; hits: number }>();
  let values = 0;
  return {
    add: (value) => {
      values += 1;
      for (const { id, class: of, chance, valid } of read(value, values <= COSTLY_VALUES)) {
        const of1 = seen.get(id) ?? { class: of, chance, shaped: 0, hits: 0 };
        of1.shaped += 1;
        if (valid) of1.hits += 1;
        seen.set(id, of1);
      }
    },
    findings: () => {
      const found = [...seen]
        .filter(([, { class: of, chance, shaped, hits }]) =>
          of === 'date'
            ? hits > FEW_DATES && hits >= 0.9 * values
            : isBeyondChance(hits, shaped, chance) && (chance < WEAK || hits >= values / 2),
        )
        .toSorted(([, a], [, b]) => b.hits - a.hits || a.chance - b.chance);
      const classes = [...new Set(found.map(([, { class: of }]) => of))];
      return classes.map((each) => {
        const [id, { hits }] = found.find(([, { class: of }]) => of === each)!;
        return { class: each, recogniser: id, values: hits };
      });
    },
  };
};

/**
 * What a single text that is about to leave holds: the first class, or null. Stricter than a column's: a checksum that
 * holds is enough. A date is none: cohorts have boundaries.
 */
export const classOfText = ({ read }: Recognisers, text: string): PiiClass | null =>
  read(text, true)
    .filter(({ valid, class: of }) => valid && of !== 'date')
    .toSorted((a, b) => a.chance - b.chance)[0]?.class ?? null;
