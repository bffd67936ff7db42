import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyIdOf, sign, verify, verifyBeside } from './attest.ts';
import { generateKey } from './key-file.ts';

const head = { runId: 'r', revision: 7, hash: 'ab'.repeat(32) };

describe('sign and verify', () => {
  const key = generateKey();
  const signature = sign(key, 'run-head', head);
  type Asked = Parameters<typeof verify>;

  it('holds for the very value, in any order of its fields', async () => {
    const { hash, revision, runId } = head;
    for (const value of [head, { hash, revision, runId }]) {
      const asked: Asked = [key.publicKey, 'run-head', value, signature];
      expect(verify(...asked)).toBe(true);
      expect(await verifyBeside(...asked)).toBe(true);
    }
  });

  it.each<[string, Asked]>([
    ['another value', [key.publicKey, 'run-head', { ...head, revision: 8 }, signature]],
    ['another context', [key.publicKey, 'training', head, signature]],
    ['another key', [generateKey().publicKey, 'run-head', head, signature]],
    ['another key id', [key.publicKey, 'run-head', head, { ...signature, keyId: '0'.repeat(16) }]],
    [
      'a second spelling of the same bytes',
      [
        key.publicKey,
        'run-head',
        head,
        { ...signature, value: signature.value.replaceAll('=', '') },
      ],
    ],
    ['a broken key', ['no key', 'run-head', head, signature]],
    ['a value that is no JSON', [key.publicKey, 'run-head', { x: NaN }, signature]],
  ])('does not hold for %s', async (_, asked) => {
    expect(verify(...asked)).toBe(false);
    expect(await verifyBeside(...asked)).toBe(false);
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
