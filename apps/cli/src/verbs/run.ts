import {
  agentOf,
  DriveRun,
  OpenRun,
  openStudy,
  pinnedBy,
  recallStudyFile,
  studyOf,
  type OpenedRun,
} from '#apps/runner';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { readStudy, type StudyOnDisk } from '#libs/studies';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { sealAfterRun } from '../sealing.ts';
import { followRun, runView } from '../follow.ts';
import { refuse } from '../output.ts';
import { outputFor, withSession, type CommonOptions, type Session } from '../session.ts';
import { studyRefusal } from '../study-refusal.ts';
import { common, integer, type Verb } from '../verb.ts';

interface RunOptions extends CommonOptions {
  readonly seed?: number;
  readonly resume?: string | true;
}

export const runVerb: Verb = (program, done) => {
  common(program.command('run [study]'))
    .description('open a run on a study and follow it to its verified findings')
    .option('--seed <n>', "seed of trainings and agent (default: the run's number)", integer)
    .option('--resume [run]', 'go on with a run that was interrupted (default: the newest one)')
    .addHelpText(
      'after',
      `
Examples:
  holdfast run examples/pay            open a run on the study in that folder
  holdfast run study/other.yaml        the same, from another study file
  holdfast run --resume                go on with the newest run that is open
  holdfast run . --json                one event a line

Exit codes: 0 every finding PASS, 1 halted or a finding BLOCK, 2 bad input, 3 something unreachable.`,
    )
    .action((study: string | undefined, options: RunOptions) => done(start(study, options)));
};

/** The study is read before a home is made: with errors in it nothing is written at all. */
const start = async (path: string | undefined, options: RunOptions): Promise<ExitCode> => {
  if (options.resume !== undefined)
    return withSession(options, (session) => run(session, path, options));
  const study = await readStudy(path ?? '.');
  return study.ok
    ? withSession({ ...options, make: true }, (session) => run(session, study.value, options))
    : refuse(outputFor(options), studyRefusal(study.error));
};

const run = async (
  session: Session,
  study: StudyOnDisk | string | undefined,
  options: RunOptions,
): Promise<ExitCode> => {
  const started =
    typeof study === 'object'
      ? await session.commands.execute(new OpenRun({ study, seed: options.seed ?? null }))
      : await resume(session, study, options.resume ?? true);
  return started.ok ? drive(session, started.value) : refuse(session.output, started.error);
};

/** Follows an opened run to its end, or until somebody interrupts. */
export const drive = async (
  session: Session,
  { runId, study: opened }: OpenedRun,
): Promise<ExitCode> => {
  const { output, home, commands } = session;
  const interrupted = new AbortController();
  const interrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(130);
    if (!output.json)
      process.stderr.write('\nholdfast: stopping after this step (again to stop at once)\n');
    interrupted.abort();
  };
  process.on('SIGINT', interrupt);
  const view = runView(output);
  const broken = new AbortController();
  const following = followRun(home, runId, view, broken.signal);
  try {
    const driven = await commands.execute(
      new DriveRun({
        runId,
        study: opened,
        agent: await agentOf(home, runId, opened.policy),
        onProgress: view.progress,
        signal: interrupted.signal,
        onWaiting: (why) => {
          if (!output.json) process.stderr.write(`holdfast: ${WAITING[why]}\n`);
        },
      }),
    );
    if (!driven.ok) {
      broken.abort();
      await following;
      view.end();
      return refuse(output, driven.error);
    }
    await following;
    view.end();
    await sealAfterRun(session);
    return driven.value.haltMessage === null && !(await isBlocked(session, runId))
      ? EXIT.done
      : EXIT.blocked;
  } finally {
    broken.abort();
    await following.catch(() => undefined);
    view.end();
    process.off('SIGINT', interrupt);
  }
};

const WAITING = {
  'driven-elsewhere':
    'another process drives this run; it is shown here, and driven from here once that one stops',
  agent: 'this run waits for the agent that it was given to',
} as const;

/** Whether any of the run's findings is BLOCK. */
const isBlocked = async ({ home }: Session, runId: string): Promise<boolean> => {
  await home.views.catchUp(home.log);
  const { rows } = await home.views.findings({ run: runId, verdict: 'BLOCK' });
  return rows.length > 0;
};

const resume = async (
  { home }: Session,
  path: string | undefined,
  wanted: string | true,
): Promise<Result<OpenedRun, Refusal>> => {
  await home.views.catchUp(home.log);
  const runId = wanted === true ? await newestOpen(home) : wanted;
  if (runId === null)
    return refused({
      code: 'nothing-to-resume',
      message: 'found no run that is still open; open one with: holdfast run STUDY',
    });
  const { opened, node } = (await home.runs.load(runId)).state;
  if (opened === null)
    return refused({
      code: 'run-unknown',
      message: `found no run ${runId}; list them with: holdfast runs`,
    });
  if (node === 'sealed')
    return refused({
      code: 'over',
      message: `run ${runId} is over: nothing is left to do, and nothing resumes it; look at it with: holdfast show ${runId}`,
    });
  const onDisk = await studyOfRun(home, runId, path);
  if (!onDisk.ok) return onDisk;
  const study = await openStudy(home, onDisk.value.folder, opened.policy, pinnedBy(opened));
  return study.ok ? ok({ runId, study: study.value }) : study;
};

/** A run's study: at the path that was named, or where its last run found it. */
export const studyOfRun = async (
  home: Session['home'],
  runId: string,
  path: string | undefined,
): Promise<Result<StudyOnDisk, Refusal>> => {
  const file = path === undefined ? await recallStudyFile(home, studyOf(runId)) : ok(path);
  if (!file.ok) return file;
  const study = await readStudy(file.value);
  return study.ok ? study : refused(studyRefusal(study.error));
};

/** The newest run that still owes something: one that closed or halted, but whose head isn't signed yet, does too. */
const newestOpen = async (home: Session['home']): Promise<string | null> => {
  let cursor: number | null = null;
  do {
    const page: Awaited<ReturnType<typeof home.views.runs>> = await home.views.runs({
      order: 'newest',
      ...(cursor !== null && { cursor }),
    });
    for (const { runId, status } of page.rows)
      if (
        status !== 'requested' &&
        status !== 'refused' &&
        (await home.runs.load(runId)).state.node !== 'sealed'
      )
        return runId;
    cursor = page.next;
  } while (cursor !== null);
  return null;
};
