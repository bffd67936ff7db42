const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/**
 * Bytes, a name's or a hash's, as lower-case hex digits, two for each, from one place to before another; all of them
 * by default. Made at once, not piece by piece: every entry of every git tree comes by here.
 * `Uint8Array.prototype.toHex`, where a browser has it, is not in Node 24.
 */
export const toHex = (bytes: Uint8Array, from = 0, to = bytes.length): string => {
  const codes: number[] = [];
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    codes.push(DIGITS[byte >> 4]!, DIGITS[byte & 15]!);
  }
  return String.fromCharCode(...codes);
};

/** What each character is worth, by its code; -1 where it is no digit. */
const WORTH = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code)),
);
const digitAt = (hex: string, at: number): number => WORTH[hex.charCodeAt(at)] ?? -1;

/**
 * The bytes that lower-case hex digits spell. What a stranger wrote is to be looked at first.
 * @throws RangeError for anything else
 */
export const fromHex = (hex: string): Uint8Array => {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < hex.length; at += 2) {
    const [high, low] = [digitAt(hex, at), digitAt(hex, at + 1)];
    if (high < 0 || low < 0) throw new RangeError(`no hex digits: ${hex.slice(0, 80)}`);
    bytes[at / 2] = 16 * high + low;
  }
  return bytes;
};

/** SHA-256 as Holdfast writes it: 64 lower-case hex digits. */
export const SHA256_HEX = /^[0-9a-f]{64}$/;

export const isSha256 = (value: unknown): value is string =>
  typeof value === 'string' && SHA256_HEX.test(value);
