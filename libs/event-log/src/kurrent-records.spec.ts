import { validate, version } from 'uuid';
import { expect, it } from 'vitest';
import { sha256 } from './hash-chain.ts';
import { serverIdOf, wholeNumber } from './kurrent-records.ts';

it('takes a UUID of version 8 from a hash, another one from another', () => {
  const ids = Array.from({ length: 200 }, (_, index) => serverIdOf(sha256(Buffer.from([index]))));
  expect(ids.every((id) => validate(id) && version(id) === 8)).toBe(true);
  expect(new Set(ids).size).toBe(200);
  expect(serverIdOf('0123456789abcdef'.repeat(4))).toBe('01234567-89ab-8def-8123-456789abcdef');
});

it('does not take a number beyond 2^53 for its neighbour', () => {
  expect(wholeNumber('9007199254740991', 'the position')).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => wholeNumber('9007199254740993', 'the position')).toThrow(
    'the position 9007199254740993',
  );
});
