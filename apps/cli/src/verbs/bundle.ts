import { join } from 'node:path';
import { LOG_TREE, makeBundle, openSealing, sealLog, writeWhole } from '#apps/runner';
import { readLogTree } from '#libs/log-tree';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { liveLine } from '../present/live-line.ts';
import { clean, count } from '../present/text.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';

interface BundleOptions extends CommonOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly atLeast?: number;
}

export const bundleVerb: Verb = (program, done) => {
  common(program.command('bundle <finding-or-run>'))
    .description('one file that proves a finding, or all findings of a run, to whoever has a key')
    .option('--out <file>', 'where to write it (default: <id>.bundle.jsonl in this folder)')
    .option('--force', 'write over a file that is there')
    .option(
      '--at-least <events>',
      'over a checkpoint of at least so many events: of the one that an auditor saw, or one that a witness holds',
      integer,
    )
    .addHelpText(
      'after',
      `
The same finding gives the same bytes, until something is recorded of the finding itself or the log changes its key.
Give the file to the auditor, and the key by another way: holdfast verify FILE --key KEY needs nothing else.`,
    )
    .action((id: string, options: BundleOptions) =>
      done(withSession(options, (session) => bundle(session, id, options))),
    );
};

const isThere = async ({ home }: Session, stream: string): Promise<boolean> => {
  for await (const _ of home.log.readStored({ stream })) return true;
  return false;
};

const bundle = async (
  session: Session,
  id: string,
  { out, force = false, atLeast = 0 }: BundleOptions,
): Promise<ExitCode> => {
  const { home, output } = session;
  const isFinding = await isThere(session, `finding-${id}`);
  if (!isFinding && !(await isThere(session, `run-${id}`)))
    return refuse(output, {
      code: 'subject-unknown',
      message: `found no finding or run ${id}; list them with: npx holdfast findings, or npx holdfast runs`,
    });
  const progress = output.live ? liveLine(output.write, output.width) : null;
  const made = await makeBundle(home, {
    subject: { kind: isFinding ? 'finding' : 'run', id },
    atLeast,
    seal: async () => {
      const sealing = await openSealing(home.folder, session.notary);
      return sealing.ok ? sealLog(home, sealing.value) : sealing;
    },
    tree: () => readLogTree(join(home.folder, LOG_TREE)),
    onProgress: (doing) => progress?.draw(`bundling ${id}: ${doing}`),
  });
  if (!made.ok) {
    progress?.clear();
    return refuse(output, made.error);
  }
  const { bytes, close, checkpoint, verdicts, verifierKey } = made.value;
  const file = out ?? `${id}.bundle.jsonl`;
  try {
    const written = await writeWhole(file, bytes(), force);
    progress?.clear();
    if (!written.ok) return refuse(output, written.error);
    if (output.json)
      jsonLine(output, { file, bytes: written.value, checkpoint, verifierKey, findings: verdicts });
    else {
      output.line(
        `${clean(file)}: ${count(written.value)} bytes, over ${count(checkpoint.size)} events of the log`,
      );
      for (const { findingId, verdict } of verdicts) output.line(`  ${verdict}  ${findingId}`);
      output.line(
        'The log’s key, which the auditor should have from somewhere else than from this file:',
      );
      output.line(`  ${verifierKey}`);
    }
  } finally {
    progress?.clear();
    close();
  }
  return EXIT.done;
};
