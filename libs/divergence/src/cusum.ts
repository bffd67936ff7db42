import type { ChartPolicy, Observation } from '#libs/harness';
import type { ChartReading } from './events.ts';

/** The two cumulative sums of a chart. */
export interface Sums {
  readonly upper: number;
  readonly lower: number;
}

export const ZERO: Sums = { upper: 0, lower: 0 };

const finite = (value: number, what: string): number => {
  if (!Number.isFinite(value))
    throw new RangeError(`${what} is ${value}: a chart takes finite values only`);
  return value;
};

/**
 * One step of the tabular CUSUM (Page 1954): S_upper ← max(0, S_upper + x − μ₀ − k),
 * S_lower ← max(0, S_lower + μ₀ − k − x); it fires when a sum is above h, strictly.
 * `gain` and `gap` watch the upper side only: their lower sum stays 0.
 * @throws RangeError for a value that is not finite, which would silence the chart for good
 */
export const advance = (chart: ChartPolicy, sums: Sums, x: number): ChartReading => {
  finite(x, `the ${chart.kind} chart's value`);
  const { reference, allowance, decisionInterval } = chart;
  const upper = Math.max(0, sums.upper + x - reference - allowance);
  const lower = chart.kind === 'value' ? Math.max(0, sums.lower + reference - allowance - x) : 0;
  return {
    chart: chart.kind,
    x,
    upper,
    lower,
    fired: upper > decisionInterval || lower > decisionInterval,
  };
};

/**
 * What a chart watches of a candidate's observation; null where it was not measured (the chart then stands still).
 * gain: relative gain over the incumbent, a candidate that isn't better counting as 0.
 * gap: by how many standard errors the step helps more on dev than on check.
 * value: the metric itself.
 */
export const chartInput = (kind: ChartPolicy['kind'], observation: Observation): number | null => {
  switch (kind) {
    case 'gain':
      return relativeGain(observation);
    case 'gap': {
      const change = observation.gapChange;
      // Without measurable noise a change has no size in standard errors: not measured.
      if (change === null || (change.standardError === 0 && change.value !== 0)) return null;
      return change.value === 0 ? 0 : change.value / change.standardError;
    }
    case 'value':
      return observation.metric.value;
  }
};

/** (incumbent − candidate) / incumbent of the metric on the same dev cells, not below 0; null for a baseline. */
export const relativeGain = ({ metric, difference }: Observation): number | null =>
  difference === null ? null : Math.max(0, -difference.value / (metric.value - difference.value));
