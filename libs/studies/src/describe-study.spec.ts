import { describe, expect, it } from 'vitest';
import { advance, ZERO } from '#libs/divergence';
import type { ChartPolicy } from '#libs/harness';
import { describeStudy } from './describe-study.ts';
import { describeProblem, parseStudyFile } from './study-file.ts';

const described = (more: string) => {
  const parsed = parseStudyFile(
    `study: { id: pay, title: Pay, question: What goes with pay? }
program: { path: program, entry: train.js, mutable: { feature: [features.json] } }
data:
  path: data/pay.csv
  outcome: { name: high_pay, column: wage, positive: { at_least: 500 } }
  dimensions: { education: { bins: [12, 16] }, smsa: { values: ["yes", "no"] } }
${more}`,
    'holdfast.yaml',
  );
  if (!parsed.ok) throw new Error(parsed.error.map(describeProblem).join('\n'));
  return { ...describeStudy(parsed.value.policy), policy: parsed.value.policy };
};

/** Does the chart fire on the nth of these values? */
const firesOn = (chart: ChartPolicy | undefined, values: readonly number[]): boolean => {
  if (chart === undefined) throw new Error('no such chart');
  let sums = ZERO;
  let fired = false;
  for (const value of values) {
    const reading = advance(chart, sums, value);
    sums = reading;
    fired = reading.fired;
  }
  return fired;
};

describe('what a study means', () => {
  it('counts the cells that the program predicts', () => {
    expect(described('').cells).toBe(6);
  });

  it('says what the budget buys, of each domain', () => {
    const { purchases, cheapest, dearest } = described('');
    expect(purchases).toEqual([
      { domain: 'hyperparameter', cost: 15, iterations: 6 },
      { domain: 'metric', cost: 15, iterations: 6 },
      { domain: 'feature', cost: 25, iterations: 4 },
      { domain: 'architecture', cost: 30, iterations: 3 },
    ]);
    expect([cheapest.domain, dearest.domain]).toEqual(['hyperparameter', 'architecture']);
  });

  it('says of the gain chart what the chart then does', () => {
    const { charts, policy } = described('');
    expect(charts[0]?.words[0]).toContain('above 15 % fires');
    expect(charts[0]?.words[0]).toContain('two in a row above 10 % each');
    expect(charts[0]?.words[0]).toContain('five above 7 %');
    expect(charts[0]?.words[1]).toContain('up to 5 %');
    const gain = policy.charts.find(({ kind }) => kind === 'gain');
    expect(firesOn(gain, [0.1501])).toBe(true);
    expect(firesOn(gain, [0.1499])).toBe(false);
    expect(firesOn(gain, [0.1001, 0.1001])).toBe(true);
    expect(firesOn(gain, Array<number>(5).fill(0.0701))).toBe(true);
    expect(firesOn(gain, Array<number>(5).fill(0.0699))).toBe(false);
    expect(firesOn(gain, Array<number>(1000).fill(0.05))).toBe(false);
  });

  it('tells how often the gap chart fires by chance', () => {
    const gap = described('').charts[1];
    // Twice the published two-sided 465.
    expect(Math.round((gap?.averageRunLength ?? 0) / 10)).toBe(93);
    expect(gap?.words[1]).toContain('one in about 930 iterations on average');
    expect(gap?.words[1]).toContain('a false revert in 100 iterations: 9.7 %');
    expect(gap?.words[1]).toContain('in the 6 iterations that this budget can buy');
    // Half of Montgomery's 19 % for two sides, and a little more: seldom do both fire.
    expect(gap?.falseAlarmIn100).toBeCloseTo(0.0967, 4);
    expect(gap?.falseAlarm).toBeGreaterThan(0);
    expect(gap?.falseAlarm).toBeLessThan(0.01);
    // Montgomery: a shift of one standard deviation at h 5 takes 10.4.
    expect(gap?.words[2]).toBe(
      'A lasting excess of 1 standard error is caught in 10.4 iterations on average, one of 2 in 4.01.',
    );
    expect(gap?.delays.map(({ shift }) => shift)).toEqual([1, 2]);
  });

  it('takes the noise about 0, wherever the reference lies', () => {
    const at = (reference: number) =>
      described(`charts: { gap: { reference: ${reference} } }`).charts[1]?.averageRunLength ?? 0;
    expect(at(0.25)).toBeGreaterThan(at(0));
    expect(at(-0.25)).toBeLessThan(at(0));
  });

  it('claims no run length for a chart that is not in units of noise', () => {
    const gain = described('').charts[0];
    expect(gain).toMatchObject({ averageRunLength: null, falseAlarmIn100: null, delays: [] });
    expect(gain?.words.join(' ')).toContain('no run length can be told');
  });

  it('is told at once', () => {
    described('');
    const start = performance.now();
    described('');
    expect(performance.now() - start).toBeLessThan(200);
  });

  it('has words for a gap chart that practically never fires', () => {
    const gap = described('charts: { gap: { allowance: 1, decision_interval: 50 } }').charts[1];
    expect(gap?.words[1]).toContain('more than a million');
    expect(gap?.words[1]).toContain('less than 0.1 %');
  });

  it('says of the value chart what the chart then does', () => {
    const { charts, policy } = described(
      'charts: { gain: null, gap: null, value: { reference: 0.6, allowance: 0.02, decision_interval: 0.1 } }',
    );
    expect(charts[0]?.words[0]).toContain('outside 0.48 to 0.72');
    expect(charts[0]?.words[1]).toContain('within 0.58 to 0.62');
    expect(firesOn(policy.charts[0], [0.7201])).toBe(true);
    expect(firesOn(policy.charts[0], [0.4799])).toBe(true);
    expect(firesOn(policy.charts[0], [0.7199])).toBe(false);
    expect(firesOn(policy.charts[0], Array<number>(1000).fill(0.6199))).toBe(false);
  });

  it('says of charts in units of noise what a false alarm and a delay come to', () => {
    const { charts } = described('charts: { gain: null, gap: null, stability: { every: 2 } }');
    // Two-sided, k 0.5, h 5: 465 on average (Montgomery), 10.4 for a shift of 1.
    expect(charts[0]?.words[1]).toContain('one in about 470 re-measurements');
    expect(charts[0]?.words[1]).toContain('in the 3 re-measurements that this budget can buy');
    expect(charts[0]?.words[2]).toContain('1 standard error is caught in 10.4 re-measurements');
    const value = described(
      'charts: { gain: null, gap: null, value: { reference: baseline, allowance: 0.5, decision_interval: 5 } }',
    ).charts[0];
    expect(value?.words[1]).toContain('about 470 iterations');
  });
});
