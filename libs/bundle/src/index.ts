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
export {
  verifyBundle,
  type AuditorTrust,
  type BundlePorts,
  type BundleVerdict,
  type FindingInBundle,
  type VerifyRefusalCode,
  type VerifyTimestamp,
} from './verify-bundle.ts';
export {
  writeBundle,
  type BundleContent,
  type EventToBundle,
  type StreamToBundle,
} from './write-bundle.ts';
