/** The verifier of bundles as a page runs it: nothing of a server or of Node. Pure. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, equalBytes } from '@noble/curves/utils.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import {
  blobSource,
  verifyBundle,
  type AuditorTrust,
  type BundlePorts,
  type BundleVerdict,
  type VerifyRefusalCode,
} from '#libs/bundle';
import { fromBase64, isSoundPoint, type VerifyEd25519 } from '#libs/checkpoints';
import type { Refusal, Result } from '#libs/kernel';
import { attestedBytes, type VerifySignature } from '#libs/provenance';

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_DIGITS = 16;
const { Point } = ed25519;

/**
 * The equation without the cofactor, as OpenSSL has it: `[S]B - [k]A` is the R that was signed (RFC 8032, section 5.1.7).
 * The library's own verification multiplies both sides by the cofactor, and so takes a few signatures more.
 */
const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const [r, s] = [signature.subarray(0, POINT_BYTES), signature.subarray(POINT_BYTES)];
  if (signature.length !== SIGNATURE_BYTES || !isSoundPoint(publicKey) || !isSoundPoint(r))
    return false;
  try {
    const k = Point.Fn.create(bytesToNumberLE(sha512(concatBytes(r, publicKey, message))));
    const keyPart = Point.fromBytes(publicKey).multiplyUnsafe(k);
    // Throws for an S that is not below the order of B.
    const found = Point.BASE.multiplyUnsafe(bytesToNumberLE(s)).subtract(keyPart);
    return equalBytes(found.toBytes(), r);
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
