/** The notary: what was signed of the log as a whole, and who else holds it. */
export {
  acceptanceText,
  acceptedText,
  isSameAppend,
  shownAppend,
  type Accepted,
} from './append.ts';
export * from './decider.ts';
export * from './events.ts';
export {
  commitmentLines,
  headLeaf,
  streamHeads,
  type HeadsTree,
  type StreamHead,
} from './heads.ts';
export { notaryReplay } from './replay.ts';
export { NOTARY_UPCASTERS } from './upcasters.ts';
export { notaryKey, signNote, type NotarySigner } from './signer.ts';
