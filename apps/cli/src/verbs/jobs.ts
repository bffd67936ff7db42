import { sealReason, watchTrainings } from '#apps/runner';
import type { DeadLetters } from '#libs/jobs';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { jobsTable } from '../present/tables.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, type Verb } from '../verb.ts';

export const jobsVerb: Verb = (program, done) => {
  const jobs = program
    .command('jobs')
    .description('trainings on Redis that wait for an operator: list, retry, discard')
    .addHelpText(
      'after',
      `
A training that could not be run, or whose result nobody can take, waits here and its run with it.

Examples:
  holdfast jobs list
  holdfast jobs retry 6f1f5a0e-3c8b-5f0e-9a57-1d1f0c2b9e44
  holdfast jobs discard 6f1f5a0e-3c8b-5f0e-9a57-1d1f0c2b9e44 --reason 'image is gone'`,
    );
  const act = (
    options: CommonOptions,
    work: (session: Session, letters: DeadLetters) => Promise<ExitCode>,
  ): Promise<void> =>
    done(withSession({ ...options, make: true }, (session) => withLetters(session, work)));

  common(jobs.command('list'))
    .description('every one, with the reason')
    .action((options: CommonOptions) =>
      act(options, async ({ output }, letters) => {
        const rows = await letters.list();
        if (output.json) jsonLine(output, rows);
        else output.line(jobsTable(output.style, rows));
        return EXIT.done;
      }),
    );
  common(jobs.command('retry <training>'))
    .description('let it be run again, with all its tries')
    .action((training: string, options: CommonOptions) =>
      act(options, async (session, letters) =>
        settled(session, training, await letters.retry(training), 'is run again'),
      ),
    );
  common(jobs.command('discard <training>'))
    .description('give it up for good: its run records that it failed, and goes on')
    .requiredOption('--reason <text>', 'why')
    .action((training: string, { reason, ...options }: CommonOptions & { reason: string }) =>
      act(options, async (session, letters) => {
        const letter = (await letters.list()).find(({ trainingId }) => trainingId === training);
        if (letter === undefined) return settled(session, training, false, '');
        const place = { stream: `run-${letter.runId}`, type: 'TrainingFailed' };
        const sealed = await sealReason(session.home, reason, place);
        if (!sealed.ok) return refuse(session.output, sealed.error);
        return settled(
          session,
          training,
          await letters.discard(training, sealed.value),
          'is given up',
        );
      }),
    );
};

const withLetters = async (
  session: Session,
  work: (session: Session, letters: DeadLetters) => Promise<ExitCode>,
): Promise<ExitCode> => {
  const { home, output, redis } = session;
  if (redis === null)
    return refuse(output, {
      code: 'environment',
      message:
        'found no Redis, expected the one that holds the trainings; set HOLDFAST_REDIS (without it trainings run in the runner, and none waits here)',
    });
  const trainings = await watchTrainings(home, redis, (notice) => {
    process.stderr.write(`holdfast: ${notice}\n`);
  });
  if (!trainings.ok) return refuse(output, trainings.error);
  try {
    return await work(session, trainings.value.deadLetters);
  } finally {
    await trainings.value.close();
  }
};

const settled = ({ output }: Session, training: string, found: boolean, said: string): ExitCode => {
  if (!found)
    return refuse(output, {
      code: 'training-unknown',
      message: `found no training ${training} that waits, expected one of: holdfast jobs list`,
    });
  if (output.json) jsonLine(output, { training });
  else output.line(`${training} ${said}`);
  return EXIT.done;
};
