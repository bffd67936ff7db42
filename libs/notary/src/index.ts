/** The notary: what was signed of the log as a whole, and who else holds it. */
export * from './decider.ts';
export * from './events.ts';
export { notaryReplay } from './replay.ts';
export { notaryKey, signNote, type NotarySigner } from './signer.ts';
