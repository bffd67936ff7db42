import { storableText } from '#libs/database';
import type { Fact, RecordedEvent } from '#libs/kernel';
import type { ChangingTable, GrowingTable, ProjectedTables } from './tables.ts';

/** A recorded event of a union, so that a switch on its type narrows its data. */
export type Recorded<E extends Fact> = E extends Fact ? RecordedEvent<E> : never;

export type Value = string | number | null;
export type Table = keyof ProjectedTables;
/** A row of any table, as it is stored. */
export type StoredRow = Readonly<Record<string, Value>>;

/** What a projection makes of one event: plain data, so that projections stay pure and SQL stands in one place. */
export type Change = Append | Insert | Update;

/** One more row of a table that only grows. */
export interface Append {
  readonly kind: 'append';
  readonly table: GrowingTable;
  readonly row: StoredRow;
}

export interface Insert {
  readonly kind: 'insert';
  readonly table: ChangingTable;
  readonly row: StoredRow;
  /** new: it must not be there, or the events are out of order. missing: where one is there, it stays as it is. */
  readonly rows: 'new' | 'missing';
}

export interface Update {
  readonly kind: 'update';
  readonly table: ChangingTable;
  readonly where: StoredRow;
  readonly set: StoredRow;
  /** Columns to count up. */
  readonly add: Readonly<Record<string, number>>;
  /** one: the row must be there, or the events are out of order. any: as many as match, none included. */
  readonly rows: 'one' | 'any';
}

type Row<T extends Table> = {
  readonly [Column in keyof ProjectedTables[T]]: ProjectedTables[T][Column];
};
type NumberColumn<R> = { [C in keyof R]: R[C] extends number | null ? C : never }[keyof R];

export const append = <T extends GrowingTable>(table: T, row: Row<T>): Change => ({
  kind: 'append',
  table,
  row: storable(row as unknown as StoredRow),
});

export const insert = <T extends ChangingTable>(
  table: T,
  row: Row<T>,
  rows: Insert['rows'] = 'new',
): Change => ({
  kind: 'insert',
  table,
  row: storable(row as unknown as StoredRow),
  rows,
});

export const update = <T extends ChangingTable>(
  table: T,
  where: Partial<Row<T>>,
  set: Partial<Row<T>>,
  options: {
    readonly add?: Partial<Record<NumberColumn<ProjectedTables[T]>, number>>;
    readonly rows?: Update['rows'];
  } = {},
): Change => ({
  kind: 'update',
  table,
  where: storable(where as StoredRow),
  set: storable(set as StoredRow),
  add: (options.add ?? {}) as Update['add'],
  rows: options.rows ?? 'one',
});

const storable = (values: StoredRow): StoredRow => {
  for (const value of Object.values(values)) {
    if (typeof value === 'string' && value !== storableText(value))
      return Object.fromEntries(
        Object.entries(values).map(([column, one]) => [
          column,
          typeof one === 'string' ? storableText(one) : one,
        ]),
      );
  }
  return values;
};
