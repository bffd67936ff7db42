import type { Row } from './rows.ts';

export type Sections = Readonly<Record<string, readonly Row[]>>;

const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumSignificantDigits: value < 10 ? 2 : 3 });

const cellsOf = ({ measure, value, unit, beside, ratio, aim }: Row): readonly string[] => [
  `  ${measure}`,
  `${number(value)} ${unit}`,
  ratio === null ? '' : ratio.toFixed(2),
  beside ?? '',
  aim === null ? '' : `${aim.text}: ${aim.met ? 'met' : 'NOT MET'}`,
];

const HEADINGS = ['', 'measured', 'ratio', 'to', 'aim'];

/** Rows by sections, as somebody reads them in a terminal. */
export const table = (sections: Sections): string => {
  const lines = Object.entries(sections).map(
    ([title, rows]) => [title, rows.map(cellsOf)] as const,
  );
  const all = [HEADINGS, ...lines.flatMap(([, rows]) => rows)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...all.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 1 || column === 2 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(HEADINGS), ...lines.flatMap(([title, rows]) => ['', title, ...rows.map(line)])].join(
    '\n',
  );
};
