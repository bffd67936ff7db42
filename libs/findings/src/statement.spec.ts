import { describe, expect, it } from 'vitest';
import { screenText } from '#libs/mandate';
import { lookOf, statementOf, type Claim } from './index.ts';

const claim: Claim = {
  kind: 'step',
  cohort: { description: 'sealed people in cohorts of education', outcome: 'high_pay' },
  statistic: 'log-loss-reduction',
  estimate: 0.0312,
  standardError: 0.004,
  interval: { level: 0.95, lower: 0.0221, upper: 0.0403 },
  relative: 0.048,
  n: 3810,
  changes: ['use experience'],
  planted: [],
  look: null,
};

const withInterval = (lower: number, upper: number) =>
  statementOf({ ...claim, interval: { level: 0.95, lower, upper } });

describe('the statement of a claim', () => {
  it('says estimate, joint interval, share and people', () => {
    expect(statementOf(claim)).toBe(
      'use experience: log-loss per person of high_pay over sealed people in cohorts of education falls by ' +
        '0.0312 (joint 95.0 % interval 0.0221 to 0.0403; 4.8 %; n = 3810).',
    );
  });

  it('of a line names every change', () => {
    expect(
      statementOf({ ...claim, kind: 'line', changes: ['use experience', 'use smsa'] }),
    ).toMatch(/^The 2 kept mutations together \(use experience; use smsa\): /);
  });

  it.each([
    [-0.001, 0.02, ', which cannot be told from no change.'],
    [0, 0.02, ', which cannot be told from no change.'],
    [-0.02, 0, ', which cannot be told from no change.'],
    [-0.02, -0.001, ', which is worse than before.'],
  ])('says what an interval from %s to %s means', (lower, upper, meaning) => {
    expect(withInterval(lower, upper)).toMatch(new RegExp(`n = 3810\\)${meaning}$`));
  });

  it('adds nothing where the interval is above zero', () => {
    expect(withInterval(0.0001, 0.02)).toMatch(/n = 3810\)\.$/);
  });

  it('calls what was planted planted', () => {
    expect(statementOf({ ...claim, planted: ['withholding'] })).toMatch(
      / Uses withholding, planted in the data on purpose\.$/,
    );
  });

  it.each([
    [
      1,
      'Look 3 of this study at its sealed rows, look 1 at these data over all studies, after 1 run',
    ],
    [3, 'Look 3 of this study at its sealed rows, after 1 run'],
  ])('says how often was looked before (%i at the data)', (ofData, says) => {
    const counts = {
      dataDigest: 'ab'.repeat(32),
      ofStudy: 3,
      ofData,
      runs: 1,
      spent: 1140,
      claims: 2,
    };
    const statement = statementOf({ ...claim, look: lookOf(counts) });
    expect(statement).toContain(
      `${says} and 1,140 units; the intervals of all looks hold together.`,
    );
    // Longer than one free text may be: what it says is screened all the same.
    expect(screenText(statement.slice(-250))).toEqual([]);
  });

  it('is the same for the same claim, and passes the screen of the mandate', () => {
    expect(statementOf({ ...claim })).toBe(statementOf(claim));
    expect(screenText(statementOf(claim))).toEqual([]);
  });
});
