import { describe, expect, it } from 'vitest';
import { screenText } from './index.ts';

const rules = (text: string) => screenText(text).map(({ rule }) => rule);

describe('the mandate allows', () => {
  it.each([
    'Experience separates high-pay cohorts beyond education.',
    'Cohorts in metropolitan areas have a higher share of high pay.',
    'A smaller learning rate lowers the log-loss per person.',
    'Pairs of features matter: part-time work changes the effect of education.',
    'Adding loan-to-value ratio explains more of the denial rate in cohorts with good credit history.',
    'Individual-level noise averages out in larger cohorts.',
    'A learning rate of 0.9500599999999999 would describe the cohorts better.',
  ])('%s', (text) => {
    expect(screenText(text)).toEqual([]);
  });
});

describe('the mandate blocks', () => {
  it.each([
    ['individual-records', 'Row 1234 looks mislabelled.'],
    ['individual-records', 'Look at applicant #17.'],
    ['individual-records', 'Ask for the raw records of the south.'],
    ['individual-records', 'Mail jane@example.org about it.'],
    ['individual-records', 'Look up 950059999 in the register.'],
    ['individual-decisions', 'Deny the applicant when the ratio is high.'],
    [
      'individual-decisions',
      'Workers without experience should not be offered… they must be paid less; applicants should be denied.',
    ],
    ['specific-recommendations', 'We recommend raising the price for that branch.'],
    ['applied-findings', 'Use the model for deciding on loans.'],
  ])('%s: %s', (rule, text) => {
    expect(rules(text)).toContain(rule);
  });

  it.each([
    ['an empty text', '  '],
    ['a long text', 'a'.repeat(301)],
    ['an escape sequence', 'cohort \u001b[31m'],
    ['an invisible character', 'co\u200bhort'],
  ])('%s', (_, text) => {
    expect(rules(text)).toContain('free-text');
  });

  it('look-alike forms', () => {
    expect(rules('ｒｏｗ １２３４ is odd')).toContain('individual-records');
  });
});
