import Table from 'cli-table3';
import type { DeadLetter, FleetAnnouncement } from '#libs/jobs';
import { counted } from '#libs/kernel';
import type { ChargeRow, CutoverRow, FindingRow, RestorePointRow, RunRow } from '#libs/read-models';
import { outcomeOf, statusPaint, type Style } from './style.ts';
import {
  callPlanted,
  clean,
  count,
  fit,
  metric,
  moment,
  percent,
  sum,
  units,
  widthOf,
  wrap,
} from './text.ts';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly paint?: (row: Row) => (text: string) => string;
  readonly align?: 'left' | 'right';
  /** Gives way, down to this width, when the table is too wide; the others keep the width of their content. */
  readonly least?: number;
  /** Is broken into lines where it gave way, and not cut. */
  readonly wraps?: boolean;
  /** Left out where that is not enough, lowest first; the others always stay. */
  readonly leave?: number;
}

const GAP = 2;
/** Of a cell: what agents write can be long. */
const MOST_LINES = 5;

/** A table without frames, as wide as its content and no wider than the style; one text that says so when it is empty. */
export const table = <Row>(
  { paint, width }: Style,
  all: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): string => {
  if (rows.length === 0) return paint.dim(empty);
  const contentOf = ({ head, cell }: Column<Row>): number =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(cell(row))), widthOf(head));
  const columns = columnsThatFit(all, contentOf, width);
  const content = columns.map(contentOf);
  const widths = giveWay(columns, content, tableWidth(content) - width);
  const shown = new Table({
    head: columns.map(({ head }, index) => paint.dim(fit(head, widths[index] ?? 0))),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) {
    shown.push(
      columns.map(({ cell, paint: tone, wraps }, index) => {
        const room = widths[index] ?? 0;
        const text = wraps ? wrap(cell(row), room, MOST_LINES).join('\n') : fit(cell(row), room);
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

const tableWidth = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one + GAP, -GAP);

/** Leaves columns out until the others fit, if only at their least widths. */
const columnsThatFit = <Row>(
  all: readonly Column<Row>[],
  contentOf: (column: Column<Row>) => number,
  width: number,
): readonly Column<Row>[] => {
  const leaving = all
    .filter(({ leave }) => leave !== undefined)
    .toSorted((a, b) => (a.leave ?? 0) - (b.leave ?? 0));
  let columns = all;
  const narrowest = (): number =>
    tableWidth(columns.map((column) => Math.min(contentOf(column), column.least ?? Infinity)));
  for (const column of leaving) {
    if (narrowest() <= width) break;
    columns = columns.filter((one) => one !== column);
  }
  return columns;
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
      { head: 'study', cell: (row) => clean(row.studyId), least: 8, leave: 2 },
      { head: 'no', cell: (row) => String(row.number), align: 'right', leave: 1 },
      { head: 'run', cell: (row) => row.runId, least: 16 },
      {
        head: 'status',
        cell: (row) => row.status,
        paint: (row) => statusPaint(style.paint, row.status),
      },
      {
        head: 'opened (UTC)',
        cell: (row) => (row.openedAt === null ? '–' : moment(row.openedAt).slice(0, 16)),
        leave: 4,
      },
      { head: 'iter', cell: (row) => String(row.iterations), align: 'right', leave: 3 },
      { head: 'kept', cell: (row) => String(row.kept), align: 'right' },
      {
        head: 'spent',
        cell: (row) => `${units(row.spent)}/${optional(row.total, units)}`,
        align: 'right',
      },
      {
        head: 'log-loss',
        cell: (row) =>
          row.baselineMetric === null || row.lineMetric === null
            ? '–'
            : `${metric(row.baselineMetric)} → ${metric(row.lineMetric)}`,
        leave: 5,
      },
      { head: 'findings', cell: findingsOf },
    ],
    rows,
    'No runs yet: start one with "npx holdfast run".',
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
): string => {
  const shown = table<CutoverRow>(
    style,
    [
      { head: 'run', cell: (row) => row.runId, least: 16, leave: 5 },
      { head: '#', cell: (row) => String(row.number), align: 'right' },
      { head: 'when (UTC)', cell: (row) => moment(row.proposedAt).slice('YYYY-'.length), leave: 6 },
      { head: 'who', cell: (row) => clean(row.actorRole), leave: 1 },
      {
        head: 'what',
        cell: (row) => callPlanted(clean(row.summary), planted),
        least: 22,
        wraps: true,
      },
      {
        head: 'why',
        cell: (row) => callPlanted(clean(row.hypothesis ?? '–'), planted),
        paint: () => style.paint.dim,
        least: 12,
        leave: 4,
      },
      {
        head: 'domain',
        cell: (row) => row.measuredDomain ?? row.declaredDomain,
      },
      { head: 'edit', cell: (row) => optional(row.cost, units), align: 'right' },
      { head: 'from', cell: (row) => (row.restorePointId ?? '–').slice(0, 8), leave: 2 },
      { head: 'log-loss', cell: (row) => optional(row.metric, metric), align: 'right' },
      { head: 'z', cell: (row) => optional(row.z, (z) => z.toFixed(1)), align: 'right', leave: 3 },
      {
        head: 'decision',
        cell: (row) => outcomeOf(style.paint, row.decision).text,
        paint: (row) => outcomeOf(style.paint, row.decision).paint,
      },
    ],
    rows,
    'No attempts match.',
  );
  return rows.length === 0 ? shown : [shown, '', ...legend(style, AUDIT_LEGEND)].join('\n');
};

const AUDIT_LEGEND =
  'edit: what the edit itself cost; its hypothesis is charged beside it (--ledger charges)';

const legend = ({ paint, width }: Style, text: string): readonly string[] =>
  wrap(text, width).map((line) => paint.dim(line));

export const restoreTable = (style: Style, rows: readonly RestorePointRow[]): string =>
  table<RestorePointRow>(
    style,
    [
      { head: 'run', cell: (row) => row.runId, least: 16, leave: 3 },
      // Whole: it is what "holdfast restore" asks for.
      { head: 'restore point', cell: (row) => row.restorePointId },
      { head: 'when (UTC)', cell: (row) => moment(row.takenAt).slice('YYYY-'.length), leave: 4 },
      { head: 'commit', cell: (row) => row.commit.slice(0, 8), leave: 1 },
      { head: 'tree', cell: (row) => row.tree.slice(0, 8), leave: 2 },
      { head: 'log-loss', cell: (row) => metric(row.metric), align: 'right' },
      { head: 'monitor', cell: monitorOf, least: 26 },
      { head: 'left', cell: (row) => units(row.budgetRemaining), align: 'right' },
    ],
    rows,
    'No restore points match.',
  );

/** Each chart's sums before the mutation: the side that is above zero, both where both are. */
const monitorOf = ({ monitor }: RestorePointRow): string =>
  monitor
    .map(({ chart, upper, lower }) => {
      const sides = [upper, lower].filter((side) => side > 0).map(sum);
      return `${chart} ${sides.join('/') || '0'}`;
    })
    .join('  ') || '–';

/** The ledger. */
export const chargesTable = (
  style: Style,
  rows: readonly ChargeRow[],
  planted: readonly string[],
): string =>
  table<ChargeRow>(
    style,
    [
      { head: 'run', cell: (row) => row.runId, least: 16, leave: 1 },
      { head: 'when (UTC)', cell: (row) => moment(row.chargedAt).slice('YYYY-'.length) },
      { head: 'type', cell: (row) => row.charge },
      { head: 'cost', cell: (row) => units(row.cost), align: 'right' },
      { head: 'left', cell: (row) => units(row.remaining), align: 'right' },
      {
        head: 'description',
        cell: (row) => callPlanted(clean(row.description), planted),
        least: 24,
        wraps: true,
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
      { head: 'finding', cell: (row) => row.findingId, least: 18 },
      { head: 'kind', cell: (row) => row.kind, leave: 3 },
      { head: 'estimate', cell: (row) => metric(row.estimate), align: 'right' },
      { head: 'interval', cell: (row) => `${metric(row.lower)} to ${metric(row.upper)}` },
      { head: 'gain', cell: (row) => percent(row.relative), align: 'right', leave: 2 },
      { head: 'n', cell: (row) => count(row.n), align: 'right', leave: 1 },
      { head: 'look', cell: lookOf, align: 'right', leave: 4 },
      { head: 'changes', cell: changesOf, least: 24, wraps: true },
      { head: 'review', cell: (row) => row.review },
    ],
    rows,
    'No findings match.',
  );

/** Which look of the study, and what it had spent by then. */
const lookOf = ({ sealedLook, lookRuns, lookSpent }: FindingRow): string =>
  lookRuns === null
    ? String(sealedLook)
    : `${sealedLook} (${counted(lookRuns, 'run')}, ${units(lookSpent ?? 0)})`;

const changesOf = ({ changes, planted }: FindingRow): string =>
  callPlanted(clean(changes.join('; ')), planted);

/** A worker as the log and its own announcement know it. */
export interface WorkerRow {
  readonly keyId: string;
  readonly label: string;
  readonly standing: 'admitted' | 'dismissed' | 'unknown';
  readonly announced: readonly FleetAnnouncement[];
}

const standingPaint = ({ paint }: Style, { standing }: WorkerRow) =>
  ({ admitted: paint.green, dismissed: paint.dim, unknown: paint.yellow })[standing];

/** What a worker says of itself is anybody's text. */
export const workersTable = (style: Style, rows: readonly WorkerRow[]): string =>
  table<WorkerRow>(
    style,
    [
      { head: 'key id', cell: ({ keyId }) => clean(keyId) },
      { head: 'label', cell: ({ label }) => clean(label), least: 8 },
      {
        head: 'standing',
        cell: ({ standing }) => standing,
        paint: (row) => standingPaint(style, row),
      },
      {
        head: 'runs on',
        cell: ({ announced: [one] }) =>
          one === undefined
            ? 'silent'
            : clean(`${one.executor}, ${one.runtime.name} ${one.runtime.version}`),
        least: 12,
      },
      {
        head: 'devices',
        cell: ({ announced: [one] }) =>
          clean(one?.devices.map(({ index, name }) => `${index}: ${name}`).join(', ') ?? '') || '–',
        least: 8,
        leave: 1,
      },
      {
        head: 'under way',
        cell: ({ announced }) =>
          String(announced.reduce((total, { underWay }) => total + underWay.length, 0)),
        align: 'right',
      },
    ],
    rows,
    'No worker is admitted and none announces itself: trainings run in the runner.',
  );

export const jobsTable = (style: Style, rows: readonly DeadLetter[]): string =>
  table<DeadLetter>(
    style,
    [
      { head: 'training', cell: ({ trainingId }) => clean(trainingId) },
      { head: 'run', cell: ({ runId }) => clean(runId), least: 12 },
      { head: 'kind', cell: ({ kind }) => kind },
      { head: 'tries', cell: ({ attempts }) => String(attempts), align: 'right', leave: 1 },
      { head: 'since (UTC)', cell: ({ since }) => moment(since).slice(0, 16), leave: 2 },
      { head: 'why', cell: ({ reason }) => clean(reason), least: 20, wraps: true },
    ],
    rows,
    'No training waits for an operator.',
  );
