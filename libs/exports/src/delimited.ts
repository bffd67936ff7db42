import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { AnyColumns, AnyRow } from './columns.ts';

/**
 * CSV (RFC 4180) with a header, as `holdfast audit --format csv` writes it: a text that a spreadsheet would take for a
 * formula is escaped, null is empty, a list is JSON.
 */
export const csvOf = (columns: AnyColumns, rows: AsyncIterable<object>): Readable => {
  const source = Readable.from(rows);
  const csv = stringify({
    header: true,
    columns: Object.keys(columns),
    escape_formulas: true,
    cast: { object: (value) => JSON.stringify(value) },
  });
  // What goes wrong while rows are read must not look like the end of the file.
  source.once('error', (error) => csv.destroy(error));
  csv.once('close', () => source.destroy());
  return source.pipe(csv);
};

/** JSON Lines: one row a line, its members in the columns' order. */
export const jsonLinesOf = (columns: AnyColumns, rows: AsyncIterable<object>): Readable => {
  const names = Object.keys(columns);
  return Readable.from(lines(names, rows), { objectMode: false });
};

async function* lines(
  names: readonly string[],
  rows: AsyncIterable<object>,
): AsyncGenerator<string> {
  for await (const row of rows as AsyncIterable<AnyRow>)
    yield `${JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] ?? null])))}\n`;
}
