import { expect, it } from 'vitest';
import { isSoundPoint } from './ed25519.ts';
import { EDGE_CASES } from './testing/ed25519-vectors.ts';

const isSound = (hex: string): boolean => isSoundPoint(Buffer.from(hex, 'hex'));

it.each(EDGE_CASES)('a point of small order is none to sign with: $what', (vector) => {
  const { what, publicKey, signature } = vector;
  const points = [publicKey, signature.slice(0, 64)];
  expect(points.every(isSound)).toBe(!what.includes('small order'));
});

it('a point is written in one way', () => {
  const last = 'ff'.repeat(30);
  // 2²⁵⁵ − 19 is 0, what comes after it 1, 2, …; the highest bit is the sign of x.
  for (const y of ['ed', 'ee', 'f0', 'ff'])
    for (const sign of ['7f', 'ff']) expect(isSound(`${y}${last}${sign}`)).toBe(false);
  expect(isSound(`03${'00'.repeat(31)}`)).toBe(true);
  expect(isSound(`03${'00'.repeat(30)}`)).toBe(false);
});
