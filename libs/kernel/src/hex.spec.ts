import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, isSha256, toHex } from './index.ts';

describe('hex', () => {
  it('spells bytes as Node does, and reads them again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const hex = toHex(bytes);
        expect(hex).toBe(Buffer.from(bytes).toString('hex'));
        expect(fromHex(hex)).toEqual(bytes);
      }),
    );
    expect(toHex(Uint8Array.of(0, 1, 0xab, 255), 1, 3)).toBe('01ab');
  });

  it.each(['0', '012', 'AB', '0x', 'g0', '0g', '/0', ':0', '`0', '00 ', '\u0660\u0660', '\uff10a'])(
    'reads no bytes out of %j',
    (text) => {
      expect(() => fromHex(text)).toThrow(RangeError);
    },
  );

  it('knows the form of a SHA-256', () => {
    const digest = '0123456789abcdef'.repeat(4);
    expect(isSha256(digest)).toBe(true);
    for (const other of [
      ...[digest.slice(1), `${digest}0`, digest.toUpperCase(), `${digest}\n`, ` ${digest}`],
      ...[[digest], null, undefined, 64],
    ])
      expect(isSha256(other)).toBe(false);
  });
});
