/**
 * The vault: individual data go in, grouped counts stay, one cohort table comes out. Importing this loads no
 * database; opening a vault does.
 */
export { LEAST_MINIMUM_CELL, checkDataPolicy, preLoopChecks } from './checks.ts';
export type { SplitCounts, VaultCounts } from './counts.ts';
export type { VaultRefusal } from './refusals.ts';
export type { Audit, DisclosureControl, Tally } from './disclosure/control.ts';
export type { Release, ReleaseAudit, ReleaseReport } from './release.ts';
export {
  checkDataRequest,
  type BaseCell,
  type CohortAnswer,
  type DataRequest,
} from './requests.ts';
export type { ColumnScreen } from './screen.ts';
export {
  currentSnapshot,
  SNAPSHOT_LIMITS,
  takeSnapshot,
  type Snapshot,
  type SnapshotLimits,
  type TakeSnapshot,
} from './snapshot.ts';
export { dataDigest } from './source.ts';
export { newSplitKey, SPLIT_KEY_BYTES, splitCommitment } from './split.ts';
export { surveyUndeclared, type UndeclaredColumn } from './survey.ts';
export { openVault, type EarlierRelease, type OpenVault, type Vault } from './vault.ts';
