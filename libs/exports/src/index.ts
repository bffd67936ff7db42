/** Rows as files: CSV, JSON Lines and Parquet, written as they come. */
export * from './columns.ts';
export * from './delimited.ts';
export * from './parquet.ts';
