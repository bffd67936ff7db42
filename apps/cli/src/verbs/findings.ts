import { AskView, notaryStatus, ReviewFinding, shownFinding, VerifyFinding } from '#apps/runner';
import { acceptedText } from '#libs/notary';
import type { Verdict } from '#libs/provenance';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unknownFilter } from '../known.ts';
import { jsonLine, refuse } from '../output.ts';
import { findingsTable } from '../present/tables.ts';
import { findingLines, verdictLines } from '../present/verdict.ts';
import { outputFor, withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, integer, type Verb } from '../verb.ts';
import { auditor, isFile, verifyBundleFile, type AuditorOptions } from './verify-bundle.ts';

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
          if (output.json)
            jsonLine(output, await Promise.all(rows.map((row) => shownFinding(session.home, row))));
          else output.line(findingsTable(output.style, rows));
          return EXIT.done;
        }),
      ),
    );
};

export const verifyVerb: Verb = (program, done) => {
  auditor(common(program.command('verify <finding-or-bundle>')))
    .description(
      "walk a finding's chain back to its pinned source: PASS or BLOCK, every row answered; of the home, or of a bundle by its key alone",
    )
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
  const notary = await vouchedFor(session);
  if (output.json) jsonLine(output, { findingId, ...verdict, notary });
  else {
    await sayVerdict(queries, output, findingId, verdict);
    if (verdict.notRecorded !== null) output.line(`not recorded: ${verdict.notRecorded}`);
    if (notary !== null) output.line(`the log's signatures: ${notary}`);
  }
  return verdict.verdict === 'PASS' ? EXIT.done : EXIT.blocked;
};

/** What the notary signed on a person's word, against the rules; null where it signed nothing so. */
const vouchedFor = async ({ home }: Session): Promise<string | null> => {
  try {
    const { accepted, problem } = await notaryStatus(home.log);
    return problem === null ? acceptedText(accepted) : `the notary's own stream: ${problem}`;
  } catch (error) {
    // Whatever is wrong with it, the finding's verdict is said.
    return `the notary's own stream can't be read: ${error instanceof Error ? error.message : String(error)}`;
  }
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
