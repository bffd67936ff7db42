/** A cell of a table: on one line, its bars escaped. */
const cell = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();

export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows]
    .map((row) => `| ${row.map(cell).join(' | ')} |`)
    .join('\n');

export const code = (text: string): string => `\`${text}\``;

/** A page, with its blocks a blank line apart, that says where it comes from. */
export const page = (title: string, source: string, blocks: readonly string[]): string =>
  [
    `# ${title}`,
    `<!-- Generated from ${source} by \`npm run docs\`; a test fails when it no longer says what they say. -->`,
    ...blocks,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');

/** The anchor that a heading gets. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
