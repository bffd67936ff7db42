import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

// Marks that turn the direction of the text after them, and those that take no room: text that shows other than it reads.
const INVISIBLE = /[\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/gu;

/** One line of what an agent or a program wrote, with nothing in it that a terminal would act on. */
export const clean = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(INVISIBLE, '')
    .replace(CONTROL, ' ')
    .replace(/ {2,}/gu, ' ')
    .trim();

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that it takes in a terminal. */
export const widthOf = (text: string): number => stringWidth(text);

/** `text` in at most `width` columns, with … for what is cut off. */
export const fit = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  let taken = '';
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += widthOf(segment);
    if (columns > width - 1) break;
    taken += segment;
  }
  return `${taken.trimEnd()}…`;
};

/** Text before colour, cut or filled up to exactly `width` columns. */
export const padEnd = (text: string, width: number): string => {
  const fitted = fit(text, width);
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)));
};

export const padStart = (text: string, width: number): string => {
  const fitted = fit(text, width);
  return ' '.repeat(Math.max(0, width - widthOf(fitted))) + fitted;
};

/** Spaces that no line may end at: `3.9 %`, `n = 3504`, `0.03 → 0.1`. */
const GLUED = / (?=[%=→])|(?<=[=→]) /gu;
const GLUE = '\u00a0';

/**
 * Lines of at most `width` columns, broken at spaces; a word that is longer by itself is broken where it must. Of more
 * lines than `most` the last ends with …
 */
export const wrap = (text: string, width: number, most = Infinity): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.replace(GLUED, GLUE).split(' ')) {
    let rest = word;
    if (line !== '' && widthOf(line) + 1 + widthOf(rest) <= width) {
      line += ` ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (widthOf(rest) > width) {
      const head = fit(rest, width + 1).slice(0, -1);
      if (head === '') break;
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  const whole = [...lines, line].map((one) => one.replaceAll(GLUE, ' '));
  return whole.length <= most
    ? whole
    : [...whole.slice(0, most - 1), fit(whole.slice(most - 1).join(' '), width)];
};

/** Git objects and digests, long enough to look them up. */
export const short = (hex: string): string => hex.slice(0, 12);

/** A text with every git object and digest in it made short. */
export const shortHashes = (text: string): string => text.replace(/\b[0-9a-f]{40,64}\b/gu, short);

export const count = (value: number): string => value.toLocaleString('en-US');

/** Budget units: whole where they are. */
export const units = (value: number): string => String(Math.round(value * 100) / 100);

export const metric = (value: number): string => value.toFixed(4);

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;

/** With its sign, a real minus; three digits or so. */
export const signedPercent = (share: number): string => {
  const size = Math.abs(share * 100);
  return `${share < 0 ? '−' : '+'}${size.toFixed(size < 10 ? 2 : 1)} %`;
};

/** A chart's sum, in the digits that its size deserves. */
export const sum = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 3 : 1);

/** A bar of `width` columns, filled by `share` from 0 to 1. */
export const bar = (share: number, width: number): { filled: string; empty: string } => {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return { filled: '█'.repeat(filled), empty: '░'.repeat(width - filled) };
};

/** RFC 3339 as people read it, in UTC. */
export const moment = (time: string): string => time.slice(0, 19).replace('T', ' ');

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');

/**
 * Calls the dimensions that were planted in the data on purpose by that word, wherever a text names one. The word
 * stands before the name, so that cutting the text short can't part them.
 */
export const callPlanted = (text: string, planted: readonly string[]): string =>
  planted.reduce((called, name) => {
    const spelled = escapeRegExp(name).replaceAll(/[_-]+/gu, '[ _-]+');
    const named = new RegExp(
      `(?<!planted )(?<![\\p{L}\\p{N}_])${spelled}(?![\\p{L}\\p{N}_]|, planted)`,
      'giu',
    );
    return called.replace(named, (match, at: number) =>
      at === 0 && match[0] !== match[0]?.toLowerCase()
        ? `Planted ${match.toLowerCase()}`
        : `planted ${match}`,
    );
  }, text);
