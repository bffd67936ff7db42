import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { sha256 } from '../../../merkle/src/testing/grown-tree.ts';
import {
  verifierKey,
  type NoteSigner,
  type SignatureType,
  type VerifyEd25519,
} from '../signed-note.ts';

/** What stands before the raw key in a SubjectPublicKeyInfo of Ed25519 (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const key = Buffer.concat([SPKI_PREFIX, publicKey]);
  return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
};

/** A signer of this name and kind, with a key that was made just now. */
export const signerOf = (name: string, type: SignatureType): NoteSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    key: verifierKey(sha256, name, type, raw),
    sign: (message) => sign(null, message, privateKey),
  };
};
