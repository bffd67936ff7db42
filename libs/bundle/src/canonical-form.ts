import canonicalize from 'canonicalize';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

/** Where the name before the one that is read begins and ends, at each level; 0 for none. */
const DEEPEST = 64;
const begins = new Int32Array(DEEPEST);
const ends = new Int32Array(DEEPEST);

/** Whether one piece of a text comes before another, code unit by code unit. */
const isBefore = (text: string, a: number, aEnd: number, b: number, bEnd: number): boolean => {
  while (a < aEnd && b < bEnd) {
    const difference = text.charCodeAt(a) - text.charCodeAt(b);
    if (difference !== 0) return difference < 0;
    a += 1;
    b += 1;
  }
  return aEnd - a < bEnd - b;
};

/** Where a number ends. */
const numberEnd = (text: string, from: number): number => {
  let at = from + 1;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && code !== POINT && code !== PLUS && code !== MINUS && !isLetter(code))
      break;
  }
  return at;
};

/** Digits that a double holds whatever they are: no other number is written with them. */
const EXACT_DIGITS = 15;

const isPlainNumber = (text: string, from: number, to: number): boolean => {
  if (to - from <= EXACT_DIGITS && text.charCodeAt(from) !== MINUS) {
    let at = from;
    while (at < to && isDigit(text.charCodeAt(at))) at += 1;
    if (at === to) return true;
  }
  const number = text.slice(from, to);
  return String(Number(number)) === number;
};

/**
 * Whether a text that is JSON is written as RFC 8785 writes it: names in order, numbers as ECMAScript prints them, no
 * white space. False too where a closer look has to tell: for escapes, and for what is nested very deep.
 */
const isPlainlyCanonical = (text: string): boolean => {
  if (text.includes('\\')) return false;
  let depth = 0;
  begins[0] = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const from = at + 1;
      const to = text.indexOf('"', from);
      at = to + 1;
      if (text.charCodeAt(at) !== COLON) continue;
      const last = begins[depth]!;
      if (last > 0 && !isBefore(text, last, ends[depth]!, from, to)) return false;
      begins[depth] = from;
      ends[depth] = to;
    } else if (code === BRACE_OPEN || code === BRACKET_OPEN) {
      depth += 1;
      if (depth === DEEPEST) return false;
      begins[depth] = 0;
      at += 1;
    } else if (code === BRACE_CLOSE || code === BRACKET_CLOSE) {
      depth -= 1;
      at += 1;
    } else if (code === MINUS || isDigit(code)) {
      const from = at;
      at = numberEnd(text, from);
      if (!isPlainNumber(text, from, at)) return false;
    } else if (code === COMMA || code === COLON || isLetter(code)) at += 1;
    else return false;
  }
  return true;
};

/** What bytes spell as JSON (`undefined`: nothing), and whether they are the RFC 8785 form of it. */
export interface Spelled {
  readonly value: unknown;
  readonly isCanonical: boolean;
}

/** Reads JSON. Most of it is seen to be canonical without writing it again, which would cost as much as reading it. */
export const spelled = (bytes: Uint8Array): Spelled => {
  let value: unknown;
  try {
    const text = strict.decode(bytes);
    value = JSON.parse(text);
    return { value, isCanonical: isPlainlyCanonical(text) || canonicalize(value) === text };
  } catch {
    return { value, isCanonical: false };
  }
};
