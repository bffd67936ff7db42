import type { DuckDBConnection } from '@duckdb/node-api';
import {
  cellCount,
  strides,
  protectedGroups,
  SPLITS,
  type DataPolicy,
  type DimensionPolicy,
  type IntersectionPolicy,
  type ProtectedGroups,
  type Split,
} from '#libs/harness';
import { ok, type Result } from '#libs/kernel';
import { classOfText, type Recognisers } from '#libs/pii';
import type { SplitCounts } from './counts.ts';
import { errorKind, text, throwWithoutRows, withDatabase } from './database.ts';
import { foreignFormat, whyUnreadable } from './diagnose.ts';
import type { Loaded } from './disclosure/control.ts';
import { contributionsOf, numberOf } from './disclosure/magnitudes.ts';
import { refuse, type VaultRefusal } from './refusals.ts';
import { screenColumns, type ColumnScreen, type ScreenedColumn } from './screen.ts';

/** Values that a refusal says in words; all others are counted. */
const VALUES_NAMED = 5;

export interface Loading {
  readonly splitOf: (rowId: string) => Split;
  /** Of the protected attributes: their groups are counted too. */
  readonly intersections: readonly IntersectionPolicy[];
  readonly recognisers: Recognisers;
  readonly sayValues: boolean;
}

export interface LoadedRows extends Loaded {
  readonly columns: readonly ColumnScreen[];
}

/**
 * Reads the file into grouped counts by cell, outcome, protected group and split. Values become codes within
 * DuckDB; what streams out of it is a row's id and its codes, and DuckDB is closed before this returns.
 */
export const loadCounts = (
  path: string,
  policy: DataPolicy,
  how: Loading,
): Promise<Result<LoadedRows, VaultRefusal>> =>
  withDatabase(path, (connection) => readCounts(connection, path, policy, how)).catch(
    throwWithoutRows,
  );

const readCounts = async (
  connection: DuckDBConnection,
  path: string,
  policy: DataPolicy,
  { splitOf, intersections, recognisers, sayValues }: Loading,
): Promise<Result<LoadedRows, VaultRefusal>> => {
  const needed = neededColumns(policy);
  const sayable = sayValues ? sayableTo(recognisers) : () => false;
  const imported = await importRows(connection, { path, policy, needed, sayable });
  if (!imported.ok) return imported;
  const columnOf = (name: string) => `c${needed.indexOf(name)}`;

  const ids = await checkRowIds(connection, policy, columnOf);
  if (!ids.ok) return ids;
  const covered = await checkValues(connection, policy, columnOf, sayable);
  if (!covered.ok) return covered;

  const columns =
    policy.pii === null
      ? []
      : await screenColumns(connection, recognisers, screenedColumns(policy, columnOf));

  const measured = protectedGroups(policy.protected, intersections);
  const groupsOf = measured.map((each) => groupFinder(each, policy.protected));
  const counts = Object.fromEntries(
    SPLITS.map((split) => [split, emptyCounts(policy, measured)]),
  ) as Record<Split, ReturnType<typeof emptyCounts>>;
  const magnitudes = contributionsOf(policy);
  const stride = strides(policy.dimensions);
  const cell = policy.dimensions
    .map((dimension, i) => `${codeOf(dimension, columnOf(dimension.column))} * ${stride[i]}`)
    .join(' + ');
  const rows = await connection.stream(`
    SELECT
      ${policy.rowId === null ? 'CAST(rowid + 1 AS VARCHAR)' : columnOf(policy.rowId)},
      CAST(${cell || '0'} AS INTEGER),
      ${outcomeOf(policy, columnOf(policy.outcome.column))}
      ${policy.protected.map((attribute) => `, ${codeOf(attribute, columnOf(attribute.column))}`).join('')}
      ${policy.magnitudes.map((magnitude) => `, ${numberOf(magnitude, columnOf(magnitude.column))}`).join('')}
    FROM source`);
  for (;;) {
    const chunk = await rows.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const [id, cells, outcomes, ...more] = chunk.getColumns() as [string[], ...number[][]];
    const groups = more.slice(0, policy.protected.length);
    const numbers = more.slice(policy.protected.length) as unknown as bigint[][];
    id.forEach((rowId, row) => {
      const name = splitOf(rowId);
      const split = counts[name];
      const at = cells![row]!;
      const positive = outcomes![row]!;
      split.people += 1;
      split.positive += positive;
      add(split.cells, at, positive);
      groupsOf.forEach((groupOf, i) =>
        add(split.protected[i]!.groups[groupOf(groups, row)]!.counts, at, positive),
      );
      if (name === 'train') magnitudes.add(at, (magnitude) => numbers[magnitude]![row]!);
    });
  }
  return ok({ counts, contributions: magnitudes.all, columns });
};

/** The group of a row, from the codes of its groups in each protected attribute. */
const groupFinder = (
  { of, codes }: ProtectedGroups,
  attributes: readonly DimensionPolicy[],
): ((groups: readonly (readonly number[])[], row: number) => number) => {
  const parts = of.map((name) => {
    const at = attributes.findIndex((attribute) => attribute.name === name);
    return { at, size: attributes[at]!.labels.length };
  });
  return (groups, row) =>
    codes[parts.reduce((code, { at, size }) => code * size + groups[at]![row]!, 0)]!;
};

const emptyCounts = ({ dimensions }: DataPolicy, measured: readonly ProtectedGroups[]) => {
  const cells = cellCount(dimensions);
  const empty = () => ({ people: new Uint32Array(cells), positive: new Uint32Array(cells) });
  return {
    people: 0,
    positive: 0,
    cells: empty(),
    protected: measured.map(({ attribute, groups }) => ({
      attribute,
      groups: groups.map((group) => ({ group, counts: empty() })),
    })),
  } satisfies SplitCounts;
};

const add = (
  counts: { readonly people: Uint32Array; readonly positive: Uint32Array },
  cell: number,
  positive: number,
): void => {
  counts.people[cell]! += 1;
  counts.positive[cell]! += positive;
};

/** The columns that the policy speaks of, identifiers too, since a misspelt one would guard nothing. */
export const declaredColumns = (policy: DataPolicy): readonly string[] => [
  ...new Set([...neededColumns(policy), ...policy.identifiers]),
];

/** The columns that are read at all. */
export const neededColumns = (policy: DataPolicy): readonly string[] => [
  ...new Set([
    ...(policy.rowId === null ? [] : [policy.rowId]),
    policy.outcome.column,
    ...policy.dimensions.map(({ column }) => column),
    ...policy.protected.map(({ column }) => column),
    ...policy.magnitudes.map(({ column }) => column),
  ]),
];

/** Every declared column once, by its use. */
const screenedColumns = (
  policy: DataPolicy,
  columnOf: (name: string) => string,
): readonly ScreenedColumn[] => {
  const uses = [
    ...policy.dimensions.map(({ column }) => ({ column, use: 'dimension' as const })),
    ...policy.protected.map(({ column }) => ({ column, use: 'protected' as const })),
    { column: policy.outcome.column, use: 'outcome' as const },
  ];
  return uses
    .filter(({ column }, i) => uses.findIndex((each) => each.column === column) === i)
    .map((each) => ({ ...each, sql: columnOf(each.column) }));
};

/** Longest text of a file that is said to anybody. */
const LONGEST_SAID = 40;

/** A short text that identifies nobody. */
const sayableTo =
  (recognisers: Recognisers) =>
  (value: string): boolean =>
    value.length <= LONGEST_SAID && classOfText(recognisers, value) === null;

/** CSV by RFC 4180 with a header. Nothing is skipped or padded: no comment lines, no broken rows. */
export const reader = (path: string, format: DataPolicy['format']): string =>
  format === 'parquet'
    ? `read_parquet(${text(path)})`
    : `read_csv(${text(path)}, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"',
        comment = '', skip = 0, strict_mode = true, null_padding = false, ignore_errors = false)`;

interface Importing {
  readonly path: string;
  readonly policy: DataPolicy;
  readonly needed: readonly string[];
  /** Whether a refusal may say this text of the file. */
  readonly sayable: (text: string) => boolean;
}

/** DuckDB's types with one value a row that reads the same as text; no list, structure, bytes, bits or variants. */
export const SCALAR =
  /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|DATE|TIME.*|TIMESTAMP.*|UUID|ENUM\(.*\))$/;

/** A type without the names and values that stand in it. */
const kindOf = (type: string): string =>
  type.endsWith(']') ? 'LIST' : (/^[A-Z]+/.exec(type)?.[0] ?? 'unknown');

/** Makes the table `source` with the needed columns as text, c0, c1, …; an empty text is no value. */
const importRows = async (
  connection: DuckDBConnection,
  { path, policy, needed, sayable }: Importing,
): Promise<Result<null, VaultRefusal>> => {
  const foreign = await foreignFormat(path, policy.format);
  if (foreign !== null) return unreadable(policy, foreign);
  const from = reader(path, policy.format);
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
    const types = new Map(
      described.getRows().map(([name, type]) => [String(name), String(type)] as const),
    );
    // A snapshot holds no identifiers; they were looked for where it was taken.
    const expected = policy.format === 'postgres' ? needed : declaredColumns(policy);
    const missing = expected.filter((column) => !types.has(column));
    if (missing.length > 0) {
      // The first line of a file without a header is somebody.
      const shown = [...types.keys()].filter(sayable);
      const has = shown.length > 0 ? shown.join(', ') : `${types.size} columns`;
      return refuse(
        'missing-columns',
        `found no column ${missing.map((name) => `"${name}"`).join(', ')} in ${policy.path}; expected all that the policy names: correct them there (the file has ${has})`,
      );
    }
    const nested = needed.filter((column) => !SCALAR.test(types.get(column) ?? ''));
    if (nested.length > 0) {
      return refuse(
        'unreadable-data',
        `found ${nested.map((column) => `column "${column}" of type ${kindOf(types.get(column) ?? '')}`).join(', ')} in ${policy.path}; expected numbers, texts, truth values and times: unnest or cast it`,
      );
    }
    const columns = needed.map(
      (name, i) => `NULLIF(CAST(${quoted(name)} AS VARCHAR), '') AS c${i}`,
    );
    await connection.run(`CREATE TABLE source AS SELECT ${columns.join(', ')} FROM ${from}`);
    return ok(null);
  } catch (error) {
    // DuckDB's message quotes the line that it can't read, with whoever stands in it.
    const message = error instanceof Error ? error.message : '';
    const kind = errorKind(error) ?? 'an error';
    const line = /\bLine: (\d+)/.exec(message)?.[1];
    return unreadable(policy, whyUnreadable(message) ?? `DuckDB: ${kind}`, line);
  }
};

const unreadable = ({ path, format }: DataPolicy, reason: string, line?: string) =>
  refuse(
    'unreadable-data',
    `found that ${path} can't be read${line ? `, from line ${line} on` : ''} (${reason}); expected ${format === 'parquet' ? 'a Parquet file that is not encrypted' : 'CSV in UTF-8 with a header, commas and as many fields in each line'}`,
  );

const checkRowIds = async (
  connection: DuckDBConnection,
  policy: DataPolicy,
  columnOf: (name: string) => string,
): Promise<Result<null, VaultRefusal>> => {
  const id = policy.rowId === null ? 'rowid' : columnOf(policy.rowId);
  const [[rows, given, distinct] = []] = (
    await connection.runAndReadAll(
      `SELECT count(*), count(${id}), count(DISTINCT ${id}) FROM source`,
    )
  ).getRows() as bigint[][];
  if (rows === undefined || given === undefined || distinct === undefined || rows === 0n) {
    return refuse('no-rows', `found no rows in ${policy.path}; expected one for each person`);
  }
  if (distinct === rows) return ok(null);
  return refuse(
    'bad-row-ids',
    `found ${rows - given} rows without an id and ${given - distinct} repeated ids in column "${policy.rowId}" of ${policy.path}; expected a different one in each row: remove the doubles, or let a row be its place in the file (rowId: null)`,
  );
};

/** A code for each value, NULL for a value that no group or bin covers. */
const codeOf = (dimension: DimensionPolicy, column: string): string => {
  if (dimension.kind === 'groups') {
    const cases = dimension.values.map(
      (values, code) => `WHEN ${column} IN (${values.map(text).join(', ')}) THEN ${code}`,
    );
    return `CASE ${cases.join(' ')} END`;
  }
  const value = `TRY_CAST(${column} AS DOUBLE)`;
  const cases = dimension.cuts.map((cut, code) => `WHEN ${value} < ${double(cut)} THEN ${code}`);
  return `CASE WHEN NOT isfinite(${value}) THEN NULL ${cases.join(' ')} WHEN ${value} IS NOT NULL THEN ${dimension.cuts.length} END`;
};

const outcomeOf = ({ outcome: { positive } }: DataPolicy, column: string): string => {
  if ('equals' in positive) return `CAST(${column} = ${text(positive.equals)} AS INTEGER)`;
  const value = `TRY_CAST(${column} AS DOUBLE)`;
  return `CASE WHEN isfinite(${value}) THEN CAST(${value} >= ${double(positive.atLeast)} AS INTEGER) END`;
};

/** Refuses data with values that have no code: a row is never dropped silently. */
const checkValues = async (
  connection: DuckDBConnection,
  policy: DataPolicy,
  columnOf: (name: string) => string,
  sayable: (value: string) => boolean,
): Promise<Result<null, VaultRefusal>> => {
  const { outcome } = policy;
  const uses = [
    { use: 'the outcome', name: outcome.column, code: outcomeOf(policy, columnOf(outcome.column)) },
    ...[...policy.dimensions, ...policy.protected].map((dimension) => ({
      use: dimension.name,
      name: dimension.column,
      code: codeOf(dimension, columnOf(dimension.column)),
    })),
    ...policy.magnitudes.map((magnitude) => ({
      use: `the magnitude ${magnitude.name}, a number from 0 on,`,
      name: magnitude.column,
      code: numberOf(magnitude, columnOf(magnitude.column)),
    })),
  ];
  const uncounted = await connection.runAndReadAll(
    `SELECT ${uses.map(({ code }) => `count(*) - count(${code})`).join(', ')} FROM source`,
  );
  const [missing = []] = uncounted.getRows();
  const problems: string[] = [];
  for (const [i, { use, name, code }] of uses.entries()) {
    if (missing[i] === 0n) continue;
    const found = await connection.runAndReadAll(
      `SELECT ${columnOf(name)}, count(*), min(rowid) + 1 FROM source WHERE (${code}) IS NULL
       GROUP BY 1 ORDER BY 2 DESC, 3`,
    );
    const values = found.getRows() as [string | null, bigint, bigint][];
    problems.push(
      `column "${name}" for ${use} has ${describe(values, policy.minimumCell, sayable)}`,
    );
  }
  if (problems.length === 0) return ok(null);
  return refuse(
    'uncovered-values',
    `found values that no group or bin covers: ${problems.join('; ')}; expected every row to be covered: add them to the policy or mend ${policy.path}`,
  );
};

/**
 * Counts the values that have no code. Since a refusal is written into the log, no value is said, but where it
 * begins, so that whoever has the file finds it. To him alone a value is said that the minimum cell shares.
 */
const describe = (
  values: readonly (readonly [value: string | null, people: bigint, first: bigint])[],
  minimumCell: number,
  sayable: (value: string) => boolean,
): string => {
  const isSaid = ([value, people]: (typeof values)[number]) =>
    value === null || (people >= BigInt(minimumCell) && sayable(value));
  const said = values.filter(isSaid).slice(0, VALUES_NAMED);
  const rest = values.filter((value) => !said.includes(value));
  const parts = said.map(
    ([value, people, first]) =>
      `${value === null ? 'no value' : JSON.stringify(value)} in ${people} rows (first in row ${first})`,
  );
  if (rest.length > 0) {
    const rows = rest.reduce((sum, [, people]) => sum + people, 0n);
    const first = rest.reduce((least, [, , row]) => (row < least ? row : least), rest[0]![2]);
    parts.push(
      `${rest.length} ${said.length > 0 ? 'other' : 'different'} values in ${rows} rows (first in row ${first})`,
    );
  }
  return parts.join(', ');
};

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const double = (value: number): string => `CAST('${value}' AS DOUBLE)`;
