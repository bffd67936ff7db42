import { InvalidArgumentError } from 'commander';
import { ForkRun, type ForkFrom } from '#apps/runner';
import type { ExitCode } from '../exit-codes.ts';
import { refuse } from '../output.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';
import { drive, studyOfRun } from './run.ts';

interface ForkOptions extends CommonOptions {
  readonly from: ForkFrom;
  readonly study?: string;
  readonly seed?: number;
}

const state = (text: string): ForkFrom => {
  if (text === 'baseline' || text === 'incumbent') return text;
  if (!/^[1-9]\d*$/.test(text))
    throw new InvalidArgumentError('expected baseline, incumbent, or the number of an attempt');
  return Number(text);
};

export const forkVerb: Verb = (program, done) => {
  common(program.command('fork <run>'))
    .description('open a new run where an earlier one stood, with a budget of its own')
    .requiredOption(
      '--from <state>',
      'baseline, incumbent, or the number of an attempt that was kept and not undone',
      state,
    )
    .option('--study <path>', 'the study (default: where its last run found it)')
    .option('--seed <n>', "seed of trainings and agent (default: the run's number)", integer)
    .addHelpText(
      'after',
      `
The run counts as one of the study's, and so do its spend and its look at the sealed rows. Its findings say what was
gained since the fork point; they pass only where a finding of the earlier run leads to that point (or where it is the
source itself). A fork of any other state runs, and claims nothing.

Exit codes: 0 every finding PASS, 1 halted or a finding BLOCK, 2 bad input, 3 something unreachable.`,
    )
    .action((runId: string, options: ForkOptions) =>
      done(withSession(options, (session) => fork(session, runId, options))),
    );
};

const fork = async (
  session: Session,
  runId: string,
  { from, study: path, seed = undefined }: ForkOptions,
): Promise<ExitCode> => {
  const { home, output, commands } = session;
  const study = await studyOfRun(home, runId, path);
  if (!study.ok) return refuse(output, study.error);
  const opened = await commands.execute(
    new ForkRun({ study: study.value, seed: seed ?? null }, { runId, from }),
  );
  return opened.ok ? drive(session, opened.value) : refuse(output, opened.error);
};
