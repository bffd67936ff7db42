import type { VerdictRow } from '#libs/findings';
import { verdictBadge, type Style } from './style.ts';
import { callPlanted, clean, fit, padEnd, shortHashes, widthOf, wrap } from './text.ts';

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

/** Where a finding's own lines begin. */
export const INDENT = '         ';

/**
 * How much of a verdict is shown. `failed`: only what does not hold, with all that was found and expected. `lines`:
 * besides, a line for each row that holds, with what was found. `rows`: everything of every row.
 */
export type Detail = 'failed' | 'lines' | 'rows';

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
  const failed = rows.filter(({ passed }) => !passed);
  const column = Math.min(34, Math.max(0, ...rows.map(({ row }) => widthOf(clean(row)))));
  const closing =
    verdict === 'PASS'
      ? `all ${rows.length} rows hold; proves how it was reached, not that it is true`
      : `${rows.length - failed.length} of ${rows.length} rows hold: the finding is discarded`;
  return [
    ...rows.flatMap((row) => {
      if (detail === 'rows' || !row.passed) return rowLines(style, row, column);
      return detail === 'lines' ? [heldLine(style, row, column)] : [];
    }),
    ...wrap(`${clean(trust)}; ${closing}`, width - INDENT.length).map(
      (line) => `${INDENT}${paint.dim(line)}`,
    ),
  ];
};

/** A row that holds, with what was found as far as the line goes. */
const heldLine = ({ paint, width }: Style, { row, found }: VerdictRow, column: number): string =>
  `${INDENT}${paint.green('✓')} ${padEnd(clean(row), column)}  ` +
  paint.dim(fit(shortHashes(clean(found)), width - INDENT.length - column - 4));

/** One row: what was found, and below it what was expected. */
export const rowLines = (
  { paint, width }: Style,
  { row, passed, found, expected }: VerdictRow,
  column: number,
  indent: string = INDENT,
): readonly string[] => {
  const name = padEnd(clean(row), column);
  const prefix = ' '.repeat(indent.length + 2 + column + 2);
  const [first = '', ...more] = wrap(clean(found), width - prefix.length);
  const tone = passed ? (text: string) => text : paint.red;
  return [
    `${indent}${passed ? paint.green('✓') : paint.red('✗')} ${passed ? name : paint.bold(name)}  ${tone(first)}`,
    ...more.map((line) => `${prefix}${tone(line)}`),
    ...wrap(`expected: ${clean(expected)}`, width - prefix.length).map(
      (line) => `${prefix}${paint.dim(line)}`,
    ),
  ];
};
