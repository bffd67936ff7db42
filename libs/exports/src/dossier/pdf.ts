import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { create, type Font } from 'fontkit';
import PDFDocument from 'pdfkit';
import { moment } from './numbers.ts';
import {
  ABOUT_APPENDIX,
  ABOUT_GAPS,
  APPENDIX,
  AS_OF,
  EVENT_COLUMNS,
  labelled,
  nameOfCharacter,
  unlisted,
  type Basis,
  type Block,
  type Report,
  type Section,
  type TableColumn,
  type Text,
} from './report.ts';

type Doc = PDFKit.PDFDocument;
type Element = PDFKit.PDFStructureElement;

/** Text faces: DejaVu, which has Latin, Greek, Cyrillic, arrows and mathematical signs. */
const TEXT = 'DejaVuSansCondensed';
const BOLD = 'DejaVuSansCondensed-Bold';
const MONO = 'DejaVuSansMono';
// By their own names: pdfkit reads a font again at each use that it knows under two.
const FACES = [TEXT, BOLD, MONO] as const;
type Face = (typeof FACES)[number];

interface Typeface {
  readonly bytes: Buffer;
  readonly font: Font;
}
type Typefaces = ReadonlyMap<Face, Typeface>;

const typeface = async (face: Face): Promise<readonly [Face, Typeface]> => {
  const bytes = await readFile(
    fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${face}.ttf`)),
  );
  const font = create(bytes);
  if (font.type !== 'TTF') throw new Error(`${face} is a ${font.type}, expected one font`);
  return [face, { bytes, font }];
};

/** Read once: they don't change while the process lives. */
let loaded: Promise<Typefaces> | null = null;
const typefaces = (): Promise<Typefaces> => {
  loaded ??= Promise.all(FACES.map(typeface)).then((all) => new Map(all));
  return loaded;
};

const INK = '#1b1b1f';
const QUIET = '#55565e';
const LINK = '#0b4f9e';
const GAP = '#8a3b00';
const GAP_PAPER = '#fff4ea';
const TINT = '#f0f1f5';
const RULE = '#c9cad2';

const PAGE = { width: 595.28, height: 841.89, left: 50, right: 50, top: 54, bottom: 60 } as const;
const WIDTH = PAGE.width - PAGE.left - PAGE.right;
const BOTTOM = PAGE.height - PAGE.bottom;
const LEADING = 1.38;

interface Style {
  readonly size: number;
  readonly colour: string;
  readonly face: Face;
}

interface Run extends Style {
  readonly text: string;
  /** The anchor that a click goes to. */
  readonly goTo: string | null;
}

interface Piece extends Run {
  readonly width: number;
}

type Line = readonly Piece[];

const BODY: Style = { size: 9.5, colour: INK, face: TEXT };
const CELL: Style = { size: 7.2, colour: INK, face: TEXT };

const plain = (text: string, style: Style, goTo: string | null = null): Run => ({
  ...style,
  text,
  goTo,
});

const runsOf = (text: Text, style: Style): readonly Run[] =>
  text.map((piece) => {
    if (typeof piece === 'string') return plain(piece, style);
    return piece.kind === 'words'
      ? plain(`\u201c${piece.text}\u201d`, style)
      : plain(piece.text, { ...style, face: MONO, size: style.size * 0.92 });
  });

const basisRuns = (basis: Basis, size: number): readonly Run[] => {
  const quiet: Style = { size, colour: QUIET, face: TEXT };
  return [
    ...labelled(basis).flatMap(([key, label], at) => [
      plain(at === 0 ? '' : ', ', quiet),
      plain(label, { ...quiet, colour: LINK }, key),
    ]),
    plain(unlisted(basis), quiet),
  ];
};

/** A page and a height on it that a number is written to when all pages are known. */
interface Pending {
  readonly page: number;
  readonly y: number;
  readonly anchor: string;
}

/** Where the next line goes, and all that a pass over a report keeps. */
interface Press {
  readonly doc: Doc;
  readonly faces: Typefaces;
  readonly pages: Map<string, number>;
  readonly pending: Pending[];
  y: number;
  page: number;
}

const shown = ({ faces }: Press, { face, text }: Run): string => {
  const font = faces.get(face)?.font;
  return [...text]
    .map((character) =>
      font?.hasGlyphForCodePoint(character.codePointAt(0) ?? 0) === true
        ? character
        : nameOfCharacter(character),
    )
    .join('');
};

const widthOf = ({ doc }: Press, { face, size }: Run, text: string): number =>
  doc.font(face).fontSize(size).widthOfString(text);

/** Words with the space after them; what stands together without a space stays together. */
const wordsOf = (press: Press, runs: readonly Run[]): readonly Line[] => {
  const words: Piece[][] = [[]];
  for (const run of runs)
    for (const part of shown(press, run).split(/(?<= )/u)) {
      if (part === '') continue;
      words.at(-1)?.push({ ...run, text: part, width: widthOf(press, run, part) });
      if (part.endsWith(' ')) words.push([]);
    }
  return words.filter((word) => word.length > 0);
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const total = (line: Line): number => sum(line.map(({ width }) => width));

/** A word without the space that may hang over the margin. */
const inked = (press: Press, word: Line): number => {
  const last = word.at(-1);
  if (last === undefined || !last.text.endsWith(' ')) return total(word);
  return total(word) - widthOf(press, last, ' ');
};

/** Adds to the end of a line what is set like it, as one piece. */
const append = (line: Piece[], piece: Piece): void => {
  const last = line.at(-1);
  if (
    last?.face === piece.face &&
    last.size === piece.size &&
    last.colour === piece.colour &&
    last.goTo === piece.goTo
  )
    line[line.length - 1] = {
      ...last,
      text: last.text + piece.text,
      width: last.width + piece.width,
    };
  else line.push(piece);
};

/** A word that is wider than the line, cut into as few parts as do, of about the same length. */
const cut = (press: Press, word: Line, room: number): readonly Piece[][] => {
  const parts = Math.ceil(total(word) / room);
  const widest = Math.max(...word.map(({ size }) => size));
  const most = Math.min(room, total(word) / parts + widest);
  let line: Piece[] = [];
  const lines = [line];
  for (const piece of word)
    for (const text of piece.text) {
      const width = widthOf(press, piece, text);
      if (line.length > 0 && total(line) + width > most) lines.push((line = []));
      append(line, { ...piece, text, width });
    }
  return lines;
};

const linesOf = (press: Press, runs: readonly Run[], room: number): readonly Line[] => {
  // A column that is as wide as its longest word is so but for rounding.
  const width = room + 0.01;
  let line: Piece[] = [];
  const lines = [line];
  for (const word of wordsOf(press, runs)) {
    const wide = inked(press, word);
    if (line.length > 0 && total(line) + wide > width) lines.push((line = []));
    if (wide <= width) for (const piece of word) append(line, piece);
    else {
      lines.splice(-1, 1, ...cut(press, word, width));
      line = lines.at(-1) ?? line;
    }
  }
  return lines.filter((one) => one.length > 0);
};

const heightOf = (line: Line): number => Math.max(...line.map(({ size }) => size)) * LEADING;

const turn = (press: Press): void => {
  press.doc.addPage();
  press.y = PAGE.top;
  press.page += 1;
};

/** A new page unless so much fits on this one. */
const need = (press: Press, height: number): void => {
  if (press.y + height > BOTTOM) turn(press);
};

const artifact = ({ doc }: Press, draw: () => void): void => {
  doc.markContent('Artifact', { type: 'Layout' });
  draw();
  doc.endMarkedContent();
};

/** Draws a line at the given place, each link an element of its own under `parent`; null: within an artifact. */
const drawLine = (
  press: Press,
  line: Line,
  left: number,
  y: number,
  parent: Element | null,
): void => {
  const { doc } = press;
  const tallest = Math.max(...line.map(({ size }) => size));
  let x = left;
  for (const piece of line) {
    const at = x;
    const draw = (): void => {
      const { face, size, colour, text } = piece;
      doc.font(face).fontSize(size).fillColor(colour);
      doc.text(text, at, y + (tallest - size) * 0.9, { lineBreak: false });
    };
    if (parent === null) draw();
    else if (piece.goTo === null) parent.add(draw);
    else {
      const link = doc.struct('Link');
      parent.add(link);
      link.add(draw);
      doc.goTo(at, y, piece.width, tallest * LEADING, piece.goTo, {
        structParent: link,
        // A string that is an object: pdfkit writes any other as a name.
        Contents: new String(`Go to ${piece.goTo}`),
      } as never);
      link.end();
    }
    x += piece.width;
  }
};

/** A line across the page, `above` the next line of text. */
const rule = (press: Press, width: number, colour: string, above = 0): void => {
  artifact(press, () => {
    const y = press.y - above;
    press.doc
      .moveTo(PAGE.left, y)
      .lineTo(PAGE.left + WIDTH, y)
      .lineWidth(width)
      .stroke(colour);
  });
};

interface ParagraphOptions {
  readonly tag: string;
  readonly indent: number;
  /** Room that is left free at the right. */
  readonly free: number;
  readonly after: number;
  readonly bar: { readonly colour: string; readonly paper: string | null } | null;
  /** Room for what must follow on the same page. */
  readonly keep: number;
  /** Called when it is known where the first line goes. */
  readonly begin: () => void;
}

const PARAGRAPH: ParagraphOptions = {
  ...{ tag: 'P', indent: 0, free: 0, after: 5 },
  ...{ bar: null, keep: 0, begin: () => {} },
};

/** A paragraph of no more lines is not cut by a page's end. */
const WHOLE_LINES = 5;

const paragraph = (
  press: Press,
  parent: Element,
  runs: readonly Run[],
  options: Partial<ParagraphOptions> = {},
): void => {
  const { tag, indent, free, after, bar, keep, begin } = { ...PARAGRAPH, ...options };
  const inset = bar === null ? 0 : 8;
  const left = PAGE.left + indent;
  const lines = linesOf(press, runs, WIDTH - indent - inset - free);
  const element = press.doc.struct(tag);
  parent.add(element);
  const heights = lines.map(heightOf);
  // Short ones stay whole; of others no line stands alone on a page.
  const first = heights.slice(0, lines.length <= WHOLE_LINES ? WHOLE_LINES : 2);
  need(press, sum(first) + keep);
  begin();
  for (const [at, line] of lines.entries()) {
    const height = heights[at] ?? 0;
    need(press, at === lines.length - 2 ? sum(heights.slice(at)) : height);
    if (bar !== null)
      artifact(press, () => {
        const { doc, y: top } = press;
        if (bar.paper !== null)
          doc.rect(left, top - 1, WIDTH - indent, height + 0.5).fill(bar.paper);
        doc.rect(left, top - 1, 2, height + 0.5).fill(bar.colour);
      });
    drawLine(press, line, left + inset, press.y, element);
    press.y += height;
  }
  press.y += after;
  element.end();
};

const anchor = (press: Press, name: string): void => {
  press.doc.addNamedDestination(name, 'XYZ', 0, Math.max(0, press.y - 4), null);
  press.pages.set(name, press.page);
};

const HEADINGS = [16, 13, 11, 10, 9.5];

const heading = (
  press: Press,
  parent: Element,
  outline: PDFKit.PDFOutline,
  level: number,
  title: string,
  name: string,
  follows = 24,
): PDFKit.PDFOutline => {
  const size = HEADINGS[Math.min(level, HEADINGS.length) - 1] ?? 9.5;
  press.y += level === 1 ? 16 : 9;
  need(press, size * LEADING * 2 + follows);
  let item = outline;
  paragraph(press, parent, [plain(title, { size, colour: INK, face: BOLD })], {
    tag: `H${Math.min(level + 1, 6)}`,
    after: level === 1 ? 6 : 4,
    keep: 24,
    begin: () => {
      anchor(press, name);
      item = outline.addItem(title, {
        expanded: level < 2,
        ...{ fit: false, top: Math.max(0, press.y - 4), left: PAGE.width, zoom: 0 },
      });
    },
  });
  if (level === 1) rule(press, 0.7, INK, 4);
  return item;
};

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
const WHOLE_TABLE = 150;

/** A table whose head is drawn again on each page. A row that is higher than a page goes on on the next. */
const drawTable = (
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

const drawBlock = (press: Press, parent: Element, block: Block): void => {
  switch (block.kind) {
    case 'statement':
      paragraph(press, parent, [
        ...runsOf(block.text, BODY),
        plain(' [', { ...BODY, size: 7.2, colour: QUIET }),
        ...basisRuns(block.basis, 7.2),
        plain(']', { ...BODY, size: 7.2, colour: QUIET }),
      ]);
      return;
    case 'note':
      paragraph(press, parent, runsOf(block.text, { ...BODY, size: 9, colour: QUIET }), {
        bar: { colour: RULE, paper: null },
      });
      return;
    case 'gap':
      paragraph(
        press,
        parent,
        [
          plain(`Gap ${block.number}: ${block.about}. `, { ...BODY, face: BOLD, colour: GAP }),
          plain(block.text, BODY),
        ],
        {
          ...{ bar: { colour: GAP, paper: GAP_PAPER }, after: 6 },
          begin: () => {
            if (block.first) anchor(press, `gap-${block.number}`);
          },
        },
      );
      return;
    case 'see':
      paragraph(press, parent, [
        plain('See also: ', BODY),
        ...block.sections.flatMap(({ id, title }, at) => [
          plain(at === 0 ? '' : '; ', BODY),
          plain(title, { ...BODY, colour: LINK }, id),
        ]),
        plain('.', BODY),
      ]);
      return;
    case 'table':
      drawTable(
        press,
        parent,
        block.caption,
        [...block.columns, { name: 'Events', numeric: false }],
        block.rows.map(({ cells, basis }) => ({
          cells: [...cells.map((cell) => runsOf(cell, CELL)), basisRuns(basis, 6.6)],
          name: null,
        })),
      );
  }
};

/** Room for what stands under a heading at least, so that none ends a page. */
const underHeading = ({ blocks: [block], sections: [below] }: Section): number => {
  if (block !== undefined) return block.kind === 'table' ? WHOLE_TABLE + 20 : 70;
  return below === undefined ? 0 : 45 + underHeading(below);
};

const drawSection = (
  press: Press,
  parent: Element,
  outline: PDFKit.PDFOutline,
  level: number,
  section: Section,
): void => {
  const { id, title, blocks, sections } = section;
  const element = press.doc.struct('Sect');
  parent.add(element);
  const item = heading(press, element, outline, level, title, id, underHeading(section));
  for (const block of blocks) drawBlock(press, element, block);
  for (const below of sections) drawSection(press, element, item, level + 1, below);
  element.end();
};

/** A line of a list that leads somewhere; its page number is written when all pages are known. */
const entry = (
  press: Press,
  parent: Element,
  title: string,
  name: string,
  indent: number,
): void => {
  const style: Style = { ...BODY, size: indent === 0 ? 9.5 : 8.8, colour: LINK };
  paragraph(press, parent, [plain(title, style, name)], {
    ...{ tag: 'TOCI', indent, after: 0.6 },
    // Room for the number.
    free: 40,
    begin: () => press.pending.push({ page: press.page, y: press.y, anchor: name }),
  });
};

const contents = (
  press: Press,
  parent: Element,
  sections: readonly Section[],
  depth: number,
): void => {
  for (const { id, title, sections: below } of sections) {
    entry(press, parent, title, id, depth * 12);
    if (depth < 2) contents(press, parent, below, depth + 1);
  }
};

/** Page numbers, at the foot of each page and in the lists. */
const paginate = ({ doc, pending, pages }: Press, title: string): void => {
  const { count } = doc.bufferedPageRange();
  const right = (text: string, y: number, size: number): void => {
    doc.font(TEXT).fontSize(size).fillColor(QUIET);
    const x = PAGE.width - PAGE.right - doc.widthOfString(text);
    doc.text(text, x, y, { lineBreak: false });
  };
  for (let page = 0; page < count; page += 1) {
    doc.switchToPage(page);
    doc.markContent('Artifact', { type: 'Pagination' });
    doc.font(TEXT).fontSize(7.5).fillColor(QUIET);
    doc.text(title, PAGE.left, PAGE.height - 40, { lineBreak: false });
    right(`Page ${page + 1} of ${count}`, PAGE.height - 40, 7.5);
    for (const { y, anchor: name, page: on } of pending)
      if (on === page) right(String((pages.get(name) ?? 0) + 1), y, 8.8);
    doc.endMarkedContent();
  }
};

// pdfkit writes what it is told into XML as it stands.
const forMetadata = (text: string): string => text.replace(/[<>&]/gu, '');

/**
 * A report as a PDF that is tagged (PDF 1.7, logical structure), with bookmarks, page numbers and links, its fonts
 * embedded. A character that the fonts don't have is written out as `[U+4E2D]`. Same report, same bytes: the only date
 * in it is that of the newest event.
 */
export const reportPdf = async (report: Report): Promise<Uint8Array> => {
  const faces = await typefaces();
  const { title, subtitle, asOf, lead, gaps, sections, events } = report;
  const doc = new PDFDocument({
    size: 'A4',
    margin: 0,
    pdfVersion: '1.7',
    tagged: true,
    lang: 'en',
    displayTitle: true,
    bufferPages: true,
    font: faces.get(TEXT)?.bytes as never,
    info: {
      Title: forMetadata(title),
      Subject: forMetadata(subtitle),
      Creator: 'Holdfast',
      Producer: 'Holdfast',
      CreationDate: new Date(asOf),
    },
  });
  const bytes = buffer(doc);
  for (const [face, { bytes: font }] of faces) doc.registerFont(face, font);
  const root = doc.struct('Document');
  doc.addStructure(root);
  const press: Press = {
    ...{ doc, faces, pages: new Map(), pending: [] },
    ...{ y: PAGE.top, page: 0 },
  };

  paragraph(press, root, [plain(title, { size: 20, colour: INK, face: BOLD })], {
    tag: 'H1',
    after: 2,
  });
  paragraph(press, root, [plain(subtitle, { ...BODY, size: 10, colour: QUIET })]);
  paragraph(press, root, [plain(AS_OF(report), { ...BODY, colour: QUIET })], { after: 12 });
  for (const block of lead) drawBlock(press, root, block);
  const gapList = doc.struct('TOC');
  heading(press, root, doc.outline, 1, `Gaps: ${gaps.length}`, 'gaps');
  paragraph(press, root, [plain(ABOUT_GAPS, BODY)]);
  root.add(gapList);
  for (const { number, about } of gaps)
    entry(press, gapList, `${number}. ${about}`, `gap-${number}`, 12);
  gapList.end();
  heading(press, root, doc.outline, 1, 'Contents', 'contents');
  const toc = doc.struct('TOC');
  root.add(toc);
  contents(press, toc, [...sections, APPENDIX], 0);
  toc.end();
  for (const section of sections) drawSection(press, root, doc.outline, 1, section);

  const appendix = doc.struct('Sect');
  root.add(appendix);
  turn(press);
  heading(press, appendix, doc.outline, 1, APPENDIX.title, APPENDIX.id);
  paragraph(press, appendix, [plain(ABOUT_APPENDIX, BODY)]);
  const mono: Style = { ...CELL, face: MONO, size: 6.4 };
  drawTable(
    press,
    appendix,
    `${events.length} events`,
    EVENT_COLUMNS.map((name) => ({ name, numeric: false })),
    events.map(({ key, type, time, role, actor, hash }) => ({
      cells: [
        [plain(key, mono)],
        [plain(type, CELL)],
        [plain(moment(time), CELL)],
        [plain(`${role} `, CELL), plain(actor, mono)],
        [plain(hash, mono)],
      ],
      name: key,
    })),
  );
  appendix.end();
  root.end();
  paginate(press, title);
  doc.end();
  return bytes;
};
