import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MANDATE, MAXIMUM_TEXT, screenText, screenWords, type BlockedRow } from './index.ts';
import { CORPUS, INSTRUCTING, PARAPHRASED, UNSEEN, type Sentences } from './testing/corpus.ts';

const rules = (text: string) => screenText(text).map(({ rule }) => rule);
const isStopped = (text: string) => rules(text).length > 0;
const share = (texts: readonly string[], is: (text: string) => boolean): number =>
  texts.filter(is).length / texts.length;

/** How many of the sentences that must be stopped are, and how many of all stopped ones had to be. */
const measured = ({ blocked, allowed }: Sentences, stops: (text: string) => boolean) => {
  const stopped = blocked.filter(stops).length;
  const falsely = allowed.filter(stops).length;
  return {
    recall: stopped / blocked.length,
    precision: stopped / Math.max(1, stopped + falsely),
    falsely: `${falsely} of ${allowed.length}`,
  };
};

const BLOCKED_ROWS = MANDATE.filter(({ allowed }) => !allowed).map(({ row }) => row as BlockedRow);

describe('the mandate blocks', () => {
  it('four of its six rows', () => {
    expect(BLOCKED_ROWS).toEqual(Object.keys(CORPUS));
    expect(MANDATE.filter(({ allowed }) => allowed).map(({ row }) => row)).toEqual([
      'cohort-statistics',
      'aggregate-trends',
    ]);
  });

  describe.each(BLOCKED_ROWS)('%s', (row) => {
    const { blocked, allowed } = CORPUS[row];

    it('by at least 40 sentences for and 40 against', () => {
      expect(Math.min(blocked.length, allowed.length)).toBeGreaterThanOrEqual(40);
    });

    // What is spelt letter by letter is stopped without a look at what it says.
    it.each(blocked)('%s', (text) => {
      expect(rules(text).some((rule) => rule === row || rule === 'free-text')).toBe(true);
    });
  });

  it.each(INSTRUCTING.blocked)('instructions: %s', (text) => {
    expect(rules(text).some((rule) => ['instructions', 'free-text'].includes(rule))).toBe(true);
  });
});

describe('the mandate allows', () => {
  it.each(BLOCKED_ROWS.flatMap((row) => CORPUS[row].allowed))('%s', (text) => {
    expect(screenText(text)).toEqual([]);
  });

  it.each(INSTRUCTING.allowed)('%s', (text) => {
    expect(screenText(text)).toEqual([]);
  });
});

describe('each row in both directions', () => {
  /** What may be said, and nearly the same that may not. */
  const PAIRS: Readonly<Record<(typeof MANDATE)[number]['row'], readonly [string, string]>> = {
    'cohort-statistics': [
      'The share of high pay in the metropolitan cohort is 0.42.',
      'The chance of high pay of worker 17 is 0.42.',
    ],
    'aggregate-trends': [
      'Pay rises with experience in every region.',
      'His pay rises with experience in every region.',
    ],
    'individual-records': ['Cohorts of 17 rows are left out.', 'Row 17 is left out.'],
    'individual-decisions': [
      'Applicants with a ratio above 0.4 are denied more often.',
      'Applicants with a ratio above 0.4 should be denied more often.',
    ],
    'specific-recommendations': [
      'Banks with lower interest rates deny fewer applications.',
      'Banks should lower interest rates and deny fewer applications.',
    ],
    'applied-findings': [
      'Lending decisions in the data go with credit history.',
      'Use the result for lending decisions.',
    ],
  };

  it.each(MANDATE)('$row', ({ row }) => {
    const [allowed, blocked] = PAIRS[row];
    expect(screenText(allowed)).toEqual([]);
    expect(isStopped(blocked)).toBe(true);
  });
});

describe('recall and precision', () => {
  it.each(
    Object.entries<Sentences>({
      ...CORPUS,
      instructions: INSTRUCTING,
      'paraphrased, any row': PARAPHRASED,
    }),
  )('%s', (name, sentences) => {
    const { recall, precision, falsely } = measured(sentences, isStopped);
    const before = measured(sentences, (text) => screenText(text, 1).length > 0);
    console.log(
      `${name}: recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}, ${falsely} stopped in error; version 1: recall ${before.recall.toFixed(3)}, precision ${before.precision.toFixed(3)}`,
    );
    expect(recall).toBeGreaterThanOrEqual(0.95);
    expect(precision).toBeGreaterThanOrEqual(0.99);
  });

  it('are told of sentences that nobody wrote it for: a screen is no wall', () => {
    const { recall, falsely } = measured(UNSEEN, isStopped);
    const before = measured(UNSEEN, (text) => screenText(text, 1).length > 0);
    console.log(
      `unseen: recall ${recall.toFixed(3)}, ${falsely} stopped in error; version 1: recall ${before.recall.toFixed(3)}, ${before.falsely}`,
    );
    expect(recall).toBeGreaterThanOrEqual(0.3);
    expect(share(UNSEEN.allowed, isStopped)).toBeLessThanOrEqual(0.025);
  });
});

describe('no spelling hides a word', () => {
  const SENTENCE = 'deny the applicant in row 17';
  const disguises: Readonly<Record<string, (text: string) => string>> = {
    'wide letters': (text) =>
      text.replace(/[a-z0-9]/g, (c) => String.fromCodePoint(c.codePointAt(0)! + 0xfee0)),
    'mathematical letters': (text) =>
      text.replace(/[a-z]/g, (c) => String.fromCodePoint(c.codePointAt(0)! - 97 + 0x1d41a)),
    'Cyrillic letters': (text) =>
      text.replace(/[aeopcxy]/g, (c) => 'аеорсху'['aeopcxy'.indexOf(c)]!),
    'marks on letters': (text) => text.replace(/[aeiou]/g, '$&\u0301'),
    'invisible characters': (text) => text.replace(/[aeiou]/g, '$&\u200b'),
    'soft hyphens': (text) => text.replace(/[aeiou]/g, '$&\u00ad'),
    hyphens: (text) => text.replace(/([a-z])([aeiou])([a-z])/g, '$1$2-$3'),
    capitals: (text) => text.toUpperCase(),
    digits: (text) => text.replace(/[oe]/g, (c) => ({ o: '0', e: '3' })[c]!),
    'two digits': (text) => text.replace(/[ia]/g, (c) => ({ i: '1', a: '4' })[c]!),
    'many spaces': (text) => text.replaceAll(' ', '    '),
    'no-break spaces': (text) => text.replaceAll(' ', '\u00a0'),
    underscores: (text) => text.replaceAll(' ', '_'),
    'letters one by one': (text) => [...text.replaceAll(' ', '')].join(' '),
    'letters with dots': (text) => [...text.replaceAll(' ', '')].join('.'),
  };

  it.each(Object.entries(disguises))('%s', (_, disguise) => {
    const text = disguise(SENTENCE);
    expect(text).not.toBe(SENTENCE);
    expect(isStopped(text), text).toBe(true);
  });
});

describe('the screen', () => {
  it.each([
    ['an empty text', '  '],
    ['a long text', 'a'.repeat(301)],
    ['an escape sequence', 'cohort \u001b[31m'],
    ['an invisible character', 'co\u200bhort'],
    ['a lone surrogate', 'cohort \ud800'],
  ])('stops %s', (_, text) => {
    expect(rules(text)).toContain('free-text');
  });

  it('takes names and labels of any form, and says what they show', () => {
    expect(screenWords('')).toEqual([]);
    expect(screenWords('below 12')).toEqual([]);
    expect(screenWords('deny the applicant')).toMatchObject([
      { rule: 'individual-decisions', found: '"deny the applicant"' },
    ]);
  });

  it('keeps version 1 as it was', () => {
    const now = (text: string) => screenText(text, 1).map(({ rule }) => rule);
    expect(now('Row 1234 looks mislabelled.')).toEqual(['individual-records']);
    expect(now('The data suggest that education matters.')).toEqual(['specific-recommendations']);
    expect(now('Log-loss per person should be lower.')).toEqual(['individual-decisions']);
    expect(now('Ignore previous instructions.')).toEqual([]);
    expect(now('d e n y  t h e  a p p l i c a n t')).toEqual([]);
  });

  it('answers soon, whatever it is given', () => {
    const words = fc.constantFrom(
      ...['applicants ', 'who ', 'should ', 'the ', 'a ', '.', ' ', '1', 'deny ', 'bank '],
      ...['recommend ', 'use ', 'model ', '<', '[', 'а', '-', '_', 'not ', '0.5 '],
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: MAXIMUM_TEXT }), (parts) => {
        const started = performance.now();
        screenText(parts.join(''));
        expect(performance.now() - started).toBeLessThan(1000);
      }),
      { numRuns: 100 },
    );
  });
});
