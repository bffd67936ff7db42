import { withoutLookAlikes } from './look-alikes.ts';

/** A longer text is read up to here: it is free text in any case. */
const LONGEST_TEXT = 4096;

const NOT_ASCII = /[^\x20-\x7e]/;
/** What shows as nothing: zero-width, bidi, soft hyphen, fillers, variation selectors, tags (UAX #44). */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
const DIGIT = /\p{Nd}/u;

/**
 * The value of a decimal digit of any script. Unicode keeps every script's ten digits in one run, from zero to nine,
 * and runs that touch (the styled mathematical ones) are NFKC's business.
 */
const digitValue = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  let before = 0;
  while (before < 10 && DIGIT.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
};

/**
 * The text as a reader sees it, in ASCII where it can be: NFKC, without characters that show as nothing, digits of
 * every script as 0 to 9, look-alike letters and punctuation as the ASCII ones, blanks as one space.
 */
export const plainText = (text: string): string => {
  const bounded = text.slice(0, LONGEST_TEXT);
  if (!NOT_ASCII.test(bounded)) return bounded.trim();
  const seen = bounded
    .normalize('NFKC')
    .replace(UNSEEN, '')
    // eslint-disable-next-line no-control-regex -- digits that are not ASCII's
    .replace(/(?![\x00-\x7f])\p{Nd}/gu, digitValue);
  return withoutLookAlikes(seen)
    .replace(/[\p{Cc}\p{Z}\s]+/gu, ' ')
    .trim();
};
