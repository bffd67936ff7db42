import type { CellCounts } from './counts.ts';
import { criticalValue } from './proportions.ts';
import { difference, score } from './scores.ts';

export interface Contrast {
  /** Improvement of the log-loss per person; positive: `to` is better than `from`. */
  readonly estimate: number;
  /** Paired, in the unit of `estimate`. */
  readonly standardError: number;
  /** `estimate` relative to the log-loss of `from`. */
  readonly relative: number;
  /** People that it rests on. */
  readonly n: number;
}

/**
 * How much better `to` predicts the sealed rows than `from`. Sealed rows are scored once; whoever calls this
 * counts the look. Null where no cell has `minimumCell` people.
 */
export const sealedContrast = (
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  sealed: CellCounts,
  minimumCell: number,
): Contrast | null => {
  const base = score(from, sealed, minimumCell);
  const change = difference(to, from, sealed, minimumCell);
  if (base === null || change === null) return null;
  return {
    // Subtraction from 0, because the negative of 0 is a -0 that would show.
    estimate: 0 - change.value,
    standardError: change.standardError,
    relative: (0 - change.value) / base.value,
    n: change.n,
  };
};

/**
 * Normal confidence interval that holds together with `simultaneous - 1` others at `level` (Bonferroni): each
 * has the level 1 − (1 − level) / simultaneous.
 *
 * @param level joint level, e.g. 0.95
 * @param simultaneous how many intervals are read together, from 1
 * @example simultaneousInterval({ estimate: 0, standardError: 1 }, 0.95, 1) // −1.96 to 1.96
 */
export const simultaneousInterval = (
  contrast: Pick<Contrast, 'estimate' | 'standardError'>,
  level: number,
  simultaneous: number,
): { readonly level: number; readonly lower: number; readonly upper: number } => {
  const z = criticalValue(level, simultaneous);
  return {
    level,
    lower: contrast.estimate - z * contrast.standardError,
    upper: contrast.estimate + z * contrast.standardError,
  };
};
