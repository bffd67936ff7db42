import type { ChartReading } from '#libs/divergence';
import type { Domain, Observation } from '#libs/harness';
import type { Outcome, Style } from './style.ts';
import { metric, padEnd, padStart, signedPercent, sum, units, widthOf, wrap } from './text.ts';

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

const NUMBER = 3;
const DOMAIN = 'hyperparameter'.length;
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

/**
 * Where the terminal is narrow, columns give way: first those that are as well read on a line below (the hypothesis,
 * then the domain), then further charts and the standard error. No word is shortened.
 */
const columnsOf = (width: number, charts: readonly Chart[]): Columns => {
  const first = charts.slice(0, 1);
  const choices = [
    { hypothesis: true, domain: DOMAIN, error: ERROR, charts },
    { hypothesis: false, domain: DOMAIN, error: ERROR, charts },
    { hypothesis: false, domain: null, error: ERROR, charts },
    { hypothesis: false, domain: null, error: ERROR, charts: first },
    { hypothesis: false, domain: null, error: null, charts: first },
  ].map((choice) => {
    const { domain, error, charts: shown } = choice;
    const numbers = METRIC + (error ?? 0) + 1 + GAIN + shown.length * (CHART + 1);
    const before = NUMBER + 2 + 2 + (domain === null ? 0 : domain + 1) + COST + 1 + LEFT + 2;
    return { ...choice, numbers, room: width - before - numbers - 2 - DECISION };
  });
  const chosen = choices.find(
    ({ hypothesis, room }) => room >= SUMMARY.least + (hypothesis ? 1 + HYPOTHESIS_LEAST : 0),
  );
  const { hypothesis, room, ...columns } = chosen ?? choices[choices.length - 1]!;
  if (!hypothesis) return { ...columns, summary: room, hypothesis: null };
  const summary = Math.min(SUMMARY.most, Math.max(SUMMARY.least, Math.floor((room - 1) * 0.57)));
  return { ...columns, summary, hypothesis: room - 1 - summary };
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

/** Lines that an agent's text may take: it can be long. */
const MOST_LINES = 3;

/**
 * The iteration on one line, and below it what that has no room for: the rest of what is mutated, then, dim, domain and
 * hypothesis. `charts` are the run's, in the order of the header.
 */
export const iterationLines = (
  { paint, width }: Style,
  charts: readonly Chart[],
  iteration: Iteration,
  outcome: Outcome,
): readonly string[] => {
  const columns = columnsOf(width, charts);
  const { domain, observation } = iteration;
  const note = iteration.note ?? '';
  const isNoteBelow = widthOf(note) > columns.numbers;
  const [summary = '–', ...rest] = wrap(iteration.summary ?? '–', columns.summary, MOST_LINES);
  const line = row(columns, {
    number: paint.bold(padStart(String(iteration.number), NUMBER)),
    summary,
    hypothesis: (room) => paint.dim(padEnd(iteration.hypothesis, room)),
    domain: (room) => domainPaint(paint, domain)(padEnd(domain ?? '–', room)),
    cost: units(iteration.cost),
    left: units(iteration.left),
    numbers:
      observation === null
        ? paint.yellow(padEnd(isNoteBelow ? '' : note, columns.numbers))
        : numbers(paint, columns, observation, iteration.charts),
    decision: outcome.paint(outcome.text),
  });
  const indent = ' '.repeat(NUMBER + 2);
  const under = (text: string, tone: (text: string) => string): readonly string[] =>
    text === ''
      ? []
      : wrap(text, width - indent.length, MOST_LINES).map((each) => tone(indent + each));
  const below = [
    ...(columns.domain === null && domain !== null ? [`${domain}: `] : []),
    ...(columns.hypothesis === null ? [iteration.hypothesis] : []),
  ].join('');
  return [
    line,
    ...rest.map((text) => indent + text),
    ...under(observation === null && isNoteBelow ? note : '', paint.yellow),
    ...under(below, paint.dim),
  ];
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

const domainPaint = (paint: Style['paint'], domain: Domain | null): ((text: string) => string) =>
  domain === null
    ? paint.dim
    : {
        hyperparameter: paint.blue,
        feature: paint.cyan,
        architecture: paint.magenta,
        metric: paint.dim,
      }[domain];
