import type { ChartPolicy, HarnessPolicy, Observation } from '#libs/harness';
import type { ChartReading } from './events.ts';
import { recentre, remember, standardised, UNKNOWN, type Memory } from './self-starting.ts';

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

/** Charts what is in units of its own noise, which it learns as it goes, from the replicates of the baseline on. */
export const isSelfStarting = (chart: ChartPolicy): boolean =>
  chart.kind === 'stability' || (chart.kind === 'value' && chart.reference === 'baseline');

/** μ₀; that of a self-starting chart is 0, since its values stand for themselves less their centre. */
export const referenceOf = (chart: ChartPolicy): number =>
  chart.kind === 'stability' || chart.reference === 'baseline' ? 0 : chart.reference;

/** The charts that read a training of this kind: re-measurements are the stability chart's alone. */
export const chartsOf = (
  { charts }: Pick<HarnessPolicy, 'charts'>,
  purpose: 'candidate' | 'remeasurement',
): readonly ChartPolicy[] =>
  charts.filter(({ kind }) => (kind === 'stability') === (purpose === 'remeasurement'));

/** Whether the stability chart has its turn after so many decided mutations: the incumbent is then trained again. */
export const isRemeasurementDue = (
  { charts }: Pick<HarnessPolicy, 'charts'>,
  decided: number,
): boolean => {
  const stability = charts.find((chart) => chart.kind === 'stability');
  return stability !== undefined && decided % stability.every === 0;
};

/** What each self-starting chart knows. */
export type Memories = Readonly<Partial<Record<ChartPolicy['kind'], Memory>>>;

/** What the self-starting charts know of a baseline, from the metrics of its replicates. */
export const memoriesOf = (
  { charts }: Pick<HarnessPolicy, 'charts'>,
  baseline: readonly number[],
): Memories =>
  Object.fromEntries(
    charts.filter(isSelfStarting).map(({ kind }) => [kind, recentre(UNKNOWN, baseline)]),
  );

/** The self-starting charts that read an observation know one value more. */
export const remembered = (
  memories: Memories,
  read: readonly Pick<ChartReading, 'chart'>[],
  value: number,
): Memories => ({
  ...memories,
  ...Object.fromEntries(
    read.flatMap(({ chart }) => {
      const memory = memories[chart];
      return memory === undefined ? [] : [[chart, remember(memory, value)]];
    }),
  ),
});

/**
 * With a keep the stability chart gets a new centre: the metrics of the kept candidate's seeds. The value chart's centre
 * is the baseline for good.
 */
export const recentred = (memories: Memories, seeds: readonly number[]): Memories =>
  memories.stability === undefined
    ? memories
    : { ...memories, stability: recentre(memories.stability, seeds) };

const isTwoSided = ({ kind }: ChartPolicy): boolean => kind === 'value' || kind === 'stability';

/**
 * One step of the tabular CUSUM (Page 1954): S_upper ← max(0, S_upper + x − μ₀ − k),
 * S_lower ← max(0, S_lower + μ₀ − k − x); it fires when a sum is above h, strictly.
 * `gain` and `gap` watch the upper side only: their lower sum stays 0.
 * @throws RangeError for a value that is not finite, which would silence the chart for good
 */
export const advance = (chart: ChartPolicy, sums: Sums, x: number): ChartReading => {
  finite(x, `the ${chart.kind} chart's value`);
  const { allowance, decisionInterval } = chart;
  const reference = referenceOf(chart);
  const upper = Math.max(0, sums.upper + x - reference - allowance);
  const lower = isTwoSided(chart) ? Math.max(0, sums.lower + reference - allowance - x) : 0;
  return {
    chart: chart.kind,
    x,
    upper,
    lower,
    fired: upper > decisionInterval || lower > decisionInterval,
  };
};

/**
 * What a chart takes of an observation; null where it was not measured (the chart then stands still).
 * gain: relative gain over the incumbent, a candidate that isn't better counting as 0.
 * gap: by how many standard errors the step helps more on dev than on check.
 * value: the metric itself, or in units of the baseline's noise.
 * stability: the metric of the incumbent, trained again, in units of its noise.
 *
 * @param memory what a self-starting chart knows; the others have none
 */
export const chartInput = (
  chart: ChartPolicy,
  observation: Observation,
  memory: Memory | null = null,
): number | null => {
  switch (chart.kind) {
    case 'gain':
      return relativeGain(observation);
    case 'gap': {
      const change = observation.gapChange;
      // Without measurable noise a change has no size in standard errors: not measured.
      if (change === null || (change.standardError === 0 && change.value !== 0)) return null;
      return change.value === 0 ? 0 : change.value / change.standardError;
    }
    case 'value':
    case 'stability': {
      const { value } = observation.metric;
      if (!isSelfStarting(chart)) return value;
      if (memory === null) throw new Error(`the ${chart.kind} chart was never warmed up`);
      return standardised(memory, value);
    }
  }
};

/** (incumbent − candidate) / incumbent of the metric on the same dev cells, not below 0; null for a baseline. */
export const relativeGain = ({ metric, difference }: Observation): number | null =>
  difference === null ? null : Math.max(0, -difference.value / (metric.value - difference.value));
