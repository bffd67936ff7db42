export { type Judge } from './judge.ts';
export {
  asNotary,
  lastSigned,
  LOG_TREE,
  sealLog,
  type Notary,
  type NotaryLedger,
  type NotaryOptions,
  type Sealed,
  type SealRefusal,
  type SealRefusalCode,
} from './notary.ts';
export { notarySigner } from './notary-key.ts';
