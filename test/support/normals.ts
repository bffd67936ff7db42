import { uniform } from './fixture-study.ts';

/** Standard normal numbers from a seed (Box and Muller 1958). */
export const normals = (seed: number) => {
  const next = uniform(seed);
  return (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
};
