import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyIdOf, sign, verify } from './attest.ts';
import { generateKey } from './key-file.ts';

const head = { runId: 'r', revision: 7, hash: 'ab'.repeat(32) };

describe('sign and verify', () => {
  const key = generateKey();
  const signature = sign(key, 'run-head', head);

  it('holds for the very value, in any order of its fields', () => {
    expect(verify(key.publicKey, 'run-head', head, signature)).toBe(true);
    const { hash, revision, runId } = head;
    expect(verify(key.publicKey, 'run-head', { hash, revision, runId }, signature)).toBe(true);
  });

  it.each([
    ['another value', () => verify(key.publicKey, 'run-head', { ...head, revision: 8 }, signature)],
    ['another context', () => verify(key.publicKey, 'training', head, signature)],
    ['another key', () => verify(generateKey().publicKey, 'run-head', head, signature)],
    [
      'another key id',
      () => verify(key.publicKey, 'run-head', head, { ...signature, keyId: '0'.repeat(16) }),
    ],
    [
      'a second spelling of the same bytes',
      () =>
        verify(key.publicKey, 'run-head', head, {
          ...signature,
          value: signature.value.replaceAll('=', ''),
        }),
    ],
    ['a broken key', () => verify('no key', 'run-head', head, signature)],
    ['a value that is no JSON', () => verify(key.publicKey, 'run-head', { x: NaN }, signature)],
  ])('does not hold for %s', (_, verdict) => {
    expect(verdict()).toBe(false);
  });

  it('refuses to sign what is no JSON', () => {
    expect(() => sign(key, 'run-head', { x: NaN })).toThrow('NaN');
    expect(() => sign(key, 'run-head', undefined)).toThrow('JSON');
  });

  // RFC 8032, section 7.1, test 1: the public key of a known secret.
  it('names a key by SHA-256 of its raw bytes', () => {
    const pkcs8 = `302e020100300506032b657004220420${'9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'}`;
    const privateKey = createPrivateKey({
      key: Buffer.from(pkcs8, 'hex'),
      format: 'der',
      type: 'pkcs8',
    });
    const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
    expect(raw.toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    expect(keyIdOf(raw)).toBe('21fe31dfa154a261');
  });
});
