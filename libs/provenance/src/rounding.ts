/** Share by which a recomputed number may differ: another engine may round a logarithm otherwise. */
const ROUNDING = 1e-9;

/** Whether two numbers are of the same arithmetic, done on different machines. */
export const isClose = (found: number, expected: number): boolean =>
  Math.abs(found - expected) <= ROUNDING * Math.max(1, Math.abs(expected));
