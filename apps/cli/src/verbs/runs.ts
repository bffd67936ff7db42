import { AskView, HaltRun } from '#apps/runner';
import { EXIT } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { runsTable } from '../present/tables.ts';
import { withSession, type CommonOptions } from '../session.ts';
import { choice, common, integer, type Verb } from '../verb.ts';

interface RunsOptions extends CommonOptions {
  readonly study?: string;
  readonly status?: 'open' | 'ended' | 'halted' | 'closed';
  readonly limit?: number;
}

export const runsVerb: Verb = (program, done) => {
  common(program.command('runs'))
    .description('list the runs, newest first')
    .option('--study <id>', 'only of this study')
    .addOption(choice('--status <status>', 'only these', ['open', 'ended', 'halted', 'closed']))
    .option('--limit <n>', 'at most so many', integer)
    .action(({ study, status, limit, ...options }: RunsOptions) =>
      done(
        withSession(options, async ({ queries, output }) => {
          const { rows } = await queries.execute(
            new AskView('runs', { study, status, limit, order: 'newest' }),
          );
          if (output.json) jsonLine(output, rows);
          else output.line(runsTable(output.style, rows));
          return EXIT.done;
        }),
      ),
    );
};

export const haltVerb: Verb = (program, done) => {
  common(program.command('halt <run>'))
    .description('end a run for good: nothing resumes it, and it yields no findings')
    .requiredOption('--reason <text>', 'why')
    .action((runId: string, { reason, ...options }: CommonOptions & { reason: string }) =>
      done(
        withSession(options, async ({ commands, output }) => {
          const halted = await commands.execute(new HaltRun(runId, reason));
          if (!halted.ok) return refuse(output, halted.error);
          if (output.json) jsonLine(output, { runId, halted: true });
          else output.line(`SYSTEM HALT: HALTED BY A HUMAN: ${reason}`);
          return EXIT.done;
        }),
      ),
    );
};
