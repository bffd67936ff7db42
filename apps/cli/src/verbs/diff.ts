import { createTwoFilesPatch } from 'diff';
import type { ChangedFile, MutationProposed } from '#libs/run';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { clean } from '../present/text.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';

export const diffVerb: Verb = (program, done) => {
  common(program.command('diff <run>'))
    .argument('<attempt>', "the mutation's number in its run, from 1", integer)
    .description('what an attempt changed, kept or not, as a unified diff')
    .action((runId: string, attempt: number, options: CommonOptions) =>
      done(withSession(options, (session) => diff(session, runId, attempt))),
    );
};

const diff = async (session: Session, runId: string, attempt: number): Promise<ExitCode> => {
  const { output } = session;
  const proposed = await proposalOf(session, runId, attempt);
  if (proposed === null)
    return refuse(output, {
      code: 'attempt-unknown',
      message: `found no attempt ${attempt} in run ${runId}; list them with: holdfast audit --run ${runId}`,
    });
  const patches: string[] = [];
  for (const file of proposed.files) patches.push(await patchOf(session, file));
  if (output.json) jsonLine(output, { ...proposed, patch: patches.join('') });
  else {
    output.line(output.style.paint.bold(`${runId} #${attempt}  ${clean(proposed.summary)}`));
    for (const patch of patches) say(output, patch);
  }
  return EXIT.done;
};

const proposalOf = async (
  { home }: Session,
  runId: string,
  attempt: number,
): Promise<MutationProposed['data'] | null> => {
  for await (const { type, data } of home.log.readStream(`run-${runId}`)) {
    if (type !== 'MutationProposed') continue;
    const proposed = data as MutationProposed['data'];
    if (proposed.number === attempt) return proposed;
  }
  return null;
};

/** @throws where an object is gone or altered: `verify` says which */
const patchOf = async ({ home }: Session, file: ChangedFile): Promise<string> => {
  const text = async (oid: string | null): Promise<string> => {
    if (oid === null) return '';
    const content = await home.sourceTree.readText(oid);
    if (!content.ok) throw new Error(`${file.path}: ${content.error.message}`);
    return content.value;
  };
  return createTwoFilesPatch(
    `a/${file.path}`,
    `b/${file.path}`,
    await text(file.before),
    await text(file.after),
  );
};

const say = ({ line, style: { paint } }: Output, patch: string): void => {
  for (const row of patch.trimEnd().split('\n')) {
    const tone = row.startsWith('+') ? paint.green : row.startsWith('-') ? paint.red : paint.dim;
    // `clean` would fold the indentation away.
    const indent = /^[-+ ]? */.exec(row)?.[0] ?? '';
    line(tone(indent + clean(row.slice(indent.length))));
  }
};
