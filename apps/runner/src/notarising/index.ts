export { NO_ANCHORS, openAnchors, tagSeries, type Anchor, type Anchored } from './anchors.ts';
export { followNotary, type NotaryDuty } from './follow-notary.ts';
export { type Judge } from './judge.ts';
export {
  notaryStatus,
  rotateKey,
  rotateKeyFile,
  settleAlarm,
  type NotaryStatus,
  type Rotated,
  type Settlement,
} from './keep-notary.ts';
export {
  lastSigned,
  LOG_TREE,
  type NotaryLedger,
  type NotaryOptions,
  type Sealed,
  type SealRefusal,
  type SealRefusalCode,
} from './notary.ts';
export { leavesOf } from './new-leaves.ts';
export { publishedCheckpoint, publishedTile, type PublishedRefusalCode } from './published-log.ts';
export { notarySigner } from './notary-key.ts';
export {
  openSealing,
  sealLog,
  type NotarySettings,
  type SealedAndAnchored,
  type Sealing,
} from './seal.ts';
