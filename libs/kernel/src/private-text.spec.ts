import { describe, expect, it } from 'vitest';
import {
  holdsClearText,
  isSealedText,
  sealedProblem,
  sealedTextsIn,
  withoutKey,
} from './private-text.ts';
import { SEALED } from './testing/sealed-text.ts';

const ofBytes = (bytes: number) => ({
  ...SEALED,
  ciphertext: Buffer.alloc(bytes, 7).toString('base64'),
});

describe('the form of a sealed text', () => {
  it('is a key by its name, a nonce, and at least a byte beside the tag', () => {
    expect(isSealedText(SEALED)).toBe(true);
    for (const bytes of [17, 18, 19, 20, 916])
      expect([bytes, isSealedText(ofBytes(bytes))]).toEqual([bytes, true]);
    for (const bytes of [0, 1, 15, 16, 917])
      expect([bytes, isSealedText(ofBytes(bytes))]).toEqual([bytes, false]);
  });

  it.each([
    ['nothing', null],
    ['a text', 'enough'],
    ['a text in clear', { kind: 'plain', text: 'enough' }],
    ['another kind', { ...SEALED, kind: 'plain' }],
    ['a key with a name of its own', { ...SEALED, keyId: 'text-of-ada' }],
    ['a nonce of another length', { ...SEALED, nonce: 'AAAA' }],
    ['what is no base64', { ...SEALED, ciphertext: 'the data were replaced' }],
    ['a member more', { ...SEALED, text: 'enough' }],
  ])('is not that of %s', (_, value) => {
    expect(isSealedText(value)).toBe(false);
  });
});

it('lets a sealed text into a new event, and none in clear', () => {
  expect(sealedProblem(SEALED)).toBeNull();
  expect(sealedProblem({ kind: 'plain', text: 'enough' })).toMatch(
    /^found a text in clear.*expected/,
  );
});

it('tells an event that holds a text in clear', () => {
  expect(holdsClearText({ reason: { kind: 'plain', text: 'enough' } })).toBe(true);
  expect(holdsClearText({ reason: SEALED, message: 'plain', note: null })).toBe(false);
  expect(holdsClearText(null)).toBe(false);
});

it('finds the sealed texts among the members of an event, and shows that there is one', () => {
  expect(sealedTextsIn({ by: 'human', reason: SEALED, note: null })).toEqual([SEALED]);
  expect(sealedTextsIn({ note: { kind: 'plain', text: 'enough' } })).toEqual([]);
  expect(sealedTextsIn(null)).toEqual([]);
  expect(withoutKey(SEALED)).toBe('(sealed)');
  expect(withoutKey({ kind: 'plain', text: 'enough' })).toBe('enough');
});
