import type { ChartReading } from '#libs/divergence';
import type { Domain, Observation } from '#libs/harness';
import type { Outcome, Style } from './style.ts';
import { metric, padEnd, padStart, signedPercent, sum, units } from './text.ts';

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

/** Narrow enough for a column; the opening gives the whole words with their prices. */
export const DOMAIN: Readonly<Record<Domain, string>> = {
  hyperparameter: 'hyper',
  feature: 'feature',
  architecture: 'archit',
  metric: 'metric',
};

const NUMBER = 3;
const DOMAIN_WIDTH = 7;
const COST = 4;
const LEFT = 4;
const METRIC = 13;
const GAIN = 8;
const CHART = 6;
const DECISION = 11;

interface Columns {
  readonly summary: number;
  readonly hypothesis: number;
  /** All columns of numbers together, for a note in their place. */
  readonly numbers: number;
}

const columnsOf = (width: number, charts: number): Columns => {
  const numbers = METRIC + 1 + GAIN + charts * (CHART + 1);
  const taken = NUMBER + 2 + 2 + DOMAIN_WIDTH + 1 + COST + 1 + LEFT + 2 + numbers + 2 + DECISION;
  const free = Math.max(24, width - taken);
  // Never narrower than its heading; summaries beyond 38 columns are rare.
  const hypothesis = Math.max(11, free - Math.min(38, Math.ceil(free * 0.6)));
  return { summary: free - hypothesis, hypothesis, numbers };
};

export const iterationHeader = (
  { paint, width }: Style,
  charts: readonly ChartReading['chart'][],
): string => {
  const columns = columnsOf(width, charts.length);
  return paint.dim(
    [
      padStart('#', NUMBER),
      '  ',
      padEnd('mutation', columns.summary),
      '  ',
      padEnd('hypothesis', columns.hypothesis - 1),
      ' ',
      padEnd('domain', DOMAIN_WIDTH),
      ' ',
      padStart('cost', COST),
      ' ',
      padStart('left', LEFT),
      '  ',
      padStart('log-loss ±se', METRIC),
      ' ',
      padStart('gain', GAIN),
      ...charts.map((chart) => ` ${padStart(`S ${chart}`, CHART)}`),
      '  ',
      'decision',
    ].join(''),
  );
};

/** The iteration on one line. `charts` are the run's, in the order of the header. */
export const iterationLine = (
  { paint, width }: Style,
  charts: readonly ChartReading['chart'][],
  iteration: Iteration,
  outcome: Outcome,
): string => {
  const columns = columnsOf(width, charts.length);
  const line = [
    paint.bold(padStart(String(iteration.number), NUMBER)),
    '  ',
    padEnd(iteration.summary ?? '–', columns.summary),
    '  ',
    paint.dim(padEnd(iteration.hypothesis, columns.hypothesis - 1)),
    ' ',
    domainPaint(
      paint,
      iteration.domain,
    )(padEnd(iteration.domain === null ? '–' : DOMAIN[iteration.domain], DOMAIN_WIDTH)),
    ' ',
    padStart(units(iteration.cost), COST),
    ' ',
    padStart(units(iteration.left), LEFT),
    '  ',
    iteration.observation === null
      ? paint.yellow(padEnd(iteration.note ?? '', columns.numbers))
      : numbers(paint, iteration.observation, charts, iteration.charts),
    '  ',
    outcome.paint(outcome.text),
  ].join('');
  return line.trimEnd();
};

const numbers = (
  paint: Style['paint'],
  observation: Observation,
  charts: readonly ChartReading['chart'][],
  readings: readonly ChartReading[],
): string => {
  const { value, standardError } = observation.metric;
  const gain = gainOf(observation);
  const diverged = readings.some(({ fired }) => fired);
  const tone = diverged ? paint.magenta : gain !== null && gain > 0 ? paint.green : paint.dim;
  return [
    padStart(`${metric(value)} ±${metric(standardError).replace(/^0/u, '')}`, METRIC),
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
