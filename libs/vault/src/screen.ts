import type { DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import type { DataPolicy } from '#libs/harness';
import { readColumn, type ColumnFinding, type Recognisers } from '#libs/pii';
import { RELEASE_COLUMNS, sumColumn, type Release } from './release.ts';

/**
 * Different texts of a column that are read one by one: as many as a study file can sort into groups. A column that
 * holds more can't be said to be free of anything.
 */
const MOST_TEXTS_READ = 100_000;
/** Different whole numbers that are read: a checksum tells of a column by a share, which fewer show as well. */
const MOST_NUMBERS_READ = 5_000;

/** What a declared column looks like, told by classes and counts alone. */
export interface ColumnScreen {
  readonly column: string;
  readonly use: 'dimension' | 'protected' | 'outcome';
  /** Rows that have a value. */
  readonly rows: number;
  /** Different values. */
  readonly values: number;
  /** Of these, what was read one by one; the others are short or fractional numbers, which identify nobody. */
  readonly read: number;
  /** Of these, texts beyond {@link MOST_TEXTS_READ}, of which nothing can be said. */
  readonly unread: number;
  readonly personal: readonly ColumnFinding[];
  readonly freeText: boolean;
  /** (Nearly) every row has a value of its own. */
  readonly uniqueKey: boolean;
}

/** Whole numbers of up to seven digits and numbers with a fraction; 5.0 is the whole number 5. */
const PLAIN_NUMBER = String.raw`[+-]?(\d{1,7}|\d*\.\d+|\d+\.\d*|\d*\.?\d+[eE][+-]?\d+)`;
const WHOLE_NUMBER = String.raw`[+-]?\d+`;

/** More different values than this, in words of a sentence, are no groups. */
const FEW_TEXTS = 20;
const WORDS_OF_A_SENTENCE = 4;
const LONGEST_VALUE = 200;

/** Shares of different values from which a column tells its rows apart; numbers may be many by measuring finely. */
const UNIQUE_TEXTS = 0.95;
const UNIQUE_NUMBERS = 0.99;
const ROWS_TO_JUDGE = 20;

export interface ScreenedColumn {
  readonly column: string;
  readonly use: ColumnScreen['use'];
  /** SQL of its value as text, null where there is none. */
  readonly sql: string;
}

/**
 * Reads the different values of columns of the table `source`, all that could identify somebody.
 *
 * @throws what DuckDB throws
 */
export const screenColumns = async (
  connection: DuckDBConnection,
  recognisers: Recognisers,
  columns: readonly ScreenedColumn[],
): Promise<readonly ColumnScreen[]> => {
  const screens: ColumnScreen[] = [];
  for (const column of columns) screens.push(await screenColumn(connection, recognisers, column));
  return screens;
};

const screenColumn = async (
  connection: DuckDBConnection,
  recognisers: Recognisers,
  { column, use, sql }: ScreenedColumn,
): Promise<ColumnScreen> => {
  const value = `regexp_replace(${sql}, '^([+-]?\\d+)\\.0+$', '\\1')`;
  const from = `(SELECT ${value} AS v, count(*) AS n FROM source WHERE ${sql} IS NOT NULL GROUP BY 1)`;
  const plain = `regexp_full_match(v, '${PLAIN_NUMBER}')`;
  const whole = `regexp_full_match(v, '${WHOLE_NUMBER}')`;
  const counted = await connection.runAndReadAll(`
    SELECT coalesce(sum(n), 0)::BIGINT, count(*),
      count(*) FILTER (NOT ${plain} AND NOT ${whole}),
      count(*) FILTER (NOT ${plain} AND ${whole}),
      count(*) FILTER (${whole}),
      coalesce(max(length(v)), 0)::BIGINT,
      coalesce(avg(len(string_split_regex(trim(v), '\\s+'))) FILTER (NOT ${whole}), 0)::DOUBLE
    FROM ${from}`);
  const [row = []] = counted.getRows();
  const [rows = 0, values = 0, texts = 0, numbers = 0, wholes = 0, longest = 0, words = 0] =
    row.map(Number);

  const reader = readColumn(recognisers);
  let read = 0;
  for (const [kind, there, most] of [
    [`NOT ${whole}`, texts, MOST_TEXTS_READ],
    [whole, numbers, MOST_NUMBERS_READ],
  ] as const) {
    if (there === 0) continue;
    // In an order that says nothing, the same each time.
    const order = there > most ? 'ORDER BY hash(v), v' : '';
    const found = await connection.stream(
      `SELECT v FROM ${from} WHERE NOT ${plain} AND ${kind} ${order} LIMIT ${most}`,
    );
    for (;;) {
      const chunk = await found.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const text of (chunk.getColumns() as [string[]])[0]) {
        reader.add(text);
        read += 1;
      }
    }
  }
  const fractions = values - texts - wholes > 0;
  const unique = values / Math.max(1, rows);
  return {
    ...{ column, use, rows, values, read },
    unread: Math.max(0, texts - MOST_TEXTS_READ),
    personal: reader.findings(),
    freeText: (texts > FEW_TEXTS && words >= WORDS_OF_A_SENTENCE) || longest > LONGEST_VALUE,
    // A number with a fraction is a measure, however fine.
    uniqueKey:
      rows >= ROWS_TO_JUDGE && !fractions && unique >= (texts > 0 ? UNIQUE_TEXTS : UNIQUE_NUMBERS),
  };
};

/** A count, or a sum in the decimals that its policy keeps. */
const NUMBER = /^(?:\d+(?:\.\d{1,6})?)?$/;

/**
 * The last look at what leaves: every field of the released files is a number or a text that the policy itself
 * declares. Anything else is a bug of the vault, and nothing leaves.
 *
 * @throws when a field is neither; what it says does not repeat the field
 */
export const screenRelease = (policy: DataPolicy, release: Release): Release => {
  const declared = new Set<string>([
    ...RELEASE_COLUMNS,
    ...policy.dimensions.flatMap(({ name, labels }) => [name, ...labels]),
    ...policy.coarsen.map(({ into }) => into),
    ...policy.magnitudes.map(({ name }) => sumColumn(name)),
  ]);
  for (const file of ['table', 'cells'] as const) {
    const rows = parse(new TextDecoder().decode(release[file]), { relax_column_count: true });
    rows.forEach((fields, row) => {
      for (const [column, field] of fields.entries())
        if (!declared.has(field) && !NUMBER.test(field))
          throw new Error(
            `field ${column + 1} in line ${row + 1} of ${file} is no declared label: nothing left the vault`,
          );
    });
  }
  return release;
};
