import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import {
  AskView,
  AUDIT_ANSWERS,
  AUDIT_BATCH,
  everyAuditRow,
  withPlanted,
  type AuditRows,
  type AuditView,
} from '#apps/runner';
import { csvOf, jsonLinesOf, parquetOf, type AnyColumns } from '#libs/exports';
import {
  ACCESSES,
  CHANGES,
  DIRECTIONS,
  INCIDENTS,
  STANDINGS,
  TRACE_DEFAULTS,
  TRACE_LIMITS,
  type AsOf,
  type AuditPage,
  type AuditRow,
  type Direction,
  type FindingAtRow,
} from '#libs/read-models';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unknownFilter } from '../known.ts';
import { jsonLine, refuse } from '../output.ts';
import {
  accessTable,
  asOfLine,
  changesTable,
  findingsAtTable,
  incidentLines,
  reviewsTable,
  traceLines,
} from '../present/audit.ts';
import type { Style } from '../present/style.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, integer, moment, type Verb } from '../verb.ts';
import { plantedOf } from './planted.ts';

const FORMATS = ['table', 'csv', 'json', 'jsonl', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

interface QuestionOptions extends CommonOptions {
  readonly study?: string;
  readonly run?: string;
  readonly limit?: number;
  readonly format?: Format;
  readonly out?: string;
  /** What is asked for besides, as the view takes it. */
  readonly [filter: string]: unknown;
}

/** An answer's table. */
type Show<View extends AuditView> = (
  style: Style,
  rows: readonly AuditRows[View][],
  planted: readonly string[],
) => string;

/** What regulators ask, each a verb below `audit`. */
export const questions = (audit: Command, done: Parameters<Verb>[1]): void => {
  timed(ask(audit, 'changes', 'everything that changed between two times, and who approved it'))
    .addOption(choice('--change <kind>', 'only of this kind', CHANGES))
    .action((options: QuestionOptions) => done(answer(options, 'changes', changesTable)));
  timed(ask(audit, 'access', 'every access to data and what was released; reads of the ledger'))
    .addOption(choice('--access <kind>', 'only of this kind', ACCESSES))
    .action((options: QuestionOptions) => done(answer(options, 'accesses', accessTable)));
  timed(ask(audit, 'incidents', 'every halt, divergence and revert with its evidence'))
    .addOption(choice('--incident <kind>', 'only of this kind', INCIDENTS))
    .action((options: QuestionOptions) =>
      done(answer(options, 'incidents', (...shown) => incidentLines(...shown).join('\n'))),
    );
  ask(audit, 'findings', 'every finding in force at a date, and its verdict then')
    .option('--at <time>', 'as things stood at this time, inclusive (UTC; default: now)', moment)
    .addOption(choice('--standing <name>', 'only those that stood so', STANDINGS))
    .action((options: QuestionOptions) => done(answer(options, 'findingsAt', findingsAtTable)));
  timed(ask(audit, 'reviews', 'who reviewed what, when and why, and what the verdict was by then'))
    .option('--finding <id>', 'only of this finding')
    .action((options: QuestionOptions) => done(answer(options, 'reviews', reviewsTable)));
  common(audit.command('trace <event>'))
    .description('what an event rests on, or what it led to')
    .addOption(
      choice(
        '--direction <way>',
        'backward: what it rests on; forward: what it led to',
        DIRECTIONS,
      ).default('backward'),
    )
    .option(
      '--depth <n>',
      `most steps away from it (default: ${TRACE_DEFAULTS.depth}, at most ${TRACE_LIMITS.depth})`,
      integer,
    )
    .option(
      '--nodes <n>',
      `most events (default: ${TRACE_DEFAULTS.nodes}, at most ${TRACE_LIMITS.nodes})`,
      integer,
    )
    .option('--causation', 'follow each event to the one that its command came after, too')
    .addHelpText(
      'after',
      `
<event> is an event's id, its stream@revision, or the id of a study, run, mutation, restore point, training or
finding. With --json the graph as nodes and edges.

Examples:
  holdfast audit trace pay-1-f1                                  what a finding rests on
  holdfast audit trace run-pay-1@12 --direction forward --depth 10`,
    )
    .action((event: string, options: TraceOptions) => done(traced(event, options)));
};

const ask = (audit: Command, name: string, description: string): Command =>
  common(audit.command(name))
    .description(description)
    .option('--study <id>', 'only of this study')
    .option('--run <id>', 'only of this run')
    .option('--actor <id or role>', 'only by these')
    .option('--limit <n>', 'at most so many rows (default: all)', integer)
    .addOption(choice('--format <format>', 'how to print', FORMATS))
    .option('--out <file>', 'write there instead (csv, json, jsonl, parquet)');

const timed = (command: Command): Command =>
  command
    .option('--from <time>', 'from this time on (UTC)', moment)
    .option('--to <time>', 'until before this time (UTC)', moment);

const answer = <View extends AuditView>(
  { home, json, format, out, limit = Infinity, ...filter }: QuestionOptions,
  view: View,
  show: Show<View>,
): Promise<ExitCode> => {
  const how: Format = format ?? (json === true ? 'json' : 'table');
  const options = { ...(home !== undefined && { home }), json: how === 'json' || json === true };
  return withSession(options, async (session) => {
    const { output } = session;
    const wrong = wrongFormat(how, out) ?? (await unknownFilter(session, filter));
    if (wrong !== null) return refuse(output, wrong);
    const { rows, asOf } = await all(session, view, filter, limit);
    if (how === 'table') {
      const planted = await plantedOf(session, rows);
      output.line(show(output.style, rows, planted));
      output.line(`\n${output.style.paint.dim(asOfLine(asOf))}`);
      return EXIT.done;
    }
    const { columns, text } = AUDIT_ANSWERS[view];
    const named = await Array.fromAsync(withPlanted(session.home, rows, text));
    await write(how, { columns, rows: named, asOf }, out);
    return EXIT.done;
  });
};

const wrongFormat = (format: Format, out: string | undefined) => {
  if (format === 'table' && out !== undefined)
    return {
      code: 'usage',
      message: 'found --out with a table, expected it with --format csv, json, jsonl or parquet',
    };
  if (format === 'parquet' && out === undefined && process.stdout.isTTY)
    return {
      code: 'usage',
      message: 'found a terminal, expected a file for Parquet; add --out FILE',
    };
  return null;
};

/** Every page, as of the first, up to the limit. */
const all = async <View extends AuditView>(
  { queries, home }: Session,
  view: View,
  filter: object,
  limit: number,
): Promise<{ readonly rows: readonly AuditRows[View][]; readonly asOf: AsOf | null }> => {
  const ask = (more: object): Promise<AuditPage<AuditRow | FindingAtRow>> =>
    queries.execute(new AskView<AuditView>(view, { ...filter, ...more }));
  const first = await ask({ limit: Math.min(limit, AUDIT_BATCH) });
  const rows: AuditRows[View][] = [];
  for await (const row of everyAuditRow<View>(home, first, ask)) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  return { rows, asOf: first.asOf };
};

interface Answer {
  readonly columns: AnyColumns;
  readonly rows: readonly object[];
  readonly asOf: AsOf | null;
}

/** To the file, else to the output; how far the answer is good stands in JSON, else on the error output. */
const write = async (
  format: Exclude<Format, 'table'>,
  { columns, rows, asOf }: Answer,
  out: string | undefined,
): Promise<void> => {
  const stream = await streamOf(format, { columns, rows, asOf });
  await (out === undefined
    ? pipeline(stream, process.stdout, { end: false })
    : pipeline(stream, createWriteStream(out)));
  if (format !== 'json') process.stderr.write(`holdfast: ${asOfLine(asOf)}\n`);
};

const streamOf = async (
  format: Exclude<Format, 'table'>,
  { columns, rows, asOf }: Answer,
): Promise<AsyncIterable<unknown>> => {
  switch (format) {
    case 'csv':
      return csvOf(columns, given(rows));
    case 'jsonl':
      return jsonLinesOf(columns, given(rows));
    case 'parquet':
      return parquetOf(columns, given(rows));
    case 'json':
      return given([`${JSON.stringify({ asOf, rows })}\n`]);
  }
};

async function* given<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

interface TraceOptions extends CommonOptions {
  readonly direction: Direction;
  readonly depth?: number;
  readonly nodes?: number;
  readonly causation?: boolean;
}

const traced = (
  event: string,
  { direction, depth, nodes, causation, ...options }: TraceOptions,
): Promise<ExitCode> =>
  withSession(options, async (session) => {
    const { queries, output } = session;
    for (const [name, value, most] of [
      ['--depth', depth, TRACE_LIMITS.depth],
      ['--nodes', nodes, TRACE_LIMITS.nodes],
    ] as const)
      if (value !== undefined && (value < 1 || value > most))
        return refuse(output, {
          code: 'usage',
          message: `found ${name} ${value}, expected 1 to ${most}`,
        });
    const trace = await queries.execute(
      new AskView('trace', {
        event,
        direction,
        ...(depth !== undefined && { depth }),
        ...(nodes !== undefined && { nodes }),
        ...(causation !== undefined && { causation }),
      }),
    );
    if (trace.start === null)
      return refuse(output, {
        code: 'event-unknown',
        message: `found no event ${event}, expected an event's id, its stream@revision, or the id of a study, run, mutation, restore point, training or finding; "npx holdfast show RUN --json" lists a run's events`,
      });
    if (output.json) {
      const nodes = withPlanted(session.home, trace.nodes, ({ what }) => what);
      jsonLine(output, { ...trace, nodes: await Array.fromAsync(nodes) });
    } else {
      const planted = await plantedOf(session, trace.nodes);
      for (const line of traceLines(output.style, trace, planted)) output.line(line);
      output.line(`\n${output.style.paint.dim(asOfLine(trace.asOf))}`);
    }
    return EXIT.done;
  });
