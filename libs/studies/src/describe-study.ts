import { alarmProbabilities, averageRunLength } from '#libs/divergence';
import {
  cellCount,
  FILE_DOMAINS,
  languageOf,
  mutableEntries,
  type ChartPolicy,
  type Domain,
  type FileDomain,
  type HarnessPolicy,
  type Language,
} from '#libs/harness';
import { digits, grouped, percent, roughly } from './words.ts';

/** What a budget buys of one domain: a hypothesis and a mutation each time, and nothing else. */
export interface Purchase {
  readonly domain: Domain;
  /** Units an iteration. */
  readonly cost: number;
  readonly iterations: number;
}

/** How long a lasting shift goes unseen on average. */
export interface Delay {
  /** From no change at all, in standard errors. */
  readonly shift: number;
  /** Iterations until the chart fires, on average. */
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
  /** The same in 100 iterations. */
  readonly falseAlarmIn100: number | null;
  /** How soon lasting shifts of some sizes are caught; empty for a chart that isn't in units of noise. */
  readonly delays: readonly Delay[];
}

/** Something that the agent may edit, and what the mid-loop gate reads it as. */
export interface MutableMeaning {
  /** A file, or `file#part`. */
  readonly entry: string;
  readonly domain: FileDomain;
  readonly language: Language;
}

/** What a policy comes to. */
export interface StudyDescription {
  /** Cells of the full product of the dimensions: what a program predicts. */
  readonly cells: number;
  readonly dimensions: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly mutable: readonly MutableMeaning[];
  /** What the budget buys, the cheapest domain first. */
  readonly purchases: readonly Purchase[];
  readonly cheapest: Purchase;
  readonly dearest: Purchase;
  readonly charts: readonly ChartMeaning[];
}

const times = (n: number, each: string): string => (n === 1 ? `one ${each}` : `${n} ${each}s`);

/** The budget's purchase of each domain, the cheapest first. */
const purchasesOf = ({ total, costs }: HarnessPolicy['budget']): readonly Purchase[] =>
  [...FILE_DOMAINS, 'metric' as const]
    .map((domain) => {
      const cost = costs.hypothesis + costs[domain];
      return { domain, cost, iterations: Math.floor(total / cost) };
    })
    .sort((a, b) => a.cost - b.cost);

type Chart<Kind extends ChartPolicy['kind']> = Extract<ChartPolicy, { kind: Kind }>;

type Meaning = Omit<ChartMeaning, 'kind'>;

/** Of a chart whose values are in a unit of their own: what fires it can be said, how often noise does can't. */
const notInNoise = {
  averageRunLength: null,
  falseAlarm: null,
  falseAlarmIn100: null,
  delays: [],
} as const;

const explainGain = ({
  reference,
  allowance,
  decisionInterval,
}: Chart<'gain' | 'gap'>): Meaning => {
  const never = reference + allowance;
  const over = (n: number) => percent(never + decisionInterval / n);
  return {
    words: [
      `One iteration with a gain above ${over(1)} fires; so do two in a row above ${over(2)} each, or five above ${over(5)}.`,
      `Gains of up to ${percent(never)} an iteration never do, however many: what is above that adds up, what is below takes off.`,
      'An iteration that is no gain counts as 0: this chart never fires because others were bad.',
      'It is in relative gains, not in units of noise: how often it fires depends on what is found, so no run length can be told.',
    ],
    ...notInNoise,
  };
};

/** From here on a number of iterations says no more than "practically never". */
const PRACTICALLY_NEVER = 1_000_000;

/** Below this a chance says no more than "practically never". */
const chance = (share: number): string =>
  share < 0.001 ? 'less than 0.1 %' : percent(roughly(share));

/** Shifts that a chart's delay is told for, in standard errors. */
const SHIFTS = [1, 2] as const;

/** What a chart in units of noise is called in words. */
interface NoiseWords {
  readonly sides: 1 | 2;
  /** What fires it at once, before "by more than … standard errors". */
  readonly fires: string;
  /** What it looks for: "excess", "shift". */
  readonly lasting: string;
  /** What it takes a value of. */
  readonly each: 'iteration' | 're-measurement';
}

/** `readings`: how many values it takes at most before the budget's end. */
const explainNoise = (
  { sides, fires, lasting, each }: NoiseWords,
  { allowance, decisionInterval }: Pick<ChartPolicy, 'allowance' | 'decisionInterval'>,
  reference: number,
  readings: number,
): Meaning => {
  // Nothing but noise has the mean 0, wherever the reference lies.
  const chart = { allowance, decisionInterval, sides, shift: -reference } as const;
  const runLength = averageRunLength(chart);
  const [falseAlarm = 1, falseAlarmIn100 = 1] = alarmProbabilities(chart, [readings, 100]);
  const delays = SHIFTS.map((shift) => ({
    shift,
    iterations: averageRunLength({ ...chart, shift: shift - reference }),
  }));
  const seldom = runLength < PRACTICALLY_NEVER ? `about ${grouped(roughly(runLength))}` : null;
  const [first, ...more] = delays.map(({ shift, iterations: delay }) => [
    digits(shift),
    delay < PRACTICALLY_NEVER ? digits(Number(delay.toPrecision(3))) : 'more than a million',
  ]);
  return {
    words: [
      `One ${each} fires if ${fires} by more than ${digits(reference + allowance + decisionInterval)} standard errors; a lasting ${lasting} of up to ${digits(reference + allowance)} never adds up.`,
      `With nothing but noise, a false revert in 100 ${each}s: ${chance(falseAlarmIn100)}; in the ${times(readings, each)} that this budget can buy: ${chance(falseAlarm)}; one in ${seldom ?? 'more than a million'} ${each}s on average.`,
      `A lasting ${lasting} of ${first?.join(' standard error is caught in ') ?? ''} ${each}s on average${more.map(([shift, delay]) => `, one of ${shift ?? ''} in ${delay ?? ''}`).join('')}.`,
    ],
    averageRunLength: runLength,
    falseAlarm,
    falseAlarmIn100,
    delays,
  };
};

const explainValue = (
  { allowance, decisionInterval }: Chart<'value'>,
  reference: number,
): Meaning => {
  const [inner, outer] = [allowance, allowance + decisionInterval];
  const range = (width: number) => `${digits(reference - width)} to ${digits(reference + width)}`;
  return {
    words: [
      `One iteration with a metric outside ${range(outer)} fires.`,
      `Metrics within ${range(inner)} never do; what is beyond adds up on its side.`,
      'It looks both ways, so that a metric far better than expected fires as well.',
      "It is in the metric's own unit, not in units of noise, so no run length can be told.",
    ],
    ...notInNoise,
  };
};

const explain = (chart: ChartPolicy, iterations: number): Meaning => {
  switch (chart.kind) {
    case 'gain':
      return explainGain(chart);
    case 'gap':
      return explainNoise(
        {
          ...{ sides: 1, each: 'iteration', lasting: 'excess' },
          fires: 'it helps dev rows over check rows',
        },
        chart,
        chart.reference,
        iterations,
      );
    case 'value':
      return chart.reference === 'baseline'
        ? explainNoise(
            {
              ...{ sides: 2, each: 'iteration', lasting: 'shift' },
              fires: "the metric leaves the baseline's",
            },
            chart,
            0,
            iterations,
          )
        : explainValue(chart, chart.reference);
    case 'stability':
      return explainNoise(
        {
          ...{ sides: 2, each: 're-measurement', lasting: 'shift' },
          fires: 'the program that stands measures otherwise than before',
        },
        chart,
        0,
        Math.floor(iterations / chart.every),
      );
  }
};

/**
 * What a policy means, for `holdfast check`: what the budget buys, what the program predicts, and when each chart
 * fires. Costs are in the budget's units. Run lengths are nominal: those of independent normal values.
 */
export const describeStudy = (policy: HarnessPolicy): StudyDescription => {
  const purchases = purchasesOf(policy.budget);
  const [cheapest, dearest] = [purchases[0], purchases.at(-1)];
  if (cheapest === undefined || dearest === undefined) throw new Error('a study has domains');
  // A secondary metric is no observation of a candidate: no chart moves on it.
  const observed = purchases.filter(({ domain }) => domain !== 'metric');
  const iterations = Math.max(...observed.map((purchase) => purchase.iterations));
  return {
    cells: cellCount(policy.data.dimensions),
    dimensions: policy.data.dimensions.map(({ name, labels }) => ({ name, labels })),
    mutable: mutableEntries(policy).map(({ path, part, domain }) => ({
      entry: part === null ? path : `${path}#${part}`,
      domain,
      language: languageOf(path),
    })),
    purchases,
    cheapest,
    dearest,
    charts: policy.charts.map((chart) => ({
      kind: chart.kind,
      ...explain(chart, iterations),
    })),
  };
};
