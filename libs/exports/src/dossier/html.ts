// Everything that came out of the log passes through it. Only what is written in this file is markup.
import { escapeUTF8 as escaped } from 'entities';
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
  type TableColumn,
  type Text,
} from './report.ts';

/** The text, with places to break what is as long as a digest; words stay whole, in narrow columns too. */
const breakable = (text: string): string =>
  text
    .split(/([\p{L}\p{N}_./:-]{33,})/u)
    .map((part, at) =>
      at % 2 === 0 ? escaped(part) : (part.match(/.{1,8}/gsu) ?? []).map(escaped).join('<wbr>'),
    )
    .join('');

const href = (anchor: string): string => `#${escaped(encodeURIComponent(anchor))}`;

const textOf = (text: Text): string =>
  text
    .map((piece) => {
      if (typeof piece === 'string') return breakable(piece);
      const inner = `<bdi>${breakable(piece.text)}</bdi>`;
      return piece.kind === 'words' ? `<q>${inner}</q>` : `<code>${inner}</code>`;
    })
    .join('');

const linksOf = (basis: Basis): string =>
  labelled(basis)
    .map(
      ([key, label]) =>
        `<a href="${href(key)}" aria-label="event ${escaped(key)}">${escaped(label)}</a>`,
    )
    .join(', ') + unlisted(basis);

const cellOf = (tag: string, { numeric }: TableColumn, content: string): string =>
  `<${tag}${numeric ? ' class="numeric"' : ''}>${content}</${tag.split(' ')[0] ?? ''}>`;

type Row = Extract<Block, { kind: 'table' }>['rows'][number];

const rowOf = (columns: readonly TableColumn[], { cells, basis }: Row): string => {
  const shown = columns.map((column, at) =>
    cellOf(at === 0 ? 'th scope="row"' : 'td', column, textOf(cells[at] ?? [])),
  );
  return `<tr>${shown.join('')}<td class="basis">${linksOf(basis)}</td></tr>`;
};

const blockOf = (block: Block): string => {
  switch (block.kind) {
    case 'statement':
      return `<p>${textOf(block.text)} <span class="basis">[${linksOf(block.basis)}]</span></p>`;
    case 'note':
      return `<p class="note">${textOf(block.text)}</p>`;
    case 'gap': {
      const id = block.first ? ` id="gap-${block.number}"` : '';
      return `<p class="gap"${id}><strong>Gap ${block.number}: ${escaped(block.about)}.</strong> ${escaped(block.text)}</p>`;
    }
    case 'see': {
      const sections = block.sections.map(
        ({ id, title }) => `<a href="${href(id)}">${escaped(title)}</a>`,
      );
      return `<p class="see">See also: ${sections.join('; ')}.</p>`;
    }
    case 'table': {
      const head = block.columns.map((column) =>
        cellOf('th scope="col"', column, escaped(column.name)),
      );
      const rows = block.rows.map((row) => rowOf(block.columns, row));
      return [
        `<div class="scroll" role="region" aria-label="${escaped(block.caption)}" tabindex="0"><table>`,
        `<caption>${escaped(block.caption)}</caption>`,
        `<thead><tr>${head.join('')}<th scope="col">Events</th></tr></thead>`,
        `<tbody>${rows.join('\n')}</tbody></table></div>`,
      ].join('\n');
    }
  }
};

/** Below h6 there is nothing: deeper sections share it. */
const headingOf = (level: number): string => `h${Math.min(level, 6)}`;

const sectionOf = (level: number, { id, title, blocks, sections }: Section): string => {
  const heading = headingOf(level);
  return [
    `<section aria-labelledby="${escaped(id)}">`,
    `<${heading} id="${escaped(id)}">${escaped(title)}</${heading}>`,
    ...blocks.map(blockOf),
    ...sections.map((below) => sectionOf(level + 1, below)),
    '</section>',
  ].join('\n');
};

const contentsOf = (sections: readonly Section[], depth: number): string =>
  sections.length === 0 || depth === 0
    ? ''
    : `<ul>${sections
        .map(
          ({ id, title, sections: below }) =>
            `<li><a href="${href(id)}">${escaped(title)}</a>${contentsOf(below, depth - 1)}</li>`,
        )
        .join('\n')}</ul>`;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --quiet: #55565e; --line: #c9cad2; --link: #0b4f9e; --gap: #8a3b00; --gap-paper: #fff4ea; --tint: #f4f5f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ee; --paper: #15161a; --quiet: #a9abb6; --line: #3c3e48; --link: #8fc0ff; --gap: #ffb27a; --gap-paper: #2b1d12; --tint: #1e2026; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
header, main { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2rem 0 .6rem; }
h1 { font-size: 1.9rem; margin: 0 0 .3rem; }
h2 { font-size: 1.5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; margin-top: 3rem; }
h3 { font-size: 1.2rem; }
h4 { font-size: 1.05rem; }
h5, h6 { font-size: 1rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font: .9em/1.4 ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace; }
.subtitle, .as-of { color: var(--quiet); margin: 0 0 .6rem; }
.as-of { border-bottom: 2px solid var(--ink); padding-bottom: .6rem; }
.note { color: var(--quiet); border-left: 3px solid var(--line); padding-left: .75rem; }
.gap { background: var(--gap-paper); border-left: 3px solid var(--gap); padding: .4rem .75rem; }
.gap strong { color: var(--gap); }
.basis { font-size: .8rem; color: var(--quiet); }
.see { font-size: .95rem; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; display: block; padding: .5rem 1.25rem; }
.gaps { columns: 20rem; column-gap: 3rem; padding-left: 2rem; }
.gaps li { break-inside: avoid; }
nav ul { list-style: none; padding-left: 1rem; margin: .15rem 0; }
nav > ul { padding-left: 0; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; line-height: 1.4; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
thead th { background: var(--tint); border-bottom: 2px solid var(--line); }
tbody th { font-weight: 400; }
.numeric { text-align: right; font-variant-numeric: tabular-nums; }
tbody .numeric { white-space: nowrap; }
td.basis { min-width: 6.5rem; }
:target { scroll-margin-top: 1rem; outline: 2px solid var(--link); outline-offset: 2px; }
@media print {
  :root { color-scheme: light; --ink: #000; --paper: #fff; --quiet: #444; --line: #bbb; --link: #000; --gap: #000; --gap-paper: #fff; --tint: #eee; }
  html { font-size: 9.5pt; }
  header, main { max-width: none; padding: 0; }
  .skip { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 7.5pt; }
  th, td { padding: 2pt 3pt; }
  td.basis { font-size: inherit; min-width: 0; }
  p { orphans: 2; widows: 2; }
  thead { display: table-header-group; }
  tr, .gap { break-inside: avoid; }
  h2, h3, h4, h5 { break-after: avoid; }
  .gap { border: 1pt solid #000; }
  a { text-decoration: none; }
}
@page { size: A4; margin: 18mm 16mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
`;

/**
 * A report as one HTML file that needs nothing else: no script, no font, no picture, no address outside of it. Same
 * report, same bytes.
 */
export const reportHtml = (report: Report): string => {
  const { title, subtitle, lead, gaps, sections, events } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>${escaped(title)}</h1>
<p class="subtitle">${escaped(subtitle)}</p>
<p class="as-of">${escaped(AS_OF(report))}</p>
</header>
<main id="content">
${lead.map(blockOf).join('\n')}
<section aria-labelledby="gaps">
<h2 id="gaps">Gaps: ${gaps.length}</h2>
<p>${ABOUT_GAPS}</p>
<ol class="gaps">
${gaps.map(({ number, about }) => `<li><a href="#gap-${number}">${escaped(about)}</a></li>`).join('\n')}
</ol>
</section>
<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
${contentsOf([...sections, APPENDIX], 3)}
</nav>
${sections.map((section) => sectionOf(2, section)).join('\n')}
<section aria-labelledby="events">
<h2 id="events">${APPENDIX.title}</h2>
<p>${ABOUT_APPENDIX}</p>
<div class="scroll" role="region" aria-label="Events" tabindex="0"><table>
<caption>${events.length} events</caption>
<thead><tr>${EVENT_COLUMNS.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${events
  .map(
    ({ key, type, time, role, actor, hash }) =>
      `<tr id="${escaped(key)}"><th scope="row"><code>${breakable(key)}</code></th><td>${escaped(type)}</td><td>${escaped(moment(time))}</td><td>${escaped(role)} <code><bdi>${escaped(actor)}</bdi></code></td><td><code>${breakable(hash)}</code></td></tr>`,
  )
  .join('\n')}
</tbody></table></div>
</section>
</main>
</body>
</html>
`;
};
