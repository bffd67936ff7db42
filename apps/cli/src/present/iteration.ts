import type { ChartReading } from '#libs/divergence';
import type { Domain, Observation } from '#libs/harness';
import type { Outcome, Style } from './style.ts';
import { fit, metric, padEnd, padStart, signedPercent, sum, units } from './text.ts';

/** What is known of an iteration when its line is printed. Texts are clean and call what is planted so. */
export interface Iteration {
  readonly number: number;
  readonly hypothesis: string;
  readonly summary: string | null;
  readonly domain: Domain | null;
  /** Hypothesis and mutation together. */
  readonly cost: number;
  readonly left: number;
  readonly observation: Observation | null;
  readonly charts: readonly ChartReading[];
  /** Said in place of numbers, where there are none. */
  readonly note: string | null;
}

/** Where there is no room for the whole words, which the opening gives with their prices. */
const SHORT: Readonly<Record<Domain, string>> = {
  hyperparameter: 'hyper',
  feature: 'feature',
  architecture: 'archit',
  metric: 'metric',
};

const NUMBER = 3;
const DOMAIN = { whole: 'hyperparameter'.length, short: 7 };
const COST = 4;
const LEFT = 4;
const METRIC = 8;
const ERROR = 5;
const GAIN = 8;
const CHART = 6;
const DECISION = 11;

/** A summary is seldom longer, and says little when it is much shorter. */
const SUMMARY = { least: 24, most: 38 };
/** Enough for what a hypothesis begins with. */
const HYPOTHESIS_LEAST = 16;

type Chart = ChartReading['chart'];

/** The widths of the columns, null for those that there is no room for. */
interface Columns {
  readonly summary: number;
  readonly hypothesis: number | null;
  readonly domain: number | null;
  readonly error: number | null;
  readonly charts: readonly Chart[];
  /** All columns of numbers together, for a note in their place. */
  readonly numbers: number;
}

/** Where the terminal is narrow, columns give way: the domain's whole words, hypothesis, further charts, standard error, domain. */
const columnsOf = (width: number, charts: readonly Chart[]): Columns => {
  const numbers = (error: boolean, shown: number): number =>
    METRIC + (error ? ERROR : 0) + 1 + GAIN + shown * (CHART + 1);
  const free = (domain: number, error: boolean, shown: number): number =>
    width -
    (NUMBER + 2 + 2 + (domain > 0 ? domain + 1 : 0) + COST + 1 + LEFT + 2) -
    (numbers(error, shown) + 2 + DECISION);
  const fits = (...kept: Parameters<typeof free>): boolean => free(...kept) >= SUMMARY.least;
  const BOTH = SUMMARY.least + 1 + HYPOTHESIS_LEAST;

  const shown = fits(DOMAIN.short, true, charts.length) ? charts : charts.slice(0, 1);
  const error = fits(DOMAIN.short, true, shown.length);
  const domain =
    free(DOMAIN.whole, error, shown.length) >= BOTH
      ? DOMAIN.whole
      : fits(DOMAIN.short, error, shown.length)
        ? DOMAIN.short
        : 0;
  const room = free(domain, error, shown.length);
  const hypothesis = room >= BOTH;
  const summary = hypothesis
    ? Math.min(SUMMARY.most, Math.max(SUMMARY.least, Math.floor((room - 1) * 0.57)))
    : room;
  return {
    summary,
    hypothesis: hypothesis ? room - 1 - summary : null,
    domain: domain > 0 ? domain : null,
    error: error ? ERROR : null,
    charts: shown,
    numbers: numbers(error, shown.length),
  };
};

/** The columns that there are, put together. */
const row = (
  columns: Columns,
  cells: {
    readonly number: string;
    readonly summary: string;
    readonly hypothesis: (width: number) => string;
    readonly domain: (width: number) => string;
    readonly cost: string;
    readonly left: string;
    readonly numbers: string;
    readonly decision: string;
  },
): string =>
  [
    cells.number,
    '  ',
    padEnd(cells.summary, columns.summary),
    '  ',
    ...(columns.hypothesis === null ? [] : [cells.hypothesis(columns.hypothesis), ' ']),
    ...(columns.domain === null ? [] : [cells.domain(columns.domain), ' ']),
    padStart(cells.cost, COST),
    ' ',
    padStart(cells.left, LEFT),
    '  ',
    cells.numbers,
    '  ',
    cells.decision,
  ].join('');

export const iterationHeader = ({ paint, width }: Style, charts: readonly Chart[]): string => {
  const columns = columnsOf(width, charts);
  const measured = columns.error === null ? 'log-loss' : 'log-loss ±se';
  return paint.dim(
    row(columns, {
      number: padStart('#', NUMBER),
      summary: 'mutation',
      hypothesis: (room) => padEnd('hypothesis', room),
      domain: (room) => padEnd('domain', room),
      cost: 'cost',
      left: 'left',
      numbers: [
        padStart(measured, METRIC + (columns.error ?? 0)),
        padStart('gain', GAIN),
        ...columns.charts.map((chart) => padStart(`S ${chart}`, CHART)),
      ].join(' '),
      decision: 'decision',
    }),
  );
};

/**
 * The iteration on one line; where the terminal has no room for the hypothesis there, on a dim one below it. `charts`
 * are the run's, in the order of the header.
 */
export const iterationLines = (
  { paint, width }: Style,
  charts: readonly Chart[],
  iteration: Iteration,
  outcome: Outcome,
): readonly string[] => {
  const columns = columnsOf(width, charts);
  const { domain, observation } = iteration;
  const line = row(columns, {
    number: paint.bold(padStart(String(iteration.number), NUMBER)),
    summary: iteration.summary ?? '–',
    hypothesis: (room) => paint.dim(padEnd(iteration.hypothesis, room)),
    domain: (room) => domainPaint(paint, domain)(padEnd(domainIn(domain, room), room)),
    cost: units(iteration.cost),
    left: units(iteration.left),
    numbers:
      observation === null
        ? paint.yellow(padEnd(iteration.note ?? '', columns.numbers))
        : numbers(paint, columns, observation, iteration.charts),
    decision: outcome.paint(outcome.text),
  });
  const indent = ' '.repeat(NUMBER + 2);
  return columns.hypothesis === null
    ? [line, paint.dim(indent + fit(iteration.hypothesis, width - indent.length))]
    : [line];
};

const numbers = (
  paint: Style['paint'],
  { error, charts }: Columns,
  observation: Observation,
  readings: readonly ChartReading[],
): string => {
  const { value, standardError } = observation.metric;
  const gain = gainOf(observation);
  const diverged = readings.some(({ fired }) => fired);
  const tone = diverged ? paint.magenta : gain !== null && gain > 0 ? paint.green : paint.dim;
  const deviation = error === null ? '' : ` ±${metric(standardError).replace(/^0/u, '')}`;
  return [
    padStart(`${metric(value)}${deviation}`, METRIC + (error ?? 0)),
    ' ',
    tone(padStart(gain === null ? '–' : signedPercent(gain), GAIN)),
    ...charts.map(
      (chart) =>
        ` ${chartCell(
          paint,
          readings.find((one) => one.chart === chart),
        )}`,
    ),
  ].join('');
};

/** Relative gain over the incumbent, from the paired difference: positive is better. */
export const gainOf = ({ metric: measured, difference }: Observation): number | null => {
  if (difference === null) return null;
  const incumbent = measured.value - difference.value;
  return incumbent === 0 ? null : -difference.value / incumbent;
};

const chartCell = (paint: Style['paint'], reading: ChartReading | undefined): string => {
  if (reading === undefined) return padStart('–', CHART);
  const shown = sum(Math.max(reading.upper, reading.lower));
  return reading.fired ? paint.bold.red(padStart(`${shown}!`, CHART)) : padStart(shown, CHART);
};

const domainIn = (domain: Domain | null, room: number): string =>
  domain === null ? '–' : room < DOMAIN.whole ? SHORT[domain] : domain;

const domainPaint = (paint: Style['paint'], domain: Domain | null): ((text: string) => string) =>
  domain === null
    ? paint.dim
    : {
        hyperparameter: paint.blue,
        feature: paint.cyan,
        architecture: paint.magenta,
        metric: paint.dim,
      }[domain];
