import { sealedProblem, type PrivateText } from '#libs/kernel';

/** What an agent may do with a finding, and what only people may. */
export const MANDATE = [
  { row: 'cohort-statistics', allowed: true, text: 'cohort-level statistical summaries' },
  { row: 'aggregate-trends', allowed: true, text: 'aggregate trends and patterns' },
  { row: 'individual-records', allowed: false, text: 'evaluating individual records' },
  { row: 'individual-decisions', allowed: false, text: 'prescriptive decisions for individuals' },
  {
    row: 'specific-recommendations',
    allowed: false,
    text: 'recommending actions for specific entities',
  },
  { row: 'applied-findings', allowed: false, text: 'applying findings to decisions' },
] as const;

export type MandateRow = (typeof MANDATE)[number]['row'];

/** A row that blocks. */
export type BlockedRow = Extract<(typeof MANDATE)[number], { allowed: false }>['row'];

/** Longest free text, in characters. */
export const MAXIMUM_TEXT = 300;

/**
 * What keeps a reason that a person gives from standing in the log: null when nothing does. People may say what
 * agents may not; but a reason is one line of plain text, not too long.
 */
export const reasonProblem = (text: string): string | null => {
  if (text.trim() === '') return 'found no reason, expected one: say why';
  if (text.length > MAXIMUM_TEXT)
    return `found a reason of ${text.length} characters, expected at most ${MAXIMUM_TEXT}`;
  return /\p{Cc}|\p{Cf}|\p{Cs}/u.test(text)
    ? 'found control or invisible characters in the reason, expected one line of plain text'
    : null;
};

/**
 * What keeps a human's text from standing in an event; null when nothing does. A sealed text can't be read: the edge
 * screened it, and its form is looked at here. One in clear is of an event of an older version, decided anew; what is
 * appended today is refused in clear by the runner's streams.
 */
export const humanTextProblem = (text: PrivateText): string | null =>
  text.kind === 'plain' ? reasonProblem(text.text) : sealedProblem(text);

/** A text of the agent's as one line of plain text, cut to the most that free text may have. */
export const plainText = (text: string): string =>
  // The cut can halve a character.
  text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .slice(0, MAXIMUM_TEXT)
    .toWellFormed();
