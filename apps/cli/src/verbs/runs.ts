import { AskView, HaltRun, shownRun, StopLoop } from '#apps/runner';
import type { RunStatus } from '#libs/read-models';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { unknownFilter } from '../known.ts';
import { jsonLine, refuse } from '../output.ts';
import { runsTable } from '../present/tables.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, integer, type Verb } from '../verb.ts';

interface RunsOptions extends CommonOptions {
  readonly study?: string;
  readonly status?: RunStatus;
  readonly limit?: number;
}

const STATUSES = [
  'requested',
  'refused',
  'open',
  'ended',
  'halted',
  'closed',
] as const satisfies readonly RunStatus[];

export const runsVerb: Verb = (program, done) => {
  common(program.command('runs'))
    .description('list the runs, newest first')
    .option('--study <id>', 'only of this study')
    .addOption(choice('--status <status>', 'only these', STATUSES))
    .option('--limit <n>', 'at most so many', integer)
    .action(({ study, status, limit, ...options }: RunsOptions) =>
      done(
        withSession(options, async (session) => {
          const { queries, output } = session;
          const unknown = await unknownFilter(session, { study });
          if (unknown !== null) return refuse(output, unknown);
          const { rows } = await queries.execute(
            new AskView('runs', { study, status, limit, order: 'newest' }),
          );
          if (output.json)
            jsonLine(output, await Promise.all(rows.map((row) => shownRun(session.home, row))));
          else output.line(runsTable(output.style, rows));
          return EXIT.done;
        }),
      ),
    );
};

interface EndOptions extends CommonOptions {
  readonly reason: string;
}

export const haltVerb: Verb = (program, done) => {
  common(program.command('halt <run>'))
    .description('end a run for good: nothing resumes it, and it yields no findings')
    .requiredOption('--reason <text>', 'why')
    .action((runId: string, options: EndOptions) =>
      done(
        withSession(options, (session) =>
          end(
            session,
            new HaltRun(runId, options.reason),
            `SYSTEM HALT: HALTED BY A HUMAN: ${options.reason}`,
          ),
        ),
      ),
    );
};

export const stopVerb: Verb = (program, done) => {
  common(program.command('stop <run>'))
    .description(
      'end the loop after the iteration under way; what was kept goes on to its findings',
    )
    .requiredOption('--reason <text>', 'why')
    .action((runId: string, options: EndOptions) =>
      done(
        withSession(options, (session) =>
          end(
            session,
            new StopLoop(runId, options.reason),
            `the loop of ${runId} is stopped; whoever drives it goes on to its findings (else: npx holdfast run --resume ${runId})`,
          ),
        ),
      ),
    );
};

const end = async (
  { commands, home, output }: Session,
  command: HaltRun | StopLoop,
  said: string,
): Promise<ExitCode> => {
  const { runId, reason } = command;
  if ((await home.runs.load(runId)).head === null)
    return refuse(output, {
      code: 'run-unknown',
      message: `found no run ${runId}; list them with: holdfast runs`,
    });
  const ended = await commands.execute(command);
  if (!ended.ok) return refuse(output, ended.error);
  if (output.json) jsonLine(output, { runId, reason });
  else output.line(said);
  return EXIT.done;
};
