/** The verifier of bundles as a page runs it: nothing of a server or of Node. Pure. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
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
import { sameHash } from '#libs/merkle';
import { attestedBytes, type VerifySignature } from '#libs/provenance';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_DIGITS = 16;

const { Point } = ed25519;

/** A number as Ed25519 writes it, the lowest byte first. */
const numberOf = (bytes: Uint8Array): bigint =>
  BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`);

/**
 * [S]B = R + [k]A (RFC 8032, section 5.1.7), as OpenSSL and the second verifier have it. The library's own equation is
 * the one times the cofactor: whoever holds a key could make a signature that holds by one of the two alone, and two
 * auditors would see two verdicts.
 */
const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const r = signature.subarray(0, KEY_BYTES);
  if (!isSoundPoint(publicKey) || !isSoundPoint(r)) return false;
  const s = numberOf(signature.subarray(KEY_BYTES));
  try {
    const hash = sha512.create().update(r).update(publicKey).update(message).digest();
    const k = Point.Fn.create(numberOf(hash));
    // Refuses an S that is not below the order of B, and a key that is no point.
    const found = Point.BASE.multiplyUnsafe(s).subtract(
      Point.fromBytes(publicKey).multiplyUnsafe(k),
    );
    return sameHash(found.toBytes(), r);
  } catch {
    return false;
  }
};

const verifySignature: VerifySignature = (publicKey, context, value, signed) => {
  try {
    const key = fromBase64(publicKey);
    const signature = fromBase64(signed.value);
    if (key === null || signature === null) return false;
    if (signed.keyId !== bytesToHex(sha256(key)).slice(0, KEY_ID_DIGITS)) return false;
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
