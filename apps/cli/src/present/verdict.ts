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

export const findingLines = (
  style: Style,
  finding: ShownFinding,
  verdict: ShownVerdict | null,
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
    ...(verdict === null ? [] : verdictLines(style, verdict)),
  ];
};

/** Every row of a verdict: what was checked, what was found and, where that is something else, what was expected. */
export const verdictLines = (
  { paint, width }: Style,
  { verdict, rows, trust }: ShownVerdict,
): readonly string[] => {
  const names = rows.map(({ row }) => clean(row));
  const column = Math.min(34, Math.max(0, ...names.map(widthOf)));
  const prefix = INDENT.length + 2 + column + 2;
  const lines = rows.flatMap(({ passed, found, expected }, index) => {
    const name = padEnd(names[index] ?? '', column);
    const sign = passed ? paint.green('✓') : paint.red('✗');
    const said = clean(found);
    const wanted = clean(expected);
    const told = said === wanted ? said : `${said} (expected ${wanted})`;
    const [first = '', ...more] = wrap(told, width - prefix);
    const tone = passed ? paint.dim : paint.red;
    return [
      `${INDENT}${sign} ${passed ? name : paint.bold(name)}  ${tone(first)}`,
      ...more.map((line) => `${' '.repeat(prefix)}${tone(line)}`),
    ];
  });
  const failed = rows.filter(({ passed }) => !passed).length;
  const closing =
    verdict === 'PASS'
      ? 'proves how it was reached, not that it is true'
      : `${failed} of ${rows.length} rows do not hold: the finding is discarded`;
  return [...lines, `${INDENT}${paint.dim(`${clean(trust)}; ${closing}`)}`];
};
