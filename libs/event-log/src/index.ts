export { MAX_BATCH } from './admission.ts';
export * from './errors.ts';
export * from './event-types.ts';
export {
  canonicalJson,
  chain,
  MAX_EVENT_BYTES,
  parseBody,
  sha256,
  unchained,
  verifyHash,
  type ChainedEvent,
  type UnchainedEvent,
} from './hash-chain.ts';
export * from './kurrent-options.ts';
export * from './kurrent.ts';
export * from './memory-event-log.ts';
export * from './port.ts';
export { openSqliteEventLog, type OpenedSqliteEventLog } from './sqlite-event-log.ts';
export type { LogUnreadable, Recovery } from './sqlite-file.ts';
export { decodeStored } from './stored-event.ts';
export { streamHead } from './stream-head.ts';
