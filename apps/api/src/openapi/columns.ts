import type { AnyColumns, Column } from '#libs/exports';

const SCHEMAS = {
  text: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  time: { type: 'string', format: 'date-time' },
  json: {},
} as const;

const schemaOf = ({ type, nullable, about }: Column) => ({
  ...SCHEMAS[type],
  description: about,
  ...(nullable && type !== 'json' && { nullable: true }),
});

/** The schema of a row with these columns. */
export const rowSchema = (columns: AnyColumns) => ({
  type: 'object' as const,
  required: Object.keys(columns),
  properties: Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, schemaOf(column)]),
  ),
});

/** The schema of a page of such rows, and of what the page says `more`. */
export const pageSchema = (columns: AnyColumns, more: Readonly<Record<string, object>> = {}) => ({
  type: 'object' as const,
  required: ['rows', 'next', ...Object.keys(more)],
  properties: {
    rows: { type: 'array' as const, items: rowSchema(columns) },
    next: {
      type: 'string' as const,
      nullable: true,
      description: 'Pass it as `cursor` to go on; null: that was all',
    },
    ...more,
  },
});
