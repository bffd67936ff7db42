import type { RunEvent, RunOpened } from '#libs/run';
import type { Ledger } from '../ledger.ts';
import { recent, type Recent } from '../recent.ts';

/** Whether a text names a dimension as a whole word, however it is spelled. */
const names = (text: string, dimension: string): boolean => {
  const spelled = dimension
    .replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&')
    .replaceAll(/[_-]+/gu, '[ _-]+');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${spelled}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
};

/** What a run's policy says was planted: in its first event. Null before it opens: nobody knows it yet. */
const readPlanted = async (
  { log }: Pick<Ledger, 'log'>,
  runId: string,
): Promise<readonly string[] | null> => {
  for await (const { type, data } of log.readStream<RunEvent>(`run-${runId}`, { limit: 1 }))
    return type === 'RunOpened' ? (data as RunOpened['data']).policy.data.planted : [];
  return null;
};

/** Runs whose planted dimensions are remembered; they never change. */
const MOST_KNOWN = 10_000;
const known = new WeakMap<object, Recent<readonly string[]>>();

/** Dimensions that were planted on purpose in the data of a run's study. */
export const plantedOfRun = async (
  ledger: Pick<Ledger, 'log'>,
  runId: string,
): Promise<readonly string[]> => {
  const runs = known.get(ledger) ?? recent<readonly string[]>(MOST_KNOWN);
  known.set(ledger, runs);
  const found = runs.get(runId) ?? (await readPlanted(ledger, runId));
  if (found === null) return [];
  runs.set(runId, found);
  return found;
};

/** Says of each row which planted dimensions its text names. */
export async function* withPlanted<Row extends { readonly runId: string | null }>(
  ledger: Pick<Ledger, 'log'>,
  rows: AsyncIterable<Row> | Iterable<Row>,
  text: (row: Row) => string,
): AsyncGenerator<Row & { readonly planted: readonly string[] }> {
  for await (const row of rows) {
    const planted = row.runId === null ? [] : await plantedOfRun(ledger, row.runId);
    yield { ...row, planted: planted.filter((name) => names(text(row), name)) };
  }
}
