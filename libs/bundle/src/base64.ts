const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;

const encoded = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const NONE = 0xff;
const decoded = new Uint8Array(256).fill(NONE);
encoded.forEach((code, value) => {
  decoded[code] = value;
});

/** Standard base64 (RFC 4648, section 4) as the bytes of its text: objects are too large to be strings first. */
export const base64Bytes = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PAD);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const three =
      (bytes[at]! << 16) | ((left > 1 ? bytes[at + 1]! : 0) << 8) | (left > 2 ? bytes[at + 2]! : 0);
    out[to] = encoded[three >> 18]!;
    out[to + 1] = encoded[(three >> 12) & 63]!;
    if (left > 1) out[to + 2] = encoded[(three >> 6) & 63]!;
    if (left > 2) out[to + 3] = encoded[three & 63]!;
    to += 4;
  }
  return out;
};

/** The bytes that base64 text spells, from `start` up to `end`; null for what is not the one way to write them. */
export const bytesOfBase64 = (text: Uint8Array, start: number, end: number): Uint8Array | null => {
  const length = end - start;
  if (length % 4 !== 0) return null;
  if (length === 0) return new Uint8Array();
  const padding = text[end - 1] !== PAD ? 0 : text[end - 2] !== PAD ? 1 : 2;
  const out = new Uint8Array((length / 4) * 3 - padding);
  const whole = end - (padding === 0 ? 0 : 4);
  let to = 0;
  for (let at = start; at < whole; at += 4) {
    const [a, b, c, d] = [
      decoded[text[at]!]!,
      decoded[text[at + 1]!]!,
      decoded[text[at + 2]!]!,
      decoded[text[at + 3]!]!,
    ];
    if ((a | b | c | d) > 63) return null;
    const three = (a << 18) | (b << 12) | (c << 6) | d;
    out[to] = three >> 16;
    out[to + 1] = three >> 8;
    out[to + 2] = three;
    to += 3;
  }
  if (padding > 0) {
    const [a, b] = [decoded[text[whole]!]!, decoded[text[whole + 1]!]!];
    const c = padding === 1 ? decoded[text[whole + 2]!]! : 0;
    // Bits below the last byte would be a second way to write it.
    if ((a | b | c) > 63 || (padding === 1 ? (c & 3) !== 0 : (b & 15) !== 0)) return null;
    out[to] = (a << 2) | (b >> 4);
    if (padding === 1) out[to + 1] = ((b & 15) << 4) | (c >> 2);
  }
  return out;
};
