import type { Ledger } from '#apps/runner';
import type { RunEvent, RunOpened } from '#libs/run';

/** Whether a text names a dimension as a whole word, however it is spelled. */
const names = (text: string, dimension: string): boolean => {
  const spelled = dimension
    .replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&')
    .replaceAll(/[_-]+/gu, '[ _-]+');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${spelled}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
};

/** What a run's policy says was planted: in its first event, for good. */
const plantedIn = async ({ log }: Ledger, runId: string): Promise<readonly string[]> => {
  for await (const { type, data } of log.readStream<RunEvent>(`run-${runId}`, { limit: 1 }))
    return type === 'RunOpened' ? (data as RunOpened['data']).policy.data.planted : [];
  return [];
};

/** Runs whose planted dimensions are remembered: those of a page, and more. */
const MOST_KNOWN = 1_000;

/** Says of each row which planted dimensions its text names; a run's are looked up once. */
export async function* withPlanted<Row extends { readonly runId: string }>(
  ledger: Ledger,
  rows: AsyncIterable<Row> | Iterable<Row>,
  text: (row: Row) => string,
): AsyncGenerator<Row & { readonly planted: readonly string[] }> {
  const known = new Map<string, readonly string[]>();
  for await (const row of rows) {
    const planted = known.get(row.runId) ?? (await plantedIn(ledger, row.runId));
    if (known.size === MOST_KNOWN) known.clear();
    known.set(row.runId, planted);
    yield { ...row, planted: planted.filter((name) => names(text(row), name)) };
  }
}
