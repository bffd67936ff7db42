import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { verifyRaw } from '#libs/signatures';
import { WEB_PORTS } from './index.ts';

const { Point } = ed25519;
const message = new TextEncoder().encode('what is signed');
const { secretKey, publicKey } = ed25519.keygen();

const numberOf = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const bytesOf = (number: bigint): Uint8Array =>
  Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();

/** A signature whose first half was moved by a point of small order: it holds times the cofactor, and only so. */
const moved = (by: string): Uint8Array<ArrayBuffer> => {
  const { scalar } = ed25519.utils.getExtendedPublicKey(secretKey);
  const nonce = 123_456_789n;
  const r = Point.BASE.multiply(nonce).add(Point.fromHex(by)).toBytes();
  const k = Point.Fn.create(numberOf(sha512(Buffer.concat([r, publicKey, message]))));
  return Uint8Array.from(Buffer.concat([r, bytesOf(Point.Fn.create(nonce + k * scalar))]));
};

const verdicts = (signature: Uint8Array, key = publicKey): readonly boolean[] => [
  WEB_PORTS.verifyEd25519(key, message, signature),
  verifyRaw(key, message, signature),
];

describe('a signature on a page', () => {
  const signature = ed25519.sign(message, secretKey);

  it('holds where it holds in Node', () => {
    expect(verdicts(signature)).toEqual([true, true]);
  });

  it('holds nowhere with a bit changed, another key or an S that is written a second way', () => {
    for (let at = 0; at < signature.length; at += 1)
      expect(verdicts(signature.with(at, signature[at]! ^ 1))).toEqual([false, false]);
    expect(verdicts(signature, ed25519.keygen().publicKey)).toEqual([false, false]);
    const s = numberOf(signature.subarray(32)) + Point.Fn.ORDER;
    expect(verdicts(Buffer.concat([signature.slice(0, 32), bytesOf(s)]))).toEqual([false, false]);
    expect(verdicts(signature.subarray(1))).toEqual([false, false]);
    expect(verdicts(signature, publicKey.slice(1))).toEqual([false, false]);
  });

  it('of somebody who has the key is judged alike, whatever he makes of it', () => {
    for (const point of ED25519_TORSION_SUBGROUP) {
      const made = moved(point);
      const isNeutral = Point.fromHex(point).is0();
      expect(ed25519.verify(made, message, publicKey, { zip215: false })).toBe(true);
      expect(verdicts(made), point).toEqual([isNeutral, isNeutral]);
    }
  });
});
