import { createPublicKey, hash, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isSoundPoint } from '#libs/checkpoints';
import type { Signature } from '#libs/kernel';
import { attestedBytes, type AttestationContext } from '#libs/provenance';

/** A key that signs. The private half stays inside; printing or serialising it shows nothing of it. */
export interface SigningKey {
  /** SHA-256 of the raw public key, first 16 hex digits. */
  readonly keyId: string;
  /** Base64 of the raw 32 bytes. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** What stands before the raw key in a SubjectPublicKeyInfo of Ed25519 (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const RAW_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/**
 * The bytes of a key or a signature. Only the one base64 form of them is taken, so that a signature can't be written in
 * two ways; and either begins with a point, which OpenSSL 3.0 would take of small order too.
 */
const decoded = (base64: string, bytes: number): Buffer | null => {
  const buffer = Buffer.from(base64, 'base64');
  return buffer.length === bytes &&
    isSoundPoint(buffer.subarray(0, RAW_KEY_BYTES)) &&
    buffer.toString('base64') === base64
    ? buffer
    : null;
};

/** The name of a public key: SHA-256 of its raw 32 bytes, first 16 hex digits. */
export const keyIdOf = (rawPublicKey: Uint8Array): string =>
  hash('sha256', rawPublicKey, 'hex').slice(0, 16);

/**
 * Ed25519 (RFC 8032) over `holdfast/<context>/v1`, a line feed and the UTF-8 of the RFC 8785 form of `value`.
 * Throws on what is no JSON data (NaN, lone surrogates, cycles).
 *
 * @example
 * const signature = sign(key, 'run-head', runHeadAttestation({ runId, revision, hash }));
 */
export const sign = (key: SigningKey, context: AttestationContext, value: unknown): Signature => ({
  keyId: key.keyId,
  value: signBytes(null, attestedBytes(context, value), key.privateKey).toString('base64'),
});

interface VerificationKey {
  readonly publicKey: string;
  readonly keyId: string;
  readonly key: KeyObject;
}

/** The key that was asked for last: a run's results are all signed by one. */
let latest: VerificationKey | null = null;

const verificationKey = (publicKey: string): VerificationKey | null => {
  if (latest?.publicKey === publicKey) return latest;
  const raw = decoded(publicKey, RAW_KEY_BYTES);
  if (raw === null) return null;
  const spki = Buffer.concat([SPKI_PREFIX, raw]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  latest = { publicKey, keyId: keyIdOf(raw), key };
  return latest;
};

/** Ed25519 (RFC 8032) over these very bytes: for formats that others made, such as C2SP signed notes. */
export const signRaw = ({ privateKey }: SigningKey, message: Uint8Array): Uint8Array =>
  Uint8Array.from(signBytes(null, message, privateKey));

/**
 * Whether this key (raw 32 bytes) signed these very bytes with Ed25519; false for what is malformed, or of small order.
 */
export const verifyRaw = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => {
  try {
    const key = verificationKey(Buffer.from(publicKey).toString('base64'));
    const isSound = isSoundPoint(signature.subarray(0, RAW_KEY_BYTES));
    return key !== null && isSound && verifyBytes(null, message, key.key, signature);
  } catch {
    return false;
  }
};

interface ToVerify {
  readonly message: Uint8Array;
  readonly key: KeyObject;
  readonly signature: Uint8Array;
}

/** Null for what is malformed. */
const toVerify = (
  publicKey: string,
  context: AttestationContext,
  value: unknown,
  signature: Signature,
): ToVerify | null => {
  try {
    const key = verificationKey(publicKey);
    const bytes = decoded(signature.value, SIGNATURE_BYTES);
    if (key === null || bytes === null || signature.keyId !== key.keyId) return null;
    return { message: attestedBytes(context, value), key: key.key, signature: bytes };
  } catch {
    return null;
  }
};

/**
 * Whether `signature` is `publicKey`'s (base64 of the raw 32 bytes) over `value` in this context. Never throws:
 * a malformed key, signature or value is a signature that doesn't hold.
 */
export const verify = (
  publicKey: string,
  context: AttestationContext,
  value: unknown,
  signature: Signature,
): boolean => {
  const asked = toVerify(publicKey, context, value, signature);
  try {
    return asked !== null && verifyBytes(null, asked.message, asked.key, asked.signature);
  } catch {
    return false;
  }
};

/**
 * As {@link verify}, but on one of libuv's threads: whoever has many signatures to verify goes on meanwhile. The caller
 * bounds how many are under way. Never rejects.
 */
export const verifyBeside = (
  publicKey: string,
  context: AttestationContext,
  value: unknown,
  signature: Signature,
): Promise<boolean> => {
  const asked = toVerify(publicKey, context, value, signature);
  if (asked === null) return Promise.resolve(false);
  return new Promise((answer) => {
    verifyBytes(null, asked.message, asked.key, asked.signature, (error, holds) => {
      answer(error === null && holds);
    });
  });
};
