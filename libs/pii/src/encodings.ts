import { decodeHTML } from 'entities';
import { plainText } from './normalise.ts';

/** Most readings of one text that are looked at, and how deep encodings are taken off one another. */
const MOST_READINGS = 12;
const DEPTH = 2;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const fromBytes = (bytes: Uint8Array): string | null => {
  try {
    const text = utf8.decode(bytes);
    // What decodes to control characters was no text.
    // eslint-disable-next-line no-control-regex -- those are what is looked for
    return /[\x00-\x08\x0e-\x1f\x7f]/.test(text) ? null : text;
  } catch {
    return null;
  }
};

const bytesOf = (binary: string): Uint8Array =>
  Uint8Array.from(binary, (character) => character.charCodeAt(0) & 0xff);

const percent = (text: string): string | null =>
  /%[0-9a-f]{2}/i.test(text) ? unescapeBytes(text, /%([0-9a-f]{2})/gi) : null;

const quotedPrintable = (text: string): string | null =>
  /=[0-9a-f]{2}/i.test(text)
    ? unescapeBytes(text.replace(/=\r?\n/g, ''), /=([0-9a-f]{2})/gi)
    : null;

/** Replaces escapes of bytes in a text that may hold other characters too. */
const unescapeBytes = (text: string, escape: RegExp): string | null => {
  const binary = text.replace(escape, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  if ([...binary].some((character) => (character.codePointAt(0) ?? 0) > 0xff)) return binary;
  return fromBytes(bytesOf(binary)) ?? binary;
};

const backslashes = (text: string): string | null =>
  /\\(u\{?[0-9a-f]{2,6}|x[0-9a-f]{2})/i.test(text)
    ? text.replace(
        /\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2}))/gi,
        (whole, long?: string, short?: string, byte?: string) => {
          const code = Number.parseInt(long ?? short ?? byte ?? '', 16);
          return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
        },
      )
    : null;

const entityText = (text: string): string | null =>
  /&[#a-z0-9]{2,32};?/i.test(text) ? decodeHTML(text) : null;

const base64 = (text: string): string | null => {
  const compact = text.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/');
  if (compact.length < 8 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return null;
  const body = compact.replace(/=+$/, '');
  if (body.length % 4 === 1) return null;
  return fromBytes(bytesOf(atob(body)));
};

const hex = (text: string): string | null => {
  const compact = text.replace(/^0x/i, '').replace(/[\s:]+/g, '');
  if (compact.length < 12 || compact.length % 2 === 1 || !/^[0-9a-f]+$/i.test(compact)) return null;
  const bytes = compact.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  // Digits alone are a number far more often than a text in hexadecimal.
  if (!/[a-f]/i.test(compact) && !bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return null;
  return fromBytes(Uint8Array.from(bytes));
};

/** UTF-16 that was read as single bytes (a zero after every letter), or single bytes that were read as UTF-16. */
const utf16 = (text: string): string | null => {
  if (/[^\0]\0[^\0]\0/.test(text) || /\0[^\0]\0[^\0]/.test(text)) return text.replaceAll('\0', '');
  // eslint-disable-next-line no-control-regex -- ASCII is no such reading
  if (text.length < 4 || /[\x00-\xff]/.test(text)) return null;
  const readings = [0, 8].map((shift) =>
    Array.from({ length: text.length * 2 }, (_, i) => {
      const code = text.charCodeAt(i >> 1);
      return String.fromCharCode((code >> (i % 2 === 0 ? shift : 8 - shift)) & 0xff);
    }).join(''),
  );
  return readings.find((reading) => /^[\x20-\x7e]+$/.test(reading)) ?? null;
};

/** UTF-8 that was read as Latin-1. */
const latin1 = (text: string): string | null =>
  /[\xc2-\xf4][\x80-\xbf]/.test(text) && !/[^\0-\xff]/.test(text) ? fromBytes(bytesOf(text)) : null;

/** "name (at) example (dot) org" */
const spelledOut = (text: string): string | null =>
  /[([{<]\s*(at|dot|@|\.)\s*[)\]}>]/i.test(text)
    ? text
        .replace(/\s*[([{<]\s*(?:at|@)\s*[)\]}>]\s*/gi, '@')
        .replace(/\s*[([{<]\s*(?:dot|\.)\s*[)\]}>]\s*/gi, '.')
    : null;

const DECODERS = [
  utf16,
  latin1,
  percent,
  entityText,
  backslashes,
  quotedPrintable,
  base64,
  hex,
  spelledOut,
] as const;

/**
 * A text as it stands and as it reads once encodings are taken off, each in {@link plainText}: percent, HTML
 * entities, backslash escapes, quoted-printable, base64, hexadecimal, UTF-16 and UTF-8 read wrongly, "at" and "dot"
 * spelt out. At most 12 readings, two encodings deep.
 */
export const readings = (text: string): readonly string[] => {
  // A number is a number, and most of what is read is one; but digits in hexadecimal are digits too.
  if (/^\d{1,20}$/.test(text) && !/^(?:3\d){6,}$/.test(text)) return [text];
  const plain = plainText(text);
  const found = new Set([plain]);
  let layer: readonly string[] = plain === text ? [text] : [text, plain];
  for (let depth = 0; depth < DEPTH; depth += 1) {
    const next = layer.flatMap((each) =>
      DECODERS.map((decode) => decode(each)).filter((read) => read !== null),
    );
    for (const each of next) if (found.size < MOST_READINGS) found.add(plainText(each));
    layer = next.slice(0, MOST_READINGS);
  }
  found.delete('');
  return [...found];
};
