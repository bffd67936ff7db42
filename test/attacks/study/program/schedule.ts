/** The learning rate at a step, from 1 to `last`. */
export const rateAt = (rate: number, step: number, last: number): number => {
  const warm = Math.min(1, step / 5);
  return rate * warm * (1 - step / (2 * last));
};
