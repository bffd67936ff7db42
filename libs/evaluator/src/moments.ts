/** A value that `weight` people share. */
export interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/**
 * Mean of a value over people, with its standard error (sample variance over people, divided by their number),
 * from values grouped by who shares them. In two passes, so that little is lost to rounding.
 * Null for fewer than two people: one person has no variance.
 */
export const meanOf = (
  values: readonly Weighted[],
): { readonly value: number; readonly standardError: number; readonly n: number } | null => {
  let n = 0;
  let sum = 0;
  for (const { value, weight } of values) {
    n += weight;
    sum += value * weight;
  }
  if (n < 2) return null;
  const mean = sum / n;
  let squares = 0;
  for (const { value, weight } of values) squares += weight * (value - mean) ** 2;
  return { value: mean, standardError: Math.sqrt(squares / (n - 1) / n), n };
};
