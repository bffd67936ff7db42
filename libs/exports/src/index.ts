/** Files for others: rows as CSV, JSON Lines and Parquet, written as they come; a finding in the formats of auditors. */
export * from './columns.ts';
export * from './delimited.ts';
export * from './parquet.ts';
export * from './evidence.ts';
export * from './finding-exports.ts';
export {
  BUILD_TYPE,
  IN_TOTO_JSON,
  SLSA_PROVENANCE,
  STATEMENT_TYPE,
  type EnvelopeSigner,
} from './slsa.ts';
