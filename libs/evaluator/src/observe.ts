import type { Estimate, Observation } from '#libs/harness';
import { auc } from './auc.ts';
import { scoredCells, suppressedCells, type CellCounts } from './counts.ts';
import { brier, calibrationError, difference, score } from './scores.ts';

const SECONDARY = { auc, brier, 'calibration-error': calibrationError } as const;

export type SecondaryMetric = keyof typeof SECONDARY;

/** The metrics that an agent may propose beside the objective: measured and shown, never deciding. */
export const SECONDARY_METRICS = Object.keys(SECONDARY) as readonly SecondaryMetric[];

export const isSecondaryMetric = (name: string): name is SecondaryMetric =>
  Object.hasOwn(SECONDARY, name);

export interface ObserveRequest {
  /** Probabilities by cell id, as {@link parsePredictions} gives them. */
  readonly predictions: ArrayLike<number>;
  /** Those of the incumbent; null for a baseline. */
  readonly incumbent: ArrayLike<number> | null;
  readonly dev: CellCounts;
  readonly check: CellCounts | null;
  readonly minimumCell: number;
  readonly secondary: readonly SecondaryMetric[];
}

/**
 * Everything that the harness measures of one set of predictions, on rows that the program never saw.
 *
 * `gapChange` rests on the cells that are large enough in both dev and check. Nobody is in both splits, so the
 * two differences are independent and their variances add up.
 *
 * @throws RangeError where dev has nothing to score: the pre-loop gate lets no such data into a run
 */
export const observe = (request: ObserveRequest): Observation => {
  const { predictions, incumbent, dev, check, minimumCell } = request;
  const metric = score(predictions, dev, minimumCell);
  if (metric === null) {
    throw new RangeError(`no dev cell has ${minimumCell} people: there is nothing to score`);
  }
  return {
    metric,
    auc: auc(predictions, dev, minimumCell),
    secondary: request.secondary
      .map((name) => SECONDARY[name](predictions, dev, minimumCell))
      .filter((estimate) => estimate !== null),
    difference: incumbent && difference(predictions, incumbent, dev, minimumCell),
    check: check && score(predictions, check, minimumCell),
    gapChange: incumbent && check && gapChange(predictions, incumbent, dev, check, minimumCell),
    cells: {
      scored: scoredCells(dev, minimumCell).length,
      suppressed: suppressedCells(dev, minimumCell),
    },
  };
};

const gapChange = (
  predictions: ArrayLike<number>,
  incumbent: ArrayLike<number>,
  dev: CellCounts,
  check: CellCounts,
  minimumCell: number,
): Estimate | null => {
  const inCheck = new Set(scoredCells(check, minimumCell));
  const cells = scoredCells(dev, minimumCell).filter((cell) => inCheck.has(cell));
  const onDev = difference(predictions, incumbent, dev, minimumCell, cells);
  const onCheck = difference(predictions, incumbent, check, minimumCell, cells);
  if (onDev === null || onCheck === null) return null;
  return {
    name: 'gap-change',
    value: onCheck.value - onDev.value,
    standardError: Math.hypot(onDev.standardError, onCheck.standardError),
    n: onDev.n + onCheck.n,
  };
};
