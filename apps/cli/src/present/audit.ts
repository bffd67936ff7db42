import type { Shown } from '#apps/runner';
import { counted } from '#libs/kernel';
import { ACCESSES } from '#libs/read-models';
import type {
  AccessRow,
  Approval,
  AsOf,
  ChangeRow,
  Difference,
  FindingAtRow,
  IncidentRow,
  ReviewRow,
  Trace,
  TraceNode,
} from '#libs/read-models';
import type { Style } from './style.ts';
import { table } from './tables.ts';
import {
  callPlanted,
  clean,
  count,
  fit,
  metric,
  moment,
  padEnd,
  shortHashes,
  sum,
  widthOf,
  wrap,
} from './text.ts';

/** How far an answer is good. */
export const asOfLine = (asOf: AsOf | null): string =>
  asOf === null
    ? 'The log is empty.'
    : `As of log position ${asOf.position}${asOf.at === null ? '' : ` (${moment(asOf.at)} UTC)`}, no further.`;

const who = ({ actorRole, actorId }: { actorRole: string; actorId: string }): string =>
  actorRole === actorId ? actorRole : clean(`${actorRole} ${actorId}`);

const when = (time: string): string => moment(time).slice('YYYY-'.length);

const WHEN = 'when (UTC)';

const said = (text: string, planted: readonly string[]): string =>
  callPlanted(clean(shortHashes(text)), planted);

/** Everything that changed, and who approved it. */
export const changesTable = (
  style: Style,
  rows: readonly Shown<ChangeRow>[],
  planted: readonly string[],
): string => {
  const shown = table<Shown<ChangeRow>>(
    style,
    [
      { head: WHEN, cell: (row) => when(row.at) },
      { head: 'run', cell: (row) => row.runId ?? '–', least: 10, leave: 3 },
      { head: 'change', cell: (row) => row.change },
      { head: 'what', cell: (row) => said(row.summary ?? row.what, planted), least: 24 },
      {
        head: 'why',
        cell: (row) => said(row.note ?? row.grounds ?? '–', planted),
        least: 16,
        leave: 4,
      },
      { head: 'by', cell: who, leave: 1 },
      { head: 'approved by', cell: (row) => approvals(row.approvedBy) },
      { head: 'event', cell: ({ stream, revision }) => `${stream}@${revision}`, leave: 2 },
    ],
    rows,
    'Nothing changed.',
  );
  const pinned = rows.flatMap((row) => pinsLines(style, row));
  const note =
    'approved by: who did it himself, or accepted a finding whose chain holds it; – by rule alone';
  return [
    shown,
    ...(pinned.length > 0 ? ['', ...pinned] : []),
    ...(rows.length > 0
      ? ['', ...wrap(note, style.width).map((line) => style.paint.dim(line))]
      : []),
  ].join('\n');
};

/** The last one is the one that holds; – where the harness decided by rule and nobody has approved it. */
const approvals = (approved: readonly Approval[]): string => {
  const [last] = approved.slice(-1);
  if (last === undefined) return '–';
  const by = who({ actorRole: last.role, actorId: last.id });
  if (last.findingId === null) return by;
  return `${clean(last.id)}, ${last.findingId}${last.takenBackAt === null ? '' : ', taken back'}`;
};

/** How a run's pins and policy differ from those of the run before. */
const pinsLines = ({ paint, width }: Style, row: Shown<ChangeRow>): readonly string[] => {
  if (row.change !== 'run-opened' || row.differs === null) return [];
  const head = `${row.subject} against the run before it:`;
  if (row.differs.length === 0) return [`${head} ${paint.dim('the same pins, the same policy')}`];
  return [head, ...row.differs.flatMap((one) => wrap(`  ${differs(one)}`, width))];
};

const differs = ({ path, from, to }: Difference): string =>
  shortHashes(`${path}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`);

/** Every access to data, and what was released. */
export const accessTable = (
  style: Style,
  rows: readonly Shown<AccessRow>[],
  planted: readonly string[],
): string => {
  const shown = table<Shown<AccessRow>>(
    style,
    [
      { head: WHEN, cell: (row) => when(row.at) },
      { head: 'access', cell: (row) => row.access },
      { head: 'run', cell: (row) => row.runId ?? '–', least: 10, leave: 2 },
      { head: 'who', cell: who, least: 10 },
      { head: 'cells', cell: (row) => told(row.cells), align: 'right', leave: 1 },
      { head: 'people', cell: (row) => told(row.people), align: 'right' },
      { head: 'kept back', cell: keptBack, align: 'right' },
      { head: 'released', cell: (row) => said(releasedOf(row), planted), least: 14 },
    ],
    rows,
    'Nothing was accessed.',
  );
  if (rows.length === 0) return shown;
  const kinds = ACCESSES.map(
    (kind) => [kind, rows.filter(({ access }) => access === kind).length] as const,
  )
    .filter(([, many]) => many > 0)
    .map(([kind, many]) => `${count(many)} ${kind}`);
  const notes = [
    kinds.join(', '),
    'kept back: people in cells that were not given out, or cells that were not scored',
  ].flatMap((note) => wrap(note, style.width));
  return [shown, '', ...notes.map((line) => style.paint.dim(line))].join('\n');
};

const told = (value: number | null): string => (value === null ? '–' : count(value));

const keptBack = ({ suppressedPeople, suppressedCells }: Shown<AccessRow>): string => {
  if (suppressedPeople !== null) return told(suppressedPeople);
  return suppressedCells === null ? '–' : counted(suppressedCells, 'cell');
};

/** What was told by it; of a read what was asked for; else what was done. */
const releasedOf = ({ released, access, what }: Shown<AccessRow>): string =>
  access === 'rows-scored' || access === 'fairness-measured'
    ? (released ?? 'nothing')
    : (released ?? what);

/** Every halt, divergence and revert: a line each, its evidence below it. */
export const incidentLines = (
  style: Style,
  rows: readonly Shown<IncidentRow>[],
  planted: readonly string[],
): readonly string[] => {
  if (rows.length === 0) return [style.paint.dim('No halt, no divergence, no revert.')];
  return rows.flatMap((row) => {
    const { paint, width } = style;
    const head = `${when(row.at)}  ${padEnd(row.incident, KIND)}  `;
    const [first = '', ...more] = wrap(said(row.what, planted), width - widthOf(head));
    const evidence = evidenceOf(row).flatMap((line) => wrap(said(line, planted), width - INDENT));
    return [
      `${when(row.at)}  ${paintOf(style, row)(padEnd(row.incident, KIND))}  ${first}`,
      ...more.map((line) => ' '.repeat(widthOf(head)) + line),
      ...evidence.map((line) => paint.dim(' '.repeat(INDENT) + line)),
    ];
  });
};

const KIND = 'finding-discarded'.length;
const INDENT = 16;

const paintOf = ({ paint }: Style, { incident }: Shown<IncidentRow>): ((text: string) => string) =>
  incident === 'halt' || incident === 'alarm'
    ? paint.red
    : incident === 'divergence' || incident === 'run-reverted'
      ? paint.magenta
      : paint.yellow;

const evidenceOf = (row: Shown<IncidentRow>): readonly string[] => [
  ...(row.what.includes(row.reason.replaceAll('-', ' ')) || row.what.includes(row.reason)
    ? []
    : [row.reason]),
  ...(row.note === null ? [] : [row.note]),
  ...(row.summary === null || row.undone.some((one) => one.mutationId === row.mutationId)
    ? []
    : [`mutation: ${row.summary} (${shortId(row.mutationId ?? '')})`]),
  ...row.breaches.map(
    ({ rule, found, expected, file, line }) =>
      `${file === null ? '' : `${file}${line === null ? '' : `:${line}`}, `}${rule}: found ${found}, expected ${expected}`,
  ),
  ...(row.readings === null
    ? []
    : [
        `observed ${metric(row.readings.metric)} ± ${metric(row.readings.standardError)} at ${row.observed ?? ''}; ${row.readings.charts
          .map(
            ({ chart, x, upper, lower, fired }) =>
              `${chart} x ${sum(x)}, S+ ${sum(upper)}, S- ${sum(lower)}${fired ? ', fired' : ''}`,
          )
          .join('; ')}`,
      ]),
  ...(row.undone.length === 0
    ? []
    : [
        `undone: ${row.undone
          .map(({ mutationId, summary }) => `${summary ?? 'a mutation'} (${shortId(mutationId)})`)
          .join('; ')}`,
      ]),
  ...(row.toTree === null
    ? []
    : [`tree ${row.fromTree?.slice(0, 12) ?? '–'} → ${row.toTree.slice(0, 12)}`]),
  `by ${who(row)}, ${row.stream}@${row.revision}`,
];

/** Enough of an id to look it up by. */
const shortId = (id: string): string => (/^[0-9a-f]{8}-/u.test(id) ? id.slice(0, 8) : id);

/** Every finding as it stood, and whether it was in force. */
export const findingsAtTable = (
  style: Style,
  rows: readonly FindingAtRow[],
  planted: readonly string[],
): string =>
  table<FindingAtRow>(
    style,
    [
      {
        head: 'in force',
        cell: (row) => row.inForce,
        paint: (row) => (row.inForce === 'yes' ? style.paint.green : style.paint.dim),
      },
      { head: 'finding', cell: (row) => row.findingId, least: 10 },
      { head: 'standing', cell: (row) => row.standing },
      {
        head: 'verdict',
        cell: (row) => row.verdict ?? '–',
        paint: (row) => (row.verdict === 'BLOCK' ? style.paint.bold.red : style.paint.bold.green),
      },
      {
        head: 'of (UTC)',
        cell: (row) => (row.verifiedAt === null ? '–' : when(row.verifiedAt)),
        leave: 2,
      },
      { head: 'estimate', cell: (row) => metric(row.estimate), align: 'right' },
      { head: 'interval', cell: (row) => `${metric(row.lower)} to ${metric(row.upper)}`, leave: 3 },
      { head: 'reviewed by', cell: (row) => clean(row.reviewedBy ?? '–'), least: 8 },
      { head: 'statement', cell: (row) => said(row.statement, planted), least: 24, leave: 1 },
    ],
    rows,
    'No finding was there.',
  );

/** Who reviewed what. */
export const reviewsTable = (
  style: Style,
  rows: readonly Shown<ReviewRow>[],
  planted: readonly string[],
): string =>
  table<Shown<ReviewRow>>(
    style,
    [
      { head: WHEN, cell: (row) => when(row.at) },
      { head: 'finding', cell: (row) => row.findingId, least: 10 },
      {
        head: 'decision',
        cell: (row) => row.decision,
        paint: (row) => (row.decision === 'accepted' ? style.paint.green : style.paint.red),
      },
      { head: 'who', cell: who, least: 10 },
      { head: 'verdict then', cell: (row) => row.verdict ?? '–' },
      { head: 'verdict at', cell: (row) => row.verdictEvent ?? '–', leave: 1 },
      { head: 'reason', cell: (row) => said(row.note ?? '–', planted), least: 24 },
    ],
    rows,
    'Nothing was reviewed.',
  );

/** The graph as a tree from the event that was asked for; each event once, where it is nearest. */
export const traceLines = (
  style: Style,
  { nodes, edges, start, direction, cut }: Trace,
  planted: readonly string[],
): readonly string[] => {
  const { paint, width } = style;
  const byId = new Map(nodes.map((node) => [node.eventId, node]));
  const next = new Map<string, { readonly link: string; readonly node: TraceNode }[]>();
  for (const { cause, effect, link } of edges) {
    const [from, to] = direction === 'backward' ? [effect, cause] : [cause, effect];
    const node = byId.get(to);
    if (node === undefined) continue;
    const others = next.get(from) ?? [];
    // Two ties to the same event are one branch.
    const at = others.findIndex((other) => other.node === node);
    if (at === -1) others.push({ link, node });
    next.set(from, others);
  }
  const lines: string[] = [
    paint.bold(direction === 'backward' ? 'What it rests on' : 'What it led to'),
  ];
  const shown = new Set<string>();
  let drawn = 0;
  const draw = (node: TraceNode, link: string | null, lead: string, rest: string): void => {
    shown.add(node.eventId);
    const place = shortHashes(`${node.stream}@${node.revision}`);
    const text = `${link === null ? '' : `${link}: `}${node.type}  ${said(node.what, planted)}`;
    const room = Math.max(20, width - widthOf(lead) - widthOf(place) - 2);
    lines.push(`${paint.dim(lead)}${padEnd(text, room)}  ${paint.dim(fit(place, width))}`);
    // An event is drawn where it is nearest to the start, once.
    const children = (next.get(node.eventId) ?? [])
      .filter((child) => child.node.depth === node.depth + 1 && !shown.has(child.node.eventId))
      .toSorted((one, other) => one.node.position - other.node.position);
    for (const child of children) shown.add(child.node.eventId);
    drawn += children.length;
    children.forEach((child, nth) => {
      const [mark, below] = nth === children.length - 1 ? ['└─ ', '   '] : ['├─ ', '│  '];
      draw(child.node, child.link, rest + mark, rest + below);
    });
  };
  const root = byId.get(start ?? '');
  if (root === undefined) return [];
  draw(root, null, '', '');
  const others = [...next.values()].reduce((total, each) => total + each.length, 0) - drawn;
  lines.push(
    '',
    `${counted(nodes.length, 'event')}, each where it is nearest; ${counted(others, 'more tie')} between them: --json has all.`,
  );
  if (cut !== null)
    lines.push(
      ...wrap(
        cut === 'depth'
          ? 'There is more farther away: a greater --depth shows it.'
          : 'There is more than so many events: a greater --nodes shows it.',
        width,
      ).map((line) => paint.yellow(line)),
    );
  return lines;
};
