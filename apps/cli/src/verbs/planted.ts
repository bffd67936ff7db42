import { plantedOfRun } from '#apps/runner';
import type { Session } from '../session.ts';

/** Dimensions planted on purpose in the studies of these rows, so that tables call them so. */
export const plantedOf = async (
  { home }: Session,
  rows: readonly { readonly runId: string | null }[],
): Promise<readonly string[]> => {
  const planted = new Set<string>();
  for (const runId of new Set(rows.flatMap((row) => row.runId ?? [])))
    for (const name of await plantedOfRun(home, runId)) planted.add(name);
  return [...planted];
};
