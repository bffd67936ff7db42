/** What a column holds. `json`: a value that is written as JSON text where the format has no such thing. */
export type ColumnType = 'text' | 'integer' | 'number' | 'time' | 'json';

export interface Column {
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** What it says, in a sentence. */
  readonly about: string;
}

/** The columns of a row, in the order in which they are written; one that may be null says so. */
export type Columns<Row> = {
  readonly [Name in keyof Row]-?: Column & {
    readonly nullable: null extends Row[Name] ? true : false;
  };
};

export type AnyColumns = Readonly<Record<string, Column>>;

/** Any row, as a record. */
export type AnyRow = Readonly<Record<string, unknown>>;

const column =
  <Nullable extends boolean>(type: ColumnType, nullable: Nullable) =>
  (about: string): Column & { readonly nullable: Nullable } => ({ type, nullable, about });

const columns = <Nullable extends boolean>(nullable: Nullable) => ({
  text: column('text', nullable),
  integer: column('integer', nullable),
  number: column('number', nullable),
  time: column('time', nullable),
  json: column('json', nullable),
});

/** Makes columns; each word takes what the column says. */
export const a = columns(false);

/** Columns that may be empty. */
export const maybe = columns(true);
