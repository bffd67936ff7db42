import { sign as signBytes } from 'node:crypto';
import type { Signature } from '#libs/kernel';
import type { SigningKey } from './attest.ts';

/**
 * What a DSSE signature covers (secure-systems-lab/dsse, protocol.md, PAE). It starts with `DSSEv1`, so that no such
 * signature passes for one of {@link sign}'s, which start with `holdfast/`.
 */
export const preAuthEncoding = (payloadType: string, payload: Uint8Array): Uint8Array => {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `, 'utf8'),
    type,
    Buffer.from(` ${payload.length} `, 'utf8'),
    payload,
  ]);
};

/** Signs a payload for a DSSE envelope: Ed25519 (RFC 8032) over its {@link preAuthEncoding}. */
export const signEnvelope = (
  key: SigningKey,
  payloadType: string,
  payload: Uint8Array,
): Signature => ({
  keyId: key.keyId,
  value: signBytes(null, preAuthEncoding(payloadType, payload), key.privateKey).toString('base64'),
});
