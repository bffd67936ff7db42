import { CHECKS } from '../../libs/provenance/src/verification.ts';
import { code, page, table } from './markdown.ts';

/** The reference of a verdict's rows: `docs/reference/verdict-rows.md`. */
export const verdictRowsPage = (): string =>
  page('The rows of a verdict', 'libs/provenance/src/checks/', [
    `\`holdfast verify FINDING\` answers all ${CHECKS.length} rows, in this order, with what was found and what was expected. PASS only if every row holds; anything missing, unknown or unreadable is BLOCK. What PASS proves is provenance: how the finding was reached, not that it is true.`,
    table(
      ['row', 'what has to hold'],
      CHECKS.map(({ row, expected }) => [code(row), expected]),
    ),
    'Each row is one file of [libs/provenance/src/checks](../../libs/provenance/src/checks). How to act on one that fails: [Read a verdict](../how-to/read-a-verdict.md).',
  ]);
