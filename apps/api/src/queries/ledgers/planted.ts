import type { Ledger } from '#apps/runner';

/** Whether a text names a dimension as a whole word, however it is spelled. */
const names = (text: string, dimension: string): boolean => {
  const spelled = dimension
    .replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&')
    .replaceAll(/[_-]+/gu, '[ _-]+');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${spelled}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
};

/** Says of each row which planted dimensions its text names; a run's are looked up once. */
export async function* withPlanted<Row extends { readonly runId: string }>(
  { runs }: Ledger,
  rows: AsyncIterable<Row> | Iterable<Row>,
  text: (row: Row) => string,
): AsyncGenerator<Row & { readonly planted: readonly string[] }> {
  let last: { readonly runId: string; readonly planted: readonly string[] } = {
    runId: '',
    planted: [],
  };
  for await (const row of rows) {
    if (last.runId !== row.runId) {
      const { opened } = (await runs.load(row.runId)).state;
      last = { runId: row.runId, planted: opened?.policy.data.planted ?? [] };
    }
    yield { ...row, planted: last.planted.filter((name) => names(text(row), name)) };
  }
}
