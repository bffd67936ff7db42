import { callPlanted } from '../present/text.ts';
import type { Session } from '../session.ts';

/** Dimensions planted on purpose in the studies of these rows, so that they are called so here as well. */
export const plantedOf = async (
  { home }: Session,
  rows: readonly { readonly runId: string | null }[],
): Promise<readonly string[]> => {
  const planted = new Set<string>();
  for (const runId of new Set(rows.flatMap((row) => row.runId ?? [])))
    for (const name of (await home.runs.load(runId)).state.opened?.policy.data.planted ?? [])
      planted.add(name);
  return [...planted];
};

export const mentioned = (text: string, planted: readonly string[]): readonly string[] =>
  planted.filter((name) => callPlanted(text, [name]) !== text);
