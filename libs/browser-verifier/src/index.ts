/** The verifier of bundles as a page runs it: nothing of a server or of Node. Pure. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import {
  blobSource,
  verifyBundle,
  type AuditorTrust,
  type BundlePorts,
  type BundleVerdict,
  type VerifyRefusalCode,
} from '#libs/bundle';
import { fromBase64, type VerifyEd25519 } from '#libs/checkpoints';
import type { Refusal, Result } from '#libs/kernel';
import { attestedBytes, type VerifySignature } from '#libs/provenance';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_DIGITS = 16;

/** By RFC 8032 and strictly so, as OpenSSL verifies. */
const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
};

const verifySignature: VerifySignature = (publicKey, context, value, { keyId, value: signed }) => {
  try {
    const key = fromBase64(publicKey);
    const signature = fromBase64(signed);
    if (key === null || signature === null) return false;
    if (keyId !== bytesToHex(sha256(key)).slice(0, KEY_ID_DIGITS)) return false;
    return verifyEd25519(key, attestedBytes(context, value), signature);
  } catch {
    return false;
  }
};

/** What the verifier needs, in JavaScript alone. */
export const WEB_PORTS: BundlePorts = {
  sha256: (bytes) => bytesToHex(sha256(bytes)),
  // Git's objects are named by SHA-1.
  sha1: (bytes) => bytesToHex(sha1(bytes)),
  sha256Bytes: sha256,
  verifyEd25519,
  verifySignature,
};

/**
 * Verifies a bundle that somebody dropped on a page; nothing of it leaves the page.
 *
 * @example
 * const verified = await verifyInBrowser(file, { logKey });
 */
export const verifyInBrowser = (
  file: Parameters<typeof blobSource>[0],
  trust: AuditorTrust,
): Promise<Result<BundleVerdict, Refusal<VerifyRefusalCode>>> =>
  verifyBundle(blobSource(file), trust, WEB_PORTS);
