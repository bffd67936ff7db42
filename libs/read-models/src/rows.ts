import type { CompiledQuery, Kysely } from 'kysely';
import type { StoredRow, Table, Value } from './change.ts';
import { perTable, type Needed, type PerTable, type Written } from './fold.ts';
import { KEYS, PROJECTED, type ViewTables } from './tables.ts';

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
  readonly write: (on: Kysely<ViewTables>, written: PerTable<Written>) => Promise<void>;
}

// Tables are data here, so Kysely's own column types cannot follow; `insert` and `update` have checked them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Untyped = Kysely<Record<string, any>>;
const untyped = (db: Kysely<ViewTables>): Untyped => db;

/** Compiles each statement once. */
export const rowAccess = (): RowAccess => {
  const compiled = new Map<string, CompiledQuery>();
  const statement = (name: string, make: () => CompiledQuery): CompiledQuery => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const made = make();
    compiled.set(name, made);
    return made;
  };

  const readKeys = async (
    on: Kysely<ViewTables>,
    table: Table,
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
    table: Table,
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

  const writeRows = async (
    on: Kysely<ViewTables>,
    table: Table,
    rows: readonly StoredRow[],
    over: 'nothing' | 'the row',
  ): Promise<void> => {
    const columns = Object.keys(rows[0] ?? {}).toSorted();
    for (const part of parts(rows)) {
      const query = statement(`${over}|${table}|${part.length}`, () =>
        compileWrite(on, table, columns, part.length, over),
      );
      const parameters = part.flatMap((row) => columns.map((column) => valueOf(row, column)));
      await on.executeQuery({ ...query, parameters });
    }
  };

  return {
    read: async (on, needed) => {
      const found = perTable((): readonly StoredRow[] => []) as Record<Table, readonly StoredRow[]>;
      for (const table of PROJECTED) found[table] = await readTable(on, table, needed[table]);
      return found;
    },
    write: async (on, written) => {
      for (const table of PROJECTED) {
        await writeRows(on, table, written[table].fresh, 'nothing');
        await writeRows(on, table, written[table].changed, 'the row');
      }
    },
  };
};

const compileWrite = (
  on: Kysely<ViewTables>,
  table: Table,
  columns: readonly string[],
  count: number,
  over: 'nothing' | 'the row',
): CompiledQuery => {
  const row = Object.fromEntries(columns.map((column) => [column, 0]));
  const query = untyped(on)
    .insertInto(table)
    .values(Array.from({ length: count }, () => row));
  if (over === 'nothing') return query.compile();
  const key: string = KEYS[table];
  return query
    .onConflict((conflict) =>
      conflict
        .column(key)
        .doUpdateSet((expression) =>
          Object.fromEntries(
            columns
              .filter((column) => column !== key)
              .map((column) => [column, expression.ref(`excluded.${column}`)]),
          ),
        ),
    )
    .compile();
};

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
