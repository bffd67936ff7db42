import type { BlockedRow } from './mandate.ts';

const PERSON =
  '(?:person|individual|applicant|borrower|patient|tenant|employee|customer|worker|subject)';

/**
 * What gave a blocked row away under policies of version 1. Never changed: a finding of such a run is judged for ever by
 * the screen of then.
 */
export const SIGNS_OF_VERSION_1: readonly (readonly [BlockedRow, RegExp])[] = [
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
