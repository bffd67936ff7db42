import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';
import { moment } from './numbers.ts';
import {
  ABOUT_APPENDIX,
  ABOUT_GAPS,
  APPENDIX,
  AS_OF,
  EVENT_COLUMNS,
  labelled,
  unlisted,
  type Basis,
  type Block,
  type Report,
  type Section,
  type Text,
} from './report.ts';
import { WHOLE_TABLE, drawTable } from './pdf-table.ts';
import {
  anchor,
  BODY,
  BOLD,
  CELL,
  type Element,
  heading,
  INK,
  LINK,
  MONO,
  PAGE,
  paragraph,
  plain,
  type Press,
  QUIET,
  RULE,
  type Run,
  type Style,
  TEXT,
  turn,
  typefaces,
} from './typesetting.ts';

const GAP = '#8a3b00';
const GAP_PAPER = '#fff4ea';

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
