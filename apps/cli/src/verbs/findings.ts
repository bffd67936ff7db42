import { AskView, ReplayFinding, ReviewFinding, VerifyFinding, type Replay } from '#apps/runner';
import type { Verdict } from '#libs/provenance';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unknownFilter } from '../known.ts';
import { jsonLine, refuse } from '../output.ts';
import { liveLine } from '../present/live-line.ts';
import { findingsTable } from '../present/tables.ts';
import { findingLines, verdictLines } from '../present/verdict.ts';
import { outputFor, withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, integer, type Verb } from '../verb.ts';
import { isFile, verifyBundleFile, type AuditorOptions } from './verify-bundle.ts';

interface FindingsOptions extends CommonOptions {
  readonly study?: string;
  readonly run?: string;
  readonly verdict?: 'PASS' | 'BLOCK';
  readonly limit?: number;
}

export const findingsVerb: Verb = (program, done) => {
  common(program.command('findings'))
    .description('list the findings and their verdicts')
    .option('--study <id>', 'only of this study')
    .option('--run <id>', 'only of this run')
    .addOption(choice('--verdict <verdict>', 'only these', ['PASS', 'BLOCK']))
    .option('--limit <n>', 'at most so many', integer)
    .action(({ study, run, verdict, limit, ...options }: FindingsOptions) =>
      done(
        withSession(options, async (session) => {
          const { queries, output } = session;
          const unknown = await unknownFilter(session, { study, run });
          if (unknown !== null) return refuse(output, unknown);
          const { rows } = await queries.execute(
            new AskView('findings', { study, run, verdict, limit }),
          );
          if (output.json) jsonLine(output, rows);
          else output.line(findingsTable(output.style, rows));
          return EXIT.done;
        }),
      ),
    );
};

export const verifyVerb: Verb = (program, done) => {
  common(program.command('verify <finding-or-bundle>'))
    .description(
      "walk a finding's chain back to its pinned source: PASS or BLOCK, every row answered; of the home, or of a bundle by its key alone",
    )
    .option('--key <vkey or file>', "the log's verifier key, for a bundle")
    .option('--witness <vkey or file...>', 'verifier keys of witnesses that you trust')
    .option('--timestamp-ca <file>', 'certificates (PEM) of timestamp authorities that you trust')
    .option('--seen <file>', 'a signed checkpoint of this log that you were shown before')
    .addHelpText(
      'after',
      `
A file is a bundle: it is verified with the key that you give, and nothing else is opened or asked. Anything else is a
finding of the home.

Exit codes: 0 PASS, 1 BLOCK, 2 no bundle, no key. What is proved is provenance, not validity.`,
    )
    .action(async (given: string, options: CommonOptions & AuditorOptions) =>
      done(
        (await isFile(given))
          ? verifyBundleFile(outputFor(options), given, options)
          : withSession(options, (session) => verify(session, given)),
      ),
    );
};

const verify = async (session: Session, findingId: string): Promise<ExitCode> => {
  const { commands, queries, output } = session;
  const stored = session.home.log.readStored({ stream: `finding-${findingId}` });
  const first = await stored[Symbol.asyncIterator]().next();
  if (first.done === true)
    return refuse(output, {
      code: 'finding-unknown',
      message: `found no finding ${findingId}; list them with: npx holdfast findings`,
    });
  const verdict = await commands.execute(new VerifyFinding(findingId));
  if (output.json) jsonLine(output, { findingId, ...verdict });
  else {
    await sayVerdict(queries, output, findingId, verdict);
    if (verdict.notRecorded !== null) output.line(`not recorded: ${verdict.notRecorded}`);
  }
  return verdict.verdict === 'PASS' ? EXIT.done : EXIT.blocked;
};

/** The views read the log, which may be too damaged for them; the verdict is said in any case. */
const sayVerdict = async (
  queries: Session['queries'],
  output: Session['output'],
  findingId: string,
  verdict: Verdict,
): Promise<void> => {
  const finding = await queries
    .execute(new AskView('findings', { finding: findingId }))
    .then(({ rows }) => rows[0])
    .catch(() => undefined);
  const lines =
    finding === undefined
      ? [`${verdict.verdict}   ${findingId}`, ...verdictLines(output.style, verdict, 'rows')]
      : findingLines(output.style, finding, verdict, 'rows');
  for (const line of lines) output.line(line);
};

export const replayVerb: Verb = (program, done) => {
  common(program.command('replay <finding>'))
    .description('train the pinned tree again for the recorded steps and compare predictions')
    .addHelpText(
      'after',
      '\nExit codes: 0 bit-exact or within tolerance, 1 not reproducible. The metric is recomputed where the rows of the study are at hand.',
    )
    .action((findingId: string, options: CommonOptions) =>
      done(withSession(options, (session) => replay(session, findingId))),
    );
};

const replay = async (session: Session, findingId: string): Promise<ExitCode> => {
  const { commands, output } = session;
  const progress = output.live ? liveLine(output.write, output.width) : null;
  const replayed = await commands.execute(
    new ReplayFinding(findingId, ({ step, of }) =>
      progress?.draw(`training again: step ${step} of ${of}`),
    ),
  );
  progress?.clear();
  if (!replayed.ok) return refuse(output, replayed.error);
  if (output.json) jsonLine(output, replayed.value);
  else sayReplay(output, replayed.value);
  return replayed.value.class === 'not-reproducible' ? EXIT.blocked : EXIT.done;
};

const SIGNS = { same: '✓', 'within-tolerance': '≈', differs: '✗', attested: '·' } as const;

const sayReplay = (
  { line, style: { paint } }: Session['output'],
  { findingId, tree, steps, class: outcome, rows }: Replay,
): void => {
  const good = outcome !== 'not-reproducible';
  line(`${paint.bold(good ? paint.green(outcome) : paint.red(outcome))}   ${findingId}`);
  line(paint.dim(`         tree ${tree.slice(0, 12)} trained again for ${steps} steps`));
  for (const { row, outcome: said, found, expected } of rows) {
    const paintRow = {
      same: paint.green,
      differs: paint.red,
      'within-tolerance': paint.yellow,
      attested: paint.dim,
    };
    line(`         ${paintRow[said](SIGNS[said])} ${row.padEnd(12)} ${found}`);
    if (said === 'differs') line(paint.dim(`           ${' '.repeat(12)} expected ${expected}`));
  }
};

export const reviewVerb: Verb = (program, done) => {
  common(program.command('review <finding> <decision>'))
    .description('accept or reject a finding; only one with PASS can be accepted')
    .requiredOption('--reason <text>', 'why')
    .action(
      (
        findingId: string,
        decision: string,
        { reason, ...options }: CommonOptions & { reason: string },
      ) =>
        done(
          withSession(options, async ({ commands, output }) => {
            if (decision !== 'accept' && decision !== 'reject')
              return refuse(output, {
                code: 'usage',
                message: `found "${decision}", expected accept or reject`,
              });
            const reviewed = await commands.execute(
              new ReviewFinding(findingId, decision === 'accept' ? 'accepted' : 'rejected', reason),
            );
            if (!reviewed.ok) return refuse(output, reviewed.error);
            if (output.json) jsonLine(output, { findingId, decision });
            else output.line(`${findingId}: ${decision}ed`);
            return EXIT.done;
          }),
        ),
    );
};
