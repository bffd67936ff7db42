/** Signed commitments to a log at a size: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof. Pure. */
export { fromBase64, toBase64 } from './base64.ts';
export { formatCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
export { isSoundPoint } from './ed25519.ts';
export {
  cosign,
  formatNote,
  formatSignature,
  formatVerifierKey,
  isKeyName,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  signText,
  verifierKey,
  verifyNote,
  type NoteRefusalCode,
  type NoteSignature,
  type NoteSigner,
  type SignatureType,
  type SignedNote,
  type VerifiedSignature,
  type VerifierKey,
  type VerifyEd25519,
} from './signed-note.ts';
export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts';
