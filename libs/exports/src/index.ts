/** Files for others: rows as CSV, JSON Lines and Parquet, written as they come; a finding in the formats of auditors. */
export * from './columns.ts';
export * from './delimited.ts';
export * from './parquet.ts';
export type { FindingEvidence } from './evidence.ts';
export * from './finding-exports.ts';
export { IN_TOTO_JSON, STATEMENT_TYPE, type EnvelopeSigner } from './slsa.ts';
