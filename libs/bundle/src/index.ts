/** One file for a finding or a run that verifies offline: the format, its writer, its reader, its verifier. Pure. */
export {
  byCodeUnits,
  isPlaced,
  LIMITS,
  NOTARY,
  type BundledStream,
  type BundleHeader,
  type Leaf,
  type ObjectType,
  type Subject,
} from './format.ts';
export {
  composeBundle,
  type BundleWorld,
  type Composed,
  type ComposeRefusalCode,
} from './compose-bundle.ts';
export {
  openBundle,
  type BundleRefusalCode,
  type OpenedBundle,
  type ShownEvent,
} from './read-bundle.ts';
export { blobSource, bytesSource, type BundleSource } from './source.ts';
export type { RestsOn, StandingLine } from './standing.ts';
export { readBody, type ChainedBody } from './notary-stream.ts';
export { summary, type Summary } from './summary.ts';
export type { BundlePorts } from './ports.ts';
export type { AuditorTrust, VerifyTimestamp } from './trust.ts';
export { verifyBundle, type BundleVerdict, type VerifyRefusalCode } from './verify-bundle.ts';
export type { FindingInBundle } from './verify-findings.ts';
export {
  writeBundle,
  type BundleContent,
  type EventToBundle,
  type StreamToBundle,
} from './write-bundle.ts';
