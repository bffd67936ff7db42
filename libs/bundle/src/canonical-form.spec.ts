import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spelled } from './canonical-form.ts';

const utf8 = new TextEncoder();
const isCanonical = (text: string): boolean => spelled(utf8.encode(text)).isCanonical;

/** The definition, without the quick look. */
const isCanonicalByDefinition = (text: string): boolean => {
  try {
    return canonicalize(JSON.parse(text)) === text;
  } catch {
    return false;
  }
};

describe('the canonical form', () => {
  it('of any value is taken, and gives that value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = canonicalize(value)!;
        expect(spelled(utf8.encode(text))).toEqual({ value: JSON.parse(text), isCanonical: true });
      }),
      { numRuns: 2_000 },
    );
  });

  it('is what the definition says of any other way to write a value', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.nat(),
        fc.constantFrom(' ', '\n', '0', '-', '.0', 'e1', '"a":1,', ',', '\\u0061', '1', 'é', '\t'),
        (value, place, more) => {
          const text = JSON.stringify(value);
          const at = place % (text.length + 1);
          for (const changed of [
            text,
            `${text.slice(0, at)}${more}${text.slice(at)}`.toWellFormed(),
          ])
            expect(isCanonical(changed), changed).toBe(isCanonicalByDefinition(changed));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['{"a":1,"b":2}', true],
    ['{"b":1,"a":2}', false],
    ['{"a":1,"a":1}', false],
    ['{"a":1,"a":2,"b":3}', false],
    ['{"a":{"b":1},"aa":[{"b":1,"c":2},{"a":1}]}', true],
    ['{"a":[{"b":1,"a":2}]}', false],
    ['{"10":1,"9":2}', true],
    ['{"9":1,"10":2}', false],
    ['{"":1,"a":2}', true],
    ['{"a":1,"":2}', false],
    ['{"\u20ac":1,"\ud83d\ude00":2,"\ufb33":3}', true],
    ['{"\ufb33":1,"\ud83d\ude00":2}', false],
    ['{"a\\u0000":1}', true],
    ['{"\\u0061":1}', false],
    ['{"a":"\\ud800"}', false],
    ['[1,-1,0.5,1e+21,1e-7,123456789012345,0]', true],
    ['[1.0]', false],
    ['[-0]', false],
    ['[1E21]', false],
    ['[1e21]', false],
    ['[10000000000000000000000]', false],
    ['[0.1e1]', false],
    ['[9007199254740993]', false],
    ['[9007199254740992]', true],
    ['[1e999]', false],
    ['["\\n\\"\\\\"]', true],
    ['["\\/"]', false],
    ['["\u2028\u007f"]', true],
    ['[ 1]', false],
    ['[1]\n', false],
    ['\ufeff[1]', false],
    ['[true,false,null,""]', true],
    ['[NaN]', false],
    ['', false],
    [`${'['.repeat(100)}${']'.repeat(100)}`, true],
    [`${'{"b":'.repeat(100)}1${',"a":1}'.repeat(100)}`, false],
  ])('of %s', (text, expected) => {
    expect(isCanonicalByDefinition(text)).toBe(expected);
    expect(isCanonical(text)).toBe(expected);
  });

  it('is none of bytes that are no text', () => {
    expect(spelled(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)).isCanonical).toBe(false);
    expect(spelled(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({
      value: undefined,
      isCanonical: false,
    });
  });
});
