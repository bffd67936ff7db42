import {
  formatNote,
  SIGNATURE_TYPES,
  verifierKey,
  type NoteSignature,
  type VerifierKey,
} from '#libs/checkpoints';
import type { Sha256 } from '#libs/merkle';

/**
 * Whoever holds a key of the notary: a file, the environment, or a key management service, which signs without ever
 * giving the key away.
 *
 * Promises: `sign` gives the 64 bytes of Ed25519 (RFC 8032, pure, no prehash) by the private half of `publicKey`, or
 * throws where the holder can't be reached or refuses. The same message may be asked for twice.
 */
export interface NotarySigner {
  /** The raw 32 bytes of Ed25519. */
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

/** The key under which this log's notes are verified: keys of a log are named as its origin. */
export const notaryKey = (
  sha256: Sha256,
  origin: string,
  { publicKey }: Pick<NotarySigner, 'publicKey'>,
): VerifierKey => verifierKey(sha256, origin, SIGNATURE_TYPES.ed25519, publicKey);

const utf8 = new TextEncoder();

/** A text that ends in a newline, signed by each of the signers in turn (C2SP signed-note). */
export const signNote = async (
  sha256: Sha256,
  origin: string,
  signers: readonly NotarySigner[],
  text: string,
): Promise<string> => {
  const signatures: NoteSignature[] = [];
  for (const signer of signers) {
    const { name, id } = notaryKey(sha256, origin, signer);
    signatures.push({ name, id, signature: await signer.sign(utf8.encode(text)) });
  }
  return formatNote({ text, signatures });
};
