import type { Refusal, Result } from '#libs/kernel';

/** The value of a result that must be good; throws with the refusal otherwise. */
export const good = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
};

/** The refusal of a result that must be refused. */
export const bad = <R extends Refusal>(result: Result<unknown, R>): R => {
  if (result.ok) throw new Error('not refused');
  return result.error;
};
