import Table from 'cli-table3';
import type { ChargeRow, CutoverRow, FindingRow, RestorePointRow, RunRow } from '#libs/read-models';
import type { Domain } from '#libs/harness';
import { DOMAIN } from './iteration.ts';
import { outcomeOf, statusPaint, type Style } from './style.ts';
import {
  callPlanted,
  clean,
  count,
  fit,
  metric,
  moment,
  percent,
  short,
  sum,
  units,
  widthOf,
} from './text.ts';

interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly paint?: (row: Row) => (text: string) => string;
  readonly align?: 'left' | 'right';
  /** Gives way, down to this width, when the table is too wide; the others keep the width of their content. */
  readonly least?: number;
}

const GAP = 2;

/** A table without frames, as wide as its content and no wider than the style; one text that says so when it is empty. */
const table = <Row>(
  { paint, width }: Style,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): string => {
  if (rows.length === 0) return paint.dim(empty);
  const content = columns.map(({ head, cell }) =>
    Math.max(widthOf(head), ...rows.map((row) => widthOf(cell(row)))),
  );
  const excess = content.reduce((all, one) => all + one + GAP, -GAP) - width;
  const widths = giveWay(columns, content, excess);
  const shown = new Table({
    head: columns.map(({ head }, index) => paint.dim(fit(head, widths[index] ?? 0))),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) {
    shown.push(
      columns.map(({ cell, paint: tone }, index) => {
        const text = fit(cell(row), widths[index] ?? 0);
        return tone === undefined ? text : tone(row)(text);
      }),
    );
  }
  return shown
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
};

/** Takes the excess from the columns that can give way, always from the one that is furthest above its least. */
const giveWay = (
  columns: readonly { readonly least?: number }[],
  content: readonly number[],
  excess: number,
): readonly number[] => {
  const widths = [...content];
  const above = (index: number): number =>
    (widths[index] ?? 0) / (columns[index]?.least ?? Infinity);
  for (let left = excess; left > 0; left -= 1) {
    const [furthest = 0] = [...widths.keys()].sort((a, b) => above(b) - above(a));
    if (above(furthest) <= 1) break;
    widths[furthest] = (widths[furthest] ?? 0) - 1;
  }
  return widths;
};

const optional = (value: number | null, show: (value: number) => string): string =>
  value === null ? '–' : show(value);

export const runsTable = (style: Style, rows: readonly RunRow[]): string =>
  table<RunRow>(
    style,
    [
      { head: 'study', cell: (row) => clean(row.studyId), least: 8 },
      { head: 'no', cell: (row) => String(row.number), align: 'right' },
      { head: 'run', cell: (row) => row.runId },
      {
        head: 'status',
        cell: (row) => row.status,
        paint: (row) => statusPaint(style.paint, row.status),
      },
      { head: 'opened (UTC)', cell: (row) => moment(row.openedAt).slice(0, 16) },
      { head: 'iter', cell: (row) => String(row.iterations), align: 'right' },
      { head: 'kept', cell: (row) => String(row.kept), align: 'right' },
      { head: 'spent', cell: (row) => `${units(row.spent)}/${units(row.total)}`, align: 'right' },
      {
        head: 'log-loss',
        cell: (row) =>
          row.baselineMetric === null || row.lineMetric === null
            ? '–'
            : `${metric(row.baselineMetric)} → ${metric(row.lineMetric)}`,
      },
      { head: 'findings', cell: findingsOf },
    ],
    rows,
    'No runs yet: start one with "holdfast run".',
  );

const findingsOf = ({ findingsPass, findingsBlock }: RunRow): string =>
  [
    ...(findingsPass > 0 ? [`${findingsPass} PASS`] : []),
    ...(findingsBlock > 0 ? [`${findingsBlock} BLOCK`] : []),
  ].join(', ') || '–';

/** What changed, when, why, by whom, from which restore point, and what became of it. */
export const auditTable = (
  style: Style,
  rows: readonly CutoverRow[],
  planted: readonly string[],
): string =>
  table<CutoverRow>(
    style,
    [
      { head: 'run', cell: (row) => String(row.runNumber), align: 'right' },
      { head: '#', cell: (row) => String(row.number), align: 'right' },
      { head: 'when (UTC)', cell: (row) => moment(row.proposedAt).slice('YYYY-'.length) },
      { head: 'who', cell: (row) => clean(row.actorRole) },
      { head: 'what', cell: (row) => callPlanted(clean(row.summary), planted), least: 16 },
      {
        head: 'why',
        cell: (row) => callPlanted(clean(row.hypothesis ?? '–'), planted),
        paint: () => style.paint.dim,
        least: 8,
      },
      {
        head: 'domain',
        cell: (row) => DOMAIN[(row.measuredDomain ?? row.declaredDomain) as Domain],
      },
      { head: 'cost', cell: (row) => optional(row.cost, units), align: 'right' },
      { head: 'from', cell: (row) => (row.restorePointId ?? '–').slice(0, 8) },
      { head: 'log-loss', cell: (row) => optional(row.metric, metric), align: 'right' },
      { head: 'z', cell: (row) => optional(row.z, (z) => z.toFixed(1)), align: 'right' },
      {
        head: 'decision',
        cell: (row) => outcomeOf(style.paint, row.decision).text,
        paint: (row) => outcomeOf(style.paint, row.decision).paint,
      },
    ],
    rows,
    'No attempts match.',
  );

export const restoreTable = (style: Style, rows: readonly RestorePointRow[]): string =>
  table<RestorePointRow>(
    style,
    [
      { head: 'run', cell: (row) => String(row.runNumber), align: 'right' },
      { head: 'restore point', cell: (row) => row.restorePointId },
      { head: 'when (UTC)', cell: (row) => moment(row.takenAt) },
      { head: 'commit', cell: (row) => short(row.commit) },
      { head: 'tree', cell: (row) => short(row.tree) },
      { head: 'log-loss', cell: (row) => metric(row.metric), align: 'right' },
      {
        head: 'monitor',
        cell: (row) =>
          row.monitor
            .map(({ chart, upper, lower }) => `${chart} ${sum(upper)}/${sum(lower)}`)
            .join(', ') || '–',
        least: 12,
      },
      { head: 'left', cell: (row) => units(row.budgetRemaining), align: 'right' },
    ],
    rows,
    'No restore points match.',
  );

/** The ledger. */
export const chargesTable = (
  style: Style,
  rows: readonly ChargeRow[],
  planted: readonly string[],
): string =>
  table<ChargeRow>(
    style,
    [
      { head: 'run', cell: (row) => String(row.runNumber), align: 'right' },
      { head: 'when (UTC)', cell: (row) => moment(row.chargedAt) },
      { head: 'type', cell: (row) => row.charge },
      { head: 'cost', cell: (row) => units(row.cost), align: 'right' },
      { head: 'left', cell: (row) => units(row.remaining), align: 'right' },
      {
        head: 'description',
        cell: (row) => callPlanted(clean(row.description), planted),
        least: 12,
      },
    ],
    rows,
    'No charges match.',
  );

export const findingsTable = (style: Style, rows: readonly FindingRow[]): string =>
  table<FindingRow>(
    style,
    [
      {
        head: 'verdict',
        cell: (row) => row.verdict ?? '–',
        paint: (row) => (row.verdict === 'BLOCK' ? style.paint.bold.red : style.paint.bold.green),
      },
      { head: 'finding', cell: (row) => row.findingId },
      { head: 'run', cell: (row) => String(row.runNumber), align: 'right' },
      { head: 'kind', cell: (row) => row.kind },
      { head: 'estimate', cell: (row) => metric(row.estimate), align: 'right' },
      { head: 'interval', cell: (row) => `${metric(row.lower)} to ${metric(row.upper)}` },
      { head: 'gain', cell: (row) => percent(row.relative), align: 'right' },
      { head: 'n', cell: (row) => count(row.n), align: 'right' },
      { head: 'changes', cell: changesOf, least: 12 },
      { head: 'review', cell: (row) => row.review },
    ],
    rows,
    'No findings match.',
  );

const changesOf = ({ changes, planted }: FindingRow): string =>
  callPlanted(clean(changes.join('; ')), planted);
