import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { create, type Font } from 'fontkit';
import { nameOfCharacter } from './report.ts';

type Doc = PDFKit.PDFDocument;
export type Element = PDFKit.PDFStructureElement;

/** Text faces: DejaVu, which has Latin, Greek, Cyrillic, arrows and mathematical signs. */
export const TEXT = 'DejaVuSansCondensed';
export const BOLD = 'DejaVuSansCondensed-Bold';
export const MONO = 'DejaVuSansMono';
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
export const typefaces = (): Promise<Typefaces> => {
  loaded ??= Promise.all(FACES.map(typeface)).then((all) => new Map(all));
  return loaded;
};

export const INK = '#1b1b1f';
export const QUIET = '#55565e';
export const LINK = '#0b4f9e';
export const RULE = '#c9cad2';

export const PAGE = {
  width: 595.28,
  height: 841.89,
  left: 50,
  right: 50,
  top: 54,
  bottom: 60,
} as const;
export const WIDTH = PAGE.width - PAGE.left - PAGE.right;
export const BOTTOM = PAGE.height - PAGE.bottom;
export const LEADING = 1.38;

export interface Style {
  readonly size: number;
  readonly colour: string;
  readonly face: Face;
}

export interface Run extends Style {
  readonly text: string;
  /** The anchor that a click goes to. */
  readonly goTo: string | null;
}

interface Piece extends Run {
  readonly width: number;
}

export type Line = readonly Piece[];

export const BODY: Style = { size: 9.5, colour: INK, face: TEXT };
export const CELL: Style = { size: 7.2, colour: INK, face: TEXT };

export const plain = (text: string, style: Style, goTo: string | null = null): Run => ({
  ...style,
  text,
  goTo,
});

/** A page and a height on it that a number is written to when all pages are known. */
interface Pending {
  readonly page: number;
  readonly y: number;
  readonly anchor: string;
}

/** Where the next line goes, and all that a pass over a report keeps. */
export interface Press {
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
export const wordsOf = (press: Press, runs: readonly Run[]): readonly Line[] => {
  const words: Piece[][] = [[]];
  for (const run of runs)
    for (const part of shown(press, run).split(/(?<= )/u)) {
      if (part === '') continue;
      words.at(-1)?.push({ ...run, text: part, width: widthOf(press, run, part) });
      if (part.endsWith(' ')) words.push([]);
    }
  return words.filter((word) => word.length > 0);
};

export const sum = (numbers: readonly number[]): number =>
  numbers.reduce((all, one) => all + one, 0);

export const total = (line: Line): number => sum(line.map(({ width }) => width));

/** A word without the space that may hang over the margin. */
export const inked = (press: Press, word: Line): number => {
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

export const linesOf = (press: Press, runs: readonly Run[], room: number): readonly Line[] => {
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

export const turn = (press: Press): void => {
  press.doc.addPage();
  press.y = PAGE.top;
  press.page += 1;
};

/** A new page unless so much fits on this one. */
const need = (press: Press, height: number): void => {
  if (press.y + height > BOTTOM) turn(press);
};

export const artifact = ({ doc }: Press, draw: () => void): void => {
  doc.markContent('Artifact', { type: 'Layout' });
  draw();
  doc.endMarkedContent();
};

/** Draws a line at the given place, each link an element of its own under `parent`; null: within an artifact. */
export const drawLine = (
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
export const rule = (press: Press, width: number, colour: string, above = 0): void => {
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

export const paragraph = (
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

export const anchor = (press: Press, name: string): void => {
  press.doc.addNamedDestination(name, 'XYZ', 0, Math.max(0, press.y - 4), null);
  press.pages.set(name, press.page);
};

const HEADINGS = [16, 13, 11, 10, 9.5];

export const heading = (
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
