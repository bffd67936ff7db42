import { stringify } from 'csv-stringify/sync';
import { AskView, withPlanted } from '#apps/runner';
import type { ChargeRow, CutoverRow, RestorePointRow } from '#libs/read-models';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unknownFilter } from '../known.ts';
import { refuse, type Output } from '../output.ts';
import { auditTable, chargesTable, restoreTable } from '../present/tables.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, integer, moment, type Verb } from '../verb.ts';
import { questions } from './audit-questions.ts';
import { plantedOf } from './planted.ts';

const LEDGERS = ['cutover', 'restore', 'charges'] as const;
type Ledger = (typeof LEDGERS)[number];

type Format = 'table' | 'csv' | 'json';

interface AuditOptions extends CommonOptions {
  readonly ledger: Ledger;
  readonly study?: string;
  readonly run?: string;
  readonly from?: string;
  readonly to?: string;
  readonly actor?: string;
  readonly domain?: string;
  readonly decision?: CutoverRow['decision'];
  readonly limit?: number;
  readonly format?: Format;
}

export const auditVerb: Verb = (program, done) => {
  const verb = common(program.command('audit'))
    // So that an option behind a question is the question's.
    .enablePositionalOptions()
    .description(
      'the ledgers: what changed, when, why and by whom; what stood before; what was charged',
    )
    .addOption(choice('--ledger <name>', 'which one', LEDGERS).default('cutover'))
    .option('--study <id>', 'only of this study')
    .option('--run <id>', 'only of this run')
    .option('--from <time>', 'from this time on (UTC)', moment)
    .option('--to <time>', 'until before this time (UTC)', moment)
    .option('--actor <id or role>', 'only by these')
    .addOption(
      choice('--domain <name>', 'only of this domain (cutover)', [
        'hyperparameter',
        'feature',
        'architecture',
      ]),
    )
    .addOption(
      choice('--decision <name>', 'only with this outcome (cutover)', [
        'pending',
        'kept',
        'discarded',
        'reverted',
        'undone',
        'failed',
        'timed-out',
        'halted',
        'unfinished',
      ]),
    )
    .option('--limit <n>', 'at most so many rows (default: all)', integer)
    .addOption(choice('--format <format>', 'how to print', ['table', 'csv', 'json']))
    .addHelpText(
      'after',
      `
Examples:
  holdfast audit --run pay-1                       every attempt of a run
  holdfast audit --decision reverted --format csv  what divergence took back, for a spreadsheet
  holdfast audit --ledger charges --run pay-1      every charge
  holdfast audit changes --from 2026-11-01 --to 2026-12-01   what a regulator asks; each question has its own --help`,
    )
    .action(({ format, ...options }: AuditOptions) =>
      done(
        withSession({ ...options, json: options.json === true || format === 'json' }, (session) =>
          audit(session, options, format ?? 'table'),
        ),
      ),
    );
  questions(verb, done);
};

const audit = async (
  session: Session,
  options: AuditOptions,
  format: Format,
): Promise<ExitCode> => {
  const { output } = session;
  const { ledger, domain, decision } = options;
  if (ledger !== 'cutover' && (domain !== undefined || decision !== undefined))
    return refuse(output, {
      code: 'usage',
      message: `found --domain or --decision with the ${ledger} ledger, expected them with the cutover ledger only; leave them out`,
    });
  const unknown = await unknownFilter(session, options);
  if (unknown !== null) return refuse(output, unknown);
  switch (ledger) {
    case 'cutover': {
      const rows = await all<CutoverRow>(session, 'cutoverAudit', options);
      const planted = await plantedOf(session, rows);
      const named = withPlanted(session.home, rows, ({ summary }) => summary);
      print(output, format, await Array.fromAsync(named), () =>
        auditTable(output.style, rows, planted),
      );
      break;
    }
    case 'restore': {
      const rows = await all<RestorePointRow>(session, 'restoreSource', options);
      print(output, format, rows, () => restoreTable(output.style, rows));
      break;
    }
    case 'charges': {
      const rows = await all<ChargeRow>(session, 'charges', options);
      const planted = await plantedOf(session, rows);
      const named = withPlanted(session.home, rows, ({ description }) => description);
      print(output, format, await Array.fromAsync(named), () =>
        chargesTable(output.style, rows, planted),
      );
      break;
    }
  }
  return EXIT.done;
};

/** Every page of a view, up to the limit. */
const all = async <Row>(
  { queries }: Session,
  view: 'cutoverAudit' | 'restoreSource' | 'charges',
  { limit = Infinity, study, run, from, to, actor, domain, decision }: AuditOptions,
): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  let cursor: number | undefined;
  do {
    const filter = { study, run, from, to, actor, domain, decision, cursor };
    const page = await queries.execute(new AskView(view, filter as never));
    rows.push(...(page.rows as readonly unknown[] as readonly Row[]));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && rows.length < limit);
  return rows.slice(0, limit);
};

const print = (
  output: Output,
  format: Format,
  rows: readonly object[],
  table: () => string,
): void => {
  if (output.json) output.line(JSON.stringify(rows));
  else if (format === 'csv')
    output.write(
      stringify(rows as Record<string, unknown>[], {
        header: true,
        // Spreadsheets take a leading = + - @ for a formula.
        escape_formulas: true,
        cast: { object: (value) => JSON.stringify(value) },
      }),
    );
  else output.line(table());
};
