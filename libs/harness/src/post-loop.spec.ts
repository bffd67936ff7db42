import { describe, expect, it } from 'vitest';
import { postLoopGate, upgradeFairnessReport, type FairnessMeasure } from './index.ts';

const holds: FairnessMeasure = {
  attribute: 'ethnicity',
  measure: 'disparate-impact',
  value: 0.91,
  standardError: 0.02,
  interval: { lower: 0.84, upper: 0.98, pair: ['afam', 'cauc'], limit: ['afam', 'cauc'] },
  reason: null,
  bound: 'at least 4/5',
  passed: true,
};

const gate = (...measures: readonly FairnessMeasure[]) =>
  postLoopGate({
    threshold: 0.5,
    favourable: 'positive',
    label: 'granted',
    decide: 'interval',
    level: 0.95,
    groups: [],
    measures,
  });

describe('the post-loop gate', () => {
  it('passes a report whose bounds hold, with what it found', () => {
    expect(gate(holds)).toEqual({
      checks: [
        {
          rule: 'disparate-impact:ethnicity',
          passed: true,
          found: '0.9100 (95 % interval 0.8400 to 0.9800; afam against cauc)',
          expected: 'at least 4/5 at the lower end of the interval, for the shares of "granted"',
        },
      ],
      breaches: [],
    });
  });

  it('is breached by a bound that does not hold', () => {
    expect(gate(holds, { ...holds, value: 0.42, passed: false }).breaches).toEqual([
      {
        rule: 'disparate-impact:ethnicity',
        found: '0.4200 (95 % interval 0.8400 to 0.9800; afam against cauc)',
        expected: 'at least 4/5 at the lower end of the interval, for the shares of "granted"',
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
    ['has no interval', { interval: null }],
    ['has an end that is no number', { interval: { ...holds.interval!, lower: NaN } }],
  ])('does not take the word of a report that says "passed" of what %s', (_, change) => {
    expect(gate({ ...holds, ...change }).breaches).toHaveLength(1);
  });

  it('names the pair that the interval ends by, where it is another', () => {
    const interval = { ...holds.interval!, limit: ['other', 'cauc'] as const };
    expect(gate({ ...holds, interval }).checks[0]!.found).toBe(
      "0.9100 (95 % interval 0.8400 to 0.9800; afam against cauc; the interval's end by other against cauc)",
    );
  });

  it('says of a report of version 1 what it said then', () => {
    const { interval: _, ...old } = holds;
    const report = upgradeFairnessReport({
      threshold: 0.5,
      favourable: 'negative',
      groups: [],
      measures: [old],
    });
    expect(report.label).toBe('negative');
    expect(postLoopGate(report)).toEqual({
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

  it('is breached by a report of nothing', () => {
    expect(gate().breaches[0]).toMatchObject({ rule: 'fairness', found: 'no measure' });
  });
});
