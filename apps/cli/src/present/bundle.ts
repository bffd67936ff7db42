import type { BundleVerdict, StandingLine } from '#libs/bundle';
import { verdictBadge, type Style } from './style.ts';
import { clean, count, padEnd, wrap } from './text.ts';
import { rowLines } from './verdict.ts';

/** Wider lines than this are hard to read, and a page that is printed has no more. */
const WIDEST = 100;
const INDENT = '  ';

const ABOUT: Readonly<Record<StandingLine['about'], string>> = {
  time: 'time',
  completeness: 'completeness',
  'one-history': 'one history for all',
  rules: 'the rules',
  metrics: 'metrics',
};

/** A verdict on a bundle for people: every check with what was found and expected, then what rests on whose word. */
export const bundleLines = (
  { paint, width }: Style,
  { verdict, subject, rows, findings, standing, checkpoint }: BundleVerdict,
): readonly string[] => {
  const style: Style = { paint, width: Math.min(width, WIDEST) };
  const all = [...rows, ...findings.flatMap((finding) => finding.rows)];
  const column = Math.max(0, ...all.map(({ row }) => clean(row).length));
  const labels = Math.max(...Object.values(ABOUT).map((label) => label.length));
  const failed = all.filter(({ passed }) => !passed);
  const name =
    subject === null ? 'a bundle that can’t be read' : `${subject.kind} ${clean(subject.id)}`;
  const said = standing.flatMap(({ about, says }) => {
    const prefix = INDENT.length + labels + 2;
    const [first = '', ...more] = wrap(clean(says), style.width - prefix);
    return [
      `${INDENT}${padEnd(ABOUT[about], labels)}  ${first}`,
      ...more.map((line) => `${' '.repeat(prefix)}${line}`),
    ];
  });
  return [
    paint.bold('The bundle itself'),
    ...rows.flatMap((row) => rowLines(style, row, column, INDENT)),
    ...findings.flatMap(({ findingId, verdict: one, rows: its }) => [
      '',
      `${paint.bold(`Finding ${clean(findingId)}`)}  ${verdictBadge(paint, one)}`,
      ...its.flatMap((row) => rowLines(style, row, column, INDENT)),
    ]),
    ...(said.length === 0 ? [] : ['', paint.bold('What rests on whose word'), ...said]),
    '',
    ...wrap(
      verdict === 'PASS'
        ? `all ${all.length} checks hold, over ${count(checkpoint?.size ?? 0)} events of the log; proves how it was reached, not that it is true`
        : `${all.length - failed.length} of ${all.length} checks hold; what does not: ${failed.map(({ row }) => clean(row)).join(', ') || 'nothing was claimed'}`,
      style.width,
    ).map((line) => paint.dim(line)),
    `${verdictBadge(paint, verdict)}  ${name}`,
  ];
};
