import {
  sql,
  type CompiledQuery,
  type InsertQueryBuilder,
  type InsertResult,
  type Kysely,
} from 'kysely';
import type { StoredRow, Table, Value } from './change.ts';
import { perTable, type Needed, type PerTable, type WrittenTables } from './fold.ts';
import { CHANGING, KEYS, PROJECTED, type ChangingTable, type ViewTables } from './tables.ts';

/**
 * Rows of a statement: few sizes, so that few statements are compiled and prepared; small enough for both databases'
 * limits on parameters (32,766 and 65,535).
 */
const SIZES = [256, 32, 4, 1] as const;

/** Reads and writes rows of all tables alike, many at a time. */
export interface RowAccess {
  readonly read: (
    on: Kysely<ViewTables>,
    needed: PerTable<Needed>,
  ) => Promise<PerTable<readonly StoredRow[]>>;
  readonly write: (on: Kysely<ViewTables>, written: WrittenTables) => Promise<void>;
}

// Tables are data here, so Kysely's own column types cannot follow; `insert` and `update` have checked them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Untyped = Kysely<Record<string, any>>;
const untyped = (db: Kysely<ViewTables>): Untyped => db;

/** Compiles each statement once. */
export const rowAccess = (kind: 'sqlite' | 'postgres'): RowAccess => {
  const compiled = new Map<string, CompiledQuery>();
  const statement = (name: string, make: () => CompiledQuery): CompiledQuery => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const made = make();
    compiled.set(name, made);
    return made;
  };
  const writeRows = kind === 'sqlite' ? asValues(statement) : asJson(statement);

  const readKeys = async (
    on: Kysely<ViewTables>,
    table: ChangingTable,
    keys: readonly Value[],
  ): Promise<readonly StoredRow[]> => {
    const found: StoredRow[] = [];
    for (const part of parts(keys)) {
      const query = statement(`read|${table}|${part.length}`, () =>
        untyped(on).selectFrom(table).selectAll().where(KEYS[table], 'in', part).compile(),
      );
      const { rows } = await on.executeQuery({ ...query, parameters: part });
      found.push(...(rows as StoredRow[]));
    }
    return found;
  };

  const readTable = async (
    on: Kysely<ViewTables>,
    table: ChangingTable,
    { keys, where }: Needed,
  ): Promise<readonly StoredRow[]> => {
    const found = [...(await readKeys(on, table, [...keys]))];
    for (const columns of where) {
      let query = untyped(on).selectFrom(table).selectAll();
      for (const [column, value] of Object.entries(columns))
        query = query.where(column, '=', value);
      found.push(...((await query.execute()) as StoredRow[]));
    }
    return found;
  };

  return {
    read: async (on, needed) => {
      const found = perTable((): readonly StoredRow[] => []) as Record<
        ChangingTable,
        readonly StoredRow[]
      >;
      for (const table of CHANGING) found[table] = await readTable(on, table, needed[table]);
      return found;
    },
    write: async (on, written) => {
      for (const table of PROJECTED) await writeRows(on, table, written[table].fresh, null);
      for (const table of CHANGING) await writeRows(on, table, written[table].changed, KEYS[table]);
    },
  };
};

type Statement = (name: string, make: () => CompiledQuery) => CompiledQuery;

/** Rows of `key` take the place of the rows that have it; null: none of them may be there. */
type WriteRows = (
  on: Kysely<ViewTables>,
  table: Table,
  rows: readonly StoredRow[],
  key: string | null,
) => Promise<void>;

/** A parameter a value, which SQLite takes from this process as it is. */
const asValues =
  (statement: Statement): WriteRows =>
  async (on, table, rows, key) => {
    const columns = columnsOf(rows);
    for (const part of parts(rows)) {
      const query = statement(`${key ?? 'fresh'}|${table}|${part.length}`, () => {
        const row = Object.fromEntries(columns.map((column) => [column, 0]));
        const values = Array.from({ length: part.length }, () => row);
        return over(untyped(on).insertInto(table).values(values), columns, key).compile();
      });
      const parameters = part.flatMap((row) => columns.map((column) => valueOf(row, column)));
      await on.executeQuery({ ...query, parameters });
    }
  };

/** All rows in one parameter: a server would take longer to parse thousands of them than to write the rows. */
const asJson =
  (statement: Statement): WriteRows =>
  async (on, table, rows, key) => {
    if (rows.length === 0) return;
    const columns = columnsOf(rows);
    const query = statement(`${key ?? 'fresh'}|${table}`, () => {
      const read = sql`select ${sql.join(columns.map((column) => sql.ref(column)))} from json_populate_recordset(null::${sql.table(table)}, ${'[]'})`;
      const into = untyped(on).insertInto(table).columns(columns).expression(read);
      return over(into, columns, key).compile();
    });
    const names = columns.map((column) => [column, inSnakeCase(column)] as const);
    // What is left out is null.
    const named = rows.map((row) => {
      const found: Record<string, Value> = {};
      for (const [column, name] of names) {
        const value = valueOf(row, column);
        if (value !== null) found[name] = value;
      }
      return found;
    });
    await on.executeQuery({ ...query, parameters: [JSON.stringify(named)] });
  };

const over = (
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Untyped
  query: InsertQueryBuilder<Record<string, any>, string, InsertResult>,
  columns: readonly string[],
  key: string | null,
): typeof query =>
  key === null
    ? query
    : query.onConflict((conflict) =>
        conflict
          .column(key)
          .doUpdateSet((expression) =>
            Object.fromEntries(
              columns
                .filter((column) => column !== key)
                .map((column) => [column, expression.ref(`excluded.${column}`)]),
            ),
          ),
      );

const columnsOf = (rows: readonly StoredRow[]): readonly string[] =>
  Object.keys(rows[0] ?? {}).toSorted();

/** As the tables are named in the database. */
const inSnakeCase = (column: string): string =>
  column.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const valueOf = (row: StoredRow, column: string): Value => {
  const value = row[column];
  if (value === undefined) throw new Error(`a row has no column ${column}`);
  return value;
};

/** In parts of few sizes. */
const parts = <T>(all: readonly T[]): readonly (readonly T[])[] => {
  const found: (readonly T[])[] = [];
  let at = 0;
  for (const size of SIZES)
    for (; all.length - at >= size; at += size) found.push(all.slice(at, at + size));
  return found;
};
