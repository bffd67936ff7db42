import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { verifyRaw } from './attest.ts';

/** Where verifiers of Ed25519 differ, and what a verdict asks for. */
const { vectors } = JSON.parse(
  readFileSync(
    new URL('../../checkpoints/src/testdata/ed25519-vectors.json', import.meta.url),
    'utf8',
  ),
) as {
  readonly vectors: readonly Record<'what' | 'message' | 'publicKey' | 'signature', string>[];
};

it.each(vectors)('a signature is judged strictly: $what', (vector) => {
  const { message, publicKey, signature, ...of } = vector;
  const [key, signed, made] = [publicKey, message, signature].map((hex) => Buffer.from(hex, 'hex'));
  expect({ ...of, holds: verifyRaw(key!, signed!, made!) }).toEqual(of);
});
