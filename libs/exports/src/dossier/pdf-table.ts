import type { TableColumn } from './report.ts';
import {
  anchor,
  artifact,
  BODY,
  BOLD,
  BOTTOM,
  CELL,
  drawLine,
  type Element,
  inked,
  LEADING,
  type Line,
  linesOf,
  PAGE,
  paragraph,
  plain,
  type Press,
  RULE,
  rule,
  type Run,
  sum,
  total,
  turn,
  WIDTH,
  wordsOf,
} from './typesetting.ts';

const TINT = '#f0f1f5';

const PADDING = 4;
/** A word that is wider may be cut, such as a digest. */
const WIDEST_WORD = 92;

/** Widths that give each column its longest word where there is room, and the rest by how much there is to say. */
const columnWidths = (
  press: Press,
  cells: readonly (readonly (readonly Run[])[])[],
): readonly number[] => {
  const columns = cells[0]?.length ?? 0;
  const least = new Array<number>(columns).fill(0);
  const totals = least.map((): number[] => []);
  for (const row of cells)
    for (const [at, runs] of row.entries()) {
      const words = wordsOf(press, runs);
      const widest = Math.max(0, ...words.map((word) => inked(press, word)));
      least[at] = Math.max(least[at] ?? 0, Math.min(widest, WIDEST_WORD));
      totals[at]?.push(Math.min(total(words.flat()), WIDTH));
    }
  // A few cells that are much longer than the rest of their column are left to wrap.
  const wish = totals.map(
    (all) => all.sort((one, other) => one - other)[Math.ceil((all.length - 1) * 0.9)] ?? 0,
  );
  const room = WIDTH - columns * 2 * PADDING;
  const needed = sum(least);
  if (needed >= room) return least.map((one) => (one * room) / needed + 2 * PADDING);
  const wants = wish.map((one, at) => Math.max(0, one - (least[at] ?? 0)));
  const wanted = sum(wants);
  const share = wanted === 0 ? 0 : Math.min(1, (room - needed) / wanted);
  const widths = least.map((one, at) => one + (wants[at] ?? 0) * share + 2 * PADDING);
  // What is left over is shared out, so that tables are as wide as the text.
  const rest = WIDTH - sum(widths);
  return widths.map((one) => one + rest / columns);
};

const LINE = CELL.size * LEADING;

interface Column extends TableColumn {
  readonly left: number;
  readonly width: number;
}

interface Cell {
  readonly column: Column;
  readonly lines: readonly Line[];
}

interface Row {
  readonly cells: readonly Cell[];
  /** In lines. */
  readonly depth: number;
  readonly height: number;
}

const layOut = (
  press: Press,
  columns: readonly Column[],
  texts: readonly (readonly Run[])[],
): Row => {
  const cells = columns.map((column, at) => ({
    column,
    lines: linesOf(press, texts[at] ?? [], column.width - 2 * PADDING),
  }));
  const depth = Math.max(1, ...cells.map(({ lines }) => lines.length));
  return { cells, depth, height: depth * LINE + 2 * PADDING };
};

const drawCell = (
  press: Press,
  { column: { left, width, numeric }, lines }: Cell,
  at: number,
  y: number,
  parent: Element | null,
): void => {
  const line = lines[at];
  if (line === undefined) return;
  const free = numeric ? width - 2 * PADDING - inked(press, line) : 0;
  drawLine(press, line, left + PADDING + Math.max(0, free), y, parent);
};

const tint = (press: Press, { height }: Row): void => {
  artifact(press, () => {
    press.doc.rect(PAGE.left, press.y, WIDTH, height).fill(TINT);
  });
};

/** A new page, with the table's head on it again. */
const turnTable = (press: Press, head: Row): void => {
  turn(press);
  tint(press, head);
  artifact(press, () => {
    for (const cell of head.cells)
      for (const at of cell.lines.keys())
        drawCell(press, cell, at, press.y + PADDING + at * LINE, null);
  });
  press.y += head.height;
};

const drawRow = (
  press: Press,
  group: Element,
  { cells, depth }: Row,
  head: Row,
  heads: 'Column' | 'Row',
): void => {
  const row = press.doc.struct('TR');
  group.add(row);
  const elements = cells.map((_, at) => {
    const element =
      heads === 'Row' && at > 0
        ? press.doc.struct('TD')
        : press.doc.struct('TH', { scope: heads } as never);
    row.add(element);
    return element;
  });
  press.y += PADDING;
  for (let at = 0; at < depth; at += 1) {
    if (press.y + LINE > BOTTOM) {
      turnTable(press, head);
      press.y += PADDING;
    }
    for (const [nth, cell] of cells.entries())
      drawCell(press, cell, at, press.y, elements[nth] ?? null);
    press.y += LINE;
  }
  press.y += PADDING;
  rule(press, 0.5, RULE);
  for (const element of elements) element.end();
  row.end();
};

interface TableRow {
  readonly cells: readonly (readonly Run[])[];
  /** An anchor for the row. */
  readonly name: string | null;
}

/** A table that is no higher is not cut by a page's end. */
export const WHOLE_TABLE = 150;

/** A table whose head is drawn again on each page. A row that is higher than a page goes on on the next. */
export const drawTable = (
  press: Press,
  parent: Element,
  caption: string,
  named: readonly TableColumn[],
  rows: readonly TableRow[],
): void => {
  const names = named.map(({ name }) => [plain(name, { ...CELL, face: BOLD })]);
  const widths = columnWidths(press, [names, ...rows.map(({ cells }) => cells)]);
  const columns = named.map((column, at) => ({
    ...column,
    left: PAGE.left + sum(widths.slice(0, at)),
    width: widths[at] ?? 0,
  }));
  const head = layOut(press, columns, names);
  const laid = rows.map(({ cells, name }) => ({ name, row: layOut(press, columns, cells) }));
  const whole = head.height + sum(laid.map(({ row }) => row.height));

  const table = press.doc.struct('Table');
  parent.add(table);
  press.y += 4;
  paragraph(press, table, [plain(caption, { ...BODY, size: 8.6, face: BOLD })], {
    tag: 'Caption',
    after: 3,
    keep: whole <= WHOLE_TABLE ? whole : head.height + 5 * LINE,
  });
  const headGroup = press.doc.struct('THead');
  table.add(headGroup);
  tint(press, head);
  drawRow(press, headGroup, head, head, 'Column');
  headGroup.end();
  const body = press.doc.struct('TBody');
  table.add(body);
  for (const { name, row } of laid) {
    // A row stays together unless it is so high that much of a page would be left empty.
    if (press.y + row.height > BOTTOM && row.height < (BOTTOM - PAGE.top) / 3)
      turnTable(press, head);
    if (name !== null) anchor(press, name);
    drawRow(press, body, row, head, 'Row');
  }
  body.end();
  table.end();
  press.y += 8;
};
