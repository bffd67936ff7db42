import { alarmProbability, averageRunLength } from '#libs/divergence';
import { FILE_DOMAINS, type ChartPolicy, type Domain, type HarnessPolicy } from '#libs/harness';

/** What a budget buys of one domain: a hypothesis and a mutation each time, and nothing else. */
export interface Purchase {
  readonly domain: Domain;
  /** Units an iteration. */
  readonly cost: number;
  readonly iterations: number;
}

/** What a chart's numbers mean. */
export interface ChartMeaning {
  readonly kind: ChartPolicy['kind'];
  /** Sentences for people. */
  readonly words: readonly string[];
  /** Iterations between false alarms on average; null for a chart that isn't in units of noise. */
  readonly averageRunLength: number | null;
  /** The chance of a false alarm in as many iterations as the budget can buy; null likewise. */
  readonly falseAlarm: number | null;
}

/** What a policy comes to. */
export interface StudyDescription {
  /** Cells of the full product of the dimensions: what a program predicts. */
  readonly cells: number;
  readonly dimensions: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** What the budget buys, the cheapest domain first. */
  readonly purchases: readonly Purchase[];
  readonly cheapest: Purchase;
  readonly dearest: Purchase;
  readonly charts: readonly ChartMeaning[];
}

/** At most four significant digits, without a tail of zeros. */
const digits = (value: number): string => String(Number(value.toPrecision(4)));
const percent = (share: number): string => `${digits(share * 100)} %`;
const times = (n: number): string => (n === 1 ? 'one iteration' : `${n} iterations`);
/** Thousands in groups, so that a long number can be read. */
const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');

/** The budget's purchase of each domain, the cheapest first. */
const purchasesOf = ({ total, costs }: HarnessPolicy['budget']): readonly Purchase[] =>
  [...FILE_DOMAINS, 'metric' as const]
    .map((domain) => {
      const cost = costs.hypothesis + costs[domain];
      return { domain, cost, iterations: Math.floor(total / cost) };
    })
    .sort((a, b) => a.cost - b.cost);

type Chart<Kind extends ChartPolicy['kind']> = Extract<ChartPolicy, { kind: Kind }>;

type Explain<C extends ChartPolicy> = (chart: C, iterations: number) => Omit<ChartMeaning, 'kind'>;

const explainGain: Explain<Chart<'gain' | 'gap'>> = ({
  reference,
  allowance,
  decisionInterval,
}) => {
  const never = reference + allowance;
  const over = (n: number) => percent(never + decisionInterval / n);
  return {
    words: [
      `One iteration with a gain above ${over(1)} fires; so do two in a row above ${over(2)} each, or five above ${over(5)}.`,
      `Gains of up to ${percent(never)} an iteration never do, however many: what is above that adds up, what is below takes off.`,
      'An iteration that is no gain counts as 0: this chart never fires because others were bad.',
    ],
    averageRunLength: null,
    falseAlarm: null,
  };
};

/** From here on a number of iterations says no more than "practically never". */
const PRACTICALLY_NEVER = 1_000_000;

const explainGap: Explain<Chart<'gain' | 'gap'>> = (
  { reference, allowance, decisionInterval },
  iterations,
) => {
  const chart = { allowance, decisionInterval, sides: 1, shift: 0 } as const;
  const runLength = averageRunLength(chart);
  const falseAlarm = alarmProbability(chart, iterations);
  const seldom = !(runLength < PRACTICALLY_NEVER);
  const shift = 2 * allowance;
  const delay = averageRunLength({ ...chart, shift });
  return {
    words: [
      `One iteration fires if it helps dev rows over check rows by more than ${digits(reference + allowance + decisionInterval)} standard errors; a lasting excess of up to ${digits(reference + allowance)} never adds up.`,
      `With nothing but noise it fires once in ${seldom ? 'more than a million' : `about ${grouped(runLength)}`} iterations: a chance of ${falseAlarm < 0.001 ? 'less than 0.1 %' : percent(Number(falseAlarm.toPrecision(2)))} in the ${times(iterations)} that this budget can buy.`,
      `A lasting excess of ${digits(reference + shift)} standard errors is seen after about ${digits(Number(delay.toPrecision(3)))} iterations.`,
    ],
    averageRunLength: runLength,
    falseAlarm,
  };
};

/** Two-sided, in units of the noise between seeds; `measured` is how often it is read in this run at most. */
const explainNoise = (
  { allowance, decisionInterval }: Pick<ChartPolicy, 'allowance' | 'decisionInterval'>,
  what: string,
  measured: number,
): Omit<ChartMeaning, 'kind'> => {
  const chart = { allowance, decisionInterval, sides: 2, shift: 0 } as const;
  const runLength = averageRunLength(chart);
  const falseAlarm = alarmProbability(chart, measured);
  const seldom = !(runLength < PRACTICALLY_NEVER);
  const shift = 2 * allowance;
  const delay = averageRunLength({ ...chart, shift });
  return {
    words: [
      `With nothing but noise it fires once in ${seldom ? 'more than a million' : `about ${grouped(runLength)}`} ${what}: a chance of ${falseAlarm < 0.001 ? 'less than 0.1 %' : percent(Number(falseAlarm.toPrecision(2)))} in the ${measured} of this budget.`,
      `A lasting shift of ${digits(shift)} standard deviations is seen after about ${digits(Number(delay.toPrecision(3)))}.`,
      'A program that its seed does not move has no noise: then any difference fires.',
    ],
    averageRunLength: runLength,
    falseAlarm,
  };
};

const explainStability: Explain<Chart<'stability'>> = (chart, iterations) =>
  explainNoise(chart, 're-measurements', Math.floor(iterations / chart.every));

const explainValue: Explain<Chart<'value'>> = (chart, iterations) => {
  const { reference, allowance, decisionInterval } = chart;
  if (reference === 'baseline') return explainNoise(chart, 'iterations', iterations);
  const [inner, outer] = [allowance, allowance + decisionInterval];
  const range = (width: number) => `${digits(reference - width)} to ${digits(reference + width)}`;
  return {
    words: [
      `One iteration with a metric outside ${range(outer)} fires.`,
      `Metrics within ${range(inner)} never do; what is beyond adds up on its side.`,
      'It looks both ways, so that a metric far better than expected fires as well.',
    ],
    averageRunLength: null,
    falseAlarm: null,
  };
};

const explain = (chart: ChartPolicy, iterations: number): Omit<ChartMeaning, 'kind'> => {
  switch (chart.kind) {
    case 'gain':
      return explainGain(chart, iterations);
    case 'gap':
      return explainGap(chart, iterations);
    case 'value':
      return explainValue(chart, iterations);
    case 'stability':
      return explainStability(chart, iterations);
  }
};

/**
 * What a policy means, for `holdfast check`: what the budget buys, what the program predicts, and when each chart
 * fires. Costs are in the budget's units.
 */
export const describeStudy = (policy: HarnessPolicy): StudyDescription => {
  const purchases = purchasesOf(policy.budget);
  const [cheapest, dearest] = [purchases[0], purchases.at(-1)];
  if (cheapest === undefined || dearest === undefined) throw new Error('a study has domains');
  return {
    cells: policy.data.dimensions.reduce((product, { labels }) => product * labels.length, 1),
    dimensions: policy.data.dimensions.map(({ name, labels }) => ({ name, labels })),
    purchases,
    cheapest,
    dearest,
    charts: policy.charts.map((chart) => ({
      kind: chart.kind,
      ...explain(chart, cheapest.iterations),
    })),
  };
};
