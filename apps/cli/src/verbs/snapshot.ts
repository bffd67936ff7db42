import { snapshotStudy } from '#apps/runner';
import { readStudy } from '#libs/studies';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { clean } from '../present/text.ts';
import { outputFor, withSession, type CommonOptions } from '../session.ts';
import { studyRefusal } from '../study-refusal.ts';
import { common, type Verb } from '../verb.ts';

export const snapshotVerb: Verb = (program, done) => {
  common(program.command('snapshot [study]'))
    .description("read a study's PostgreSQL table anew; its next runs stand on that snapshot")
    .addHelpText(
      'after',
      `
The first run of a study takes a snapshot by itself. Another one means another data digest and another split, so
that rows which were sealed may be trained on: take one when the data have changed, not to draw again.

The address stands in HOLDFAST_DATA_URL. Exit codes: 0 taken, 2 with errors, 3 the server can't be reached.`,
    )
    .action((study: string | undefined, options: CommonOptions) =>
      done(snapshot(study ?? '.', options)),
    );
};

const snapshot = async (path: string, options: CommonOptions): Promise<ExitCode> => {
  const study = await readStudy(path);
  if (!study.ok) return refuse(outputFor(options), studyRefusal(study.error));
  const { policy } = study.value;
  return withSession({ ...options, make: true }, async ({ home, output }) => {
    const taken = await snapshotStudy(home, policy);
    if (!taken.ok) return refuse(output, taken.error);
    const { sha256, rows, bytes } = taken.value;
    if (output.json) jsonLine(output, { study: policy.study.id, sha256, rows, bytes });
    else
      output.line(
        `snapshot of ${clean(policy.data.path)}: ${rows.toLocaleString('en-US')} rows, ${bytes.toLocaleString('en-US')} bytes, sha256 ${sha256}`,
      );
    return EXIT.done;
  });
};
