import type { CompiledQuery, Kysely } from 'kysely';
import type { Fact, RecordedEvent } from '#libs/kernel';
import type { ViewTables } from './tables.ts';

/** A recorded event of a union, so that a switch on its type narrows its data. */
export type Recorded<E extends Fact> = E extends Fact ? RecordedEvent<E> : never;

export type Value = string | number | null;
export type Table = keyof ViewTables;

/** What a projection makes of one event: plain data, so that projections stay pure and SQL stands in one place. */
export type Change = Insert | Update;

export interface Insert {
  readonly kind: 'insert';
  readonly table: Table;
  readonly row: Readonly<Record<string, Value>>;
}

export interface Update {
  readonly kind: 'update';
  readonly table: Table;
  readonly where: Readonly<Record<string, Value>>;
  readonly set: Readonly<Record<string, Value>>;
  /** Columns to count up. */
  readonly add: Readonly<Record<string, number>>;
  /** one: the row must be there, or the events are out of order. any: as many as match, none included. */
  readonly rows: 'one' | 'any';
}

type Row<T extends Table> = { readonly [Column in keyof ViewTables[T]]: ViewTables[T][Column] };
type NumberColumn<R> = { [C in keyof R]: R[C] extends number | null ? C : never }[keyof R];

export const insert = <T extends Table>(table: T, row: Row<T>): Change => ({
  kind: 'insert',
  table,
  row: row as unknown as Insert['row'],
});

export const update = <T extends Table>(
  table: T,
  where: Partial<Row<T>>,
  set: Partial<Row<T>>,
  options: {
    readonly add?: Partial<Record<NumberColumn<ViewTables[T]>, number>>;
    readonly rows?: Update['rows'];
  } = {},
): Change => ({
  kind: 'update',
  table,
  where: where as Update['where'],
  set: set as Update['set'],
  add: (options.add ?? {}) as Update['add'],
  rows: options.rows ?? 'one',
});

/**
 * Writes changes; each shape of a change is compiled once. Throws when a row that must be there is not: then the
 * events came in another order than they were written.
 */
export const changeWriter = (
  db: Kysely<ViewTables>,
): ((on: Kysely<ViewTables>, change: Change) => Promise<void>) => {
  const compiled = new Map<string, CompiledQuery>();
  return async (on, change) => {
    const shape = shapeOf(change);
    let query = compiled.get(shape);
    if (query === undefined) {
      query = compile(db, change);
      compiled.set(shape, query);
    }
    const { numAffectedRows } = await on.executeQuery({
      ...query,
      parameters: parametersOf(change),
    });
    if (change.kind === 'update' && change.rows === 'one' && numAffectedRows !== 1n) {
      throw new Error(
        `${change.table}: expected one row with ${JSON.stringify(change.where)}, found ${String(numAffectedRows)}`,
      );
    }
  };
};

const shapeOf = (change: Change): string =>
  change.kind === 'insert'
    ? change.table
    : `${change.table}|${Object.keys(change.set).join()}|${Object.keys(change.add).join()}|${Object.keys(change.where).join()}`;

// The order in which `compile` lets Kysely meet them.
const parametersOf = (change: Change): readonly Value[] =>
  change.kind === 'insert'
    ? Object.values(change.row)
    : [...Object.values(change.set), ...Object.values(change.add), ...Object.values(change.where)];

// Shapes are data here, so Kysely's own column types cannot follow; `insert` and `update` have checked them.
const compile = (db: Kysely<ViewTables>, change: Change): CompiledQuery => {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const untyped = db as unknown as Kysely<Record<string, any>>;
  if (change.kind === 'insert')
    return untyped.insertInto(change.table).values(change.row).compile();
  let query = untyped.updateTable(change.table).set((expression) => ({
    ...change.set,
    ...Object.fromEntries(
      Object.entries(change.add).map(([column, by]) => [column, expression(column, '+', by)]),
    ),
  }));
  for (const [column, value] of Object.entries(change.where)) {
    query = query.where(column, '=', value);
  }
  return query.compile();
};
