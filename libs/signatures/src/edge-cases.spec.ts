import { expect, it } from 'vitest';
import { EDGE_CASES } from '../../checkpoints/src/testing/ed25519-vectors.ts';
import { verifyRaw } from './attest.ts';

it.each(EDGE_CASES)('a signature is judged strictly: $what', (vector) => {
  const { message, publicKey, signature, ...of } = vector;
  const [key, signed, made] = [publicKey, message, signature].map((hex) => Buffer.from(hex, 'hex'));
  expect({ ...of, holds: verifyRaw(key!, signed!, made!) }).toEqual(of);
});
