/** The middle value: what a few slow moments of the machine do not move. */
export const median = (values: readonly number[]): number => {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  if (middle === undefined) throw new RangeError('the median of nothing');
  return middle;
};
