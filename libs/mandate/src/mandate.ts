import type { Breach } from '#libs/harness';

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

/** Longest free text, in characters. */
export const MAXIMUM_TEXT = 300;

const PERSON =
  '(?:person|individual|applicant|borrower|patient|tenant|employee|customer|worker|subject)';

/** What gives a blocked row away in free text. A screen, not a proof: the types of a finding are the wall. */
const SIGNS: readonly (readonly [MandateRow, RegExp])[] = [
  [
    'individual-records',
    new RegExp(
      `\\b(?:row|record|line|id|${PERSON})\\s*(?:#|no\\.?|number|id)?\\s*[:=]?\\s*\\d+`,
      'iu',
    ),
  ],
  [
    'individual-records',
    new RegExp(`\\b(?:this|that|each|every|a single|one)\\s+${PERSON}\\b`, 'iu'),
  ],
  ['individual-records', /\b(?:individual|raw|single)[- ](?:level )?(?:row|record|case)s?\b/iu],
  ['individual-records', /[\w.+-]+@[\w-]+\.\w+|\b\d{3}-\d{2}-\d{4}\b|(?<![\d.])\d{9,}(?![\d.])/u],
  [
    'individual-decisions',
    new RegExp(
      `\\b(?:approve|deny|reject|hire|fire|evict|admit|grant|refuse)\\s+(?:the|this|that|an?|any|all|these|those)?\\s*(?:\\w+\\s+)?${PERSON}s?\\b`,
      'iu',
    ),
  ],
  [
    'individual-decisions',
    new RegExp(
      `\\b${PERSON}s?\\b[^.]*\\b(?:should|must|ought to|shall)\\s+(?:not\\s+)?(?:be|get|receive)\\b`,
      'iu',
    ),
  ],
  [
    'specific-recommendations',
    /\b(?:recommend|advise|urge|suggest)(?:s|ed|ing)?\s+(?:that|the|to|raising|lowering|approving|denying|hiring|offering)\b/iu,
  ],
  [
    'applied-findings',
    /\b(?:apply|use|deploy|adopt|enforce)(?:ing)?\s+(?:the|this|these|our)?\s*(?:finding|result|model|score|prediction)s?\s+(?:to|for|in)\s+(?:decid|decision|approv|den|hir|lend|pric|select|screen)/iu,
  ],
];

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

/** A text of the agent's as one line of plain text, cut to the most that free text may have. */
export const plainText = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').slice(0, MAXIMUM_TEXT);

/**
 * Screens a free text of the agent's (a hypothesis, a summary) against the mandate.
 * @returns every blocked row that it shows, with what gave it away; empty when none does
 */
export const screenText = (text: string): readonly Breach[] => {
  const breaches: Breach[] = [];
  const breach = (rule: string, found: string, expected: string) =>
    breaches.push({ rule, found, expected, file: null, line: null });
  if (text.trim() === '') breach('free-text', 'an empty text', 'a sentence about a cohort');
  if (text.length > MAXIMUM_TEXT)
    breach('free-text', `${text.length} characters`, `at most ${MAXIMUM_TEXT} characters`);
  if (/\p{Cc}|\p{Cf}|\p{Cs}/u.test(text))
    breach('free-text', 'control or invisible characters', 'one line of plain text');
  // A longer text is blocked already; searching all of it could take for ever.
  const searched = text.slice(0, MAXIMUM_TEXT).toWellFormed().normalize('NFKC');
  for (const [row, sign] of SIGNS) {
    const match = sign.exec(searched);
    if (match !== null && !breaches.some(({ rule }) => rule === row)) {
      const blocked = MANDATE.find((entry) => entry.row === row);
      breach(row, `"${match[0]}"`, `no ${blocked?.text ?? row}: an agent speaks of cohorts`);
    }
  }
  return breaches;
};
