import type { VerdictRow } from '#libs/findings';
import { verdictBadge, type Style } from './style.ts';
import { callPlanted, clean, padEnd, widthOf, wrap } from './text.ts';

/** What is shown of a finding, from events or from the view. Its statement holds the claim's numbers. */
export interface ShownFinding {
  readonly findingId: string;
  readonly number: number;
  readonly statement: string;
  readonly kind: string;
  readonly planted: readonly string[];
}

export interface ShownVerdict {
  readonly verdict: 'PASS' | 'BLOCK';
  readonly rows: readonly VerdictRow[];
  readonly trust: string;
}

const INDENT = '         ';

/**
 * How much of a verdict is shown. `names`: what holds by its name only, what does not with all that was found and
 * expected. `rows`: everything of every row.
 */
export type Detail = 'names' | 'rows';

export const findingLines = (
  style: Style,
  finding: ShownFinding,
  verdict: ShownVerdict | null,
  detail: Detail,
): readonly string[] => {
  const { paint, width } = style;
  const room = width - INDENT.length;
  const indented = (text: string): readonly string[] =>
    wrap(text, room).map((line) => `${INDENT}${line}`);
  const badge = verdict === null ? paint.dim('–    ') : verdictBadge(paint, verdict.verdict);
  const kind = finding.kind === 'line' ? 'the line that stands' : 'one kept step';
  return [
    `  ${badge}  ${paint.bold(`Finding ${finding.number}`)}: ${kind} ${paint.dim(`(${finding.findingId})`)}`,
    ...indented(callPlanted(clean(finding.statement), finding.planted)),
    ...(verdict === null ? [] : verdictLines(style, verdict, detail)),
  ];
};

/** A verdict row by row, and how far it rests on the operator's word. */
export const verdictLines = (
  style: Style,
  { verdict, rows, trust }: ShownVerdict,
  detail: Detail,
): readonly string[] => {
  const { paint, width } = style;
  const held = rows.filter(({ passed }) => passed);
  const failed = rows.filter(({ passed }) => !passed);
  const column = Math.min(34, Math.max(0, ...rows.map(({ row }) => widthOf(clean(row)))));
  // No line ends between a sign and its name.
  const names = held.map(({ row }) => `✓ ${clean(row)}`.replaceAll(' ', '\u00a0')).join('  ');
  const closing =
    verdict === 'PASS'
      ? `all ${rows.length} rows hold; proves how it was reached, not that it is true`
      : `${failed.length} of ${rows.length} rows do not hold: the finding is discarded`;
  return [
    ...(detail === 'rows'
      ? rows.flatMap((row) => rowLines(style, row, column))
      : [
          ...wrap(names, width - INDENT.length).map(
            (line) => `${INDENT}${paint.green(line.replaceAll('\u00a0', ' ').trimEnd())}`,
          ),
          ...failed.flatMap((row) => rowLines(style, row, column)),
        ]),
    `${INDENT}${paint.dim(`${clean(trust)}; ${closing}`)}`,
  ];
};

/** One row: what was found, and below it what was expected. */
const rowLines = (
  { paint, width }: Style,
  { row, passed, found, expected }: VerdictRow,
  column: number,
): readonly string[] => {
  const name = padEnd(clean(row), column);
  const prefix = ' '.repeat(INDENT.length + 2 + column + 2);
  const [first = '', ...more] = wrap(clean(found), width - prefix.length);
  const tone = passed ? (text: string) => text : paint.red;
  return [
    `${INDENT}${passed ? paint.green('✓') : paint.red('✗')} ${passed ? name : paint.bold(name)}  ${tone(first)}`,
    ...more.map((line) => `${prefix}${tone(line)}`),
    ...wrap(`expected: ${clean(expected)}`, width - prefix.length).map(
      (line) => `${prefix}${paint.dim(line)}`,
    ),
  ];
};
