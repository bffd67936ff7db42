import { EXIT, type ExitCode } from '../exit-codes.ts';
import { beforeRun, followRun, runView } from '../follow.ts';
import { unknownRun } from '../known.ts';
import { refuse } from '../output.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, type Verb } from '../verb.ts';

export const showVerb: Verb = (program, done) => {
  common(program.command('show <run>'))
    .description('show a run from its pins to its findings, from the log')
    .action((runId: string, options: CommonOptions) =>
      done(withSession(options, (session) => show(session, runId))),
    );
};

export const watchVerb: Verb = (program, done) => {
  common(program.command('watch <run>'))
    .description('follow a run that another process drives, until it ends')
    .action((runId: string, options: CommonOptions) =>
      done(withSession(options, (session) => watch(session, runId))),
    );
};

const show = async (session: Session, runId: string): Promise<ExitCode> => {
  const { home, output } = session;
  if ((await home.runs.load(runId)).head === null) return refuse(output, unknownRun(runId));
  const view = runView(output, home);
  for await (const event of home.log.readAll(await beforeRun(home, runId)))
    if (event.metadata.correlationId === runId) await view.event(event);
  view.end();
  return EXIT.done;
};

const watch = async (session: Session, runId: string): Promise<ExitCode> => {
  const { home, output } = session;
  if ((await home.runs.load(runId)).head === null) return refuse(output, unknownRun(runId));
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort();
  };
  process.once('SIGINT', stop);
  const view = runView(output, home);
  try {
    await followRun(home, runId, view, stopped.signal);
  } finally {
    view.end();
    process.off('SIGINT', stop);
  }
  return EXIT.done;
};
