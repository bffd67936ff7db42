import { describe, expect, it } from 'vitest';
import { postLoopGate, type FairnessMeasure } from './index.ts';

const holds: FairnessMeasure = {
  attribute: 'ethnicity',
  measure: 'disparate-impact',
  value: 0.91,
  standardError: 0.02,
  reason: null,
  bound: 'at least 4/5',
  passed: true,
};

const gate = (...measures: readonly FairnessMeasure[]) =>
  postLoopGate({ threshold: 0.5, favourable: 'positive', groups: [], measures });

describe('the post-loop gate', () => {
  it('passes a report whose bounds hold, with what it found', () => {
    expect(gate(holds)).toEqual({
      checks: [
        {
          rule: 'disparate-impact:ethnicity',
          passed: true,
          found: '0.9100',
          expected: 'at least 4/5',
        },
      ],
      breaches: [],
    });
  });

  it('is breached by a bound that does not hold', () => {
    expect(gate(holds, { ...holds, value: 0.42, passed: false }).breaches).toEqual([
      {
        rule: 'disparate-impact:ethnicity',
        found: '0.4200',
        expected: 'at least 4/5',
        file: null,
        line: null,
      },
    ]);
  });

  it('shows a measure without a bound and lets it pass', () => {
    const shown = { ...holds, value: 0.1, bound: null };
    expect(gate(shown).checks[0]).toMatchObject({ passed: true, expected: 'shown, no bound' });
    expect(gate({ ...shown, value: null, reason: 'too few' }).breaches).toEqual([]);
  });

  it('is breached by what is not measurable, with the reason', () => {
    const unmeasured = { ...holds, value: null, reason: 'found 7 in afam', passed: false };
    expect(gate(unmeasured).breaches[0]?.found).toBe('not measurable: found 7 in afam');
  });

  it.each([
    ['has no number', { value: null }],
    ['is not a number', { value: NaN }],
    ['is infinite', { value: Infinity }],
  ])('does not take the word of a report that says "passed" of what %s', (_, change) => {
    expect(gate({ ...holds, ...change }).breaches).toHaveLength(1);
  });

  it('is breached by a report of nothing', () => {
    expect(gate().breaches[0]).toMatchObject({ rule: 'fairness', found: 'no measure' });
  });
});
