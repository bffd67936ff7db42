import { createHash } from 'node:crypto';
import { ExportFinding, writeWhole } from '#apps/runner';
import { FINDING_EXPORT_NAMES, FINDING_EXPORTS, type FindingExport } from '#libs/exports';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { choice, common, type Verb } from '../verb.ts';

interface ExportOptions extends CommonOptions {
  readonly as: FindingExport;
  readonly out?: string;
}

const widest = Math.max(...FINDING_EXPORT_NAMES.map((name) => name.length));

export const exportVerb: Verb = (program, done) => {
  common(program.command('export <finding>'))
    .description("a finding in a format that auditors' tools read, from the log alone")
    .addOption(choice('--as <format>', 'which one', FINDING_EXPORT_NAMES).makeOptionMandatory())
    .option('--out <file>', 'write it there, whole or not at all (default: the standard output)')
    .addHelpText(
      'after',
      `
Formats:
${FINDING_EXPORT_NAMES.map((name) => `  ${name.padEnd(widest)}  ${FINDING_EXPORTS[name].about}`).join('\n')}

The same finding gives the same bytes while nothing more is recorded of it. What the log doesn't hold is not filled in.`,
    )
    .action((findingId: string, { as, out, ...options }: ExportOptions) =>
      done(withSession(options, (session) => exportTo(session, findingId, as, out ?? null))),
    );
};

const exportTo = async (
  { queries, output }: Session,
  findingId: string,
  format: FindingExport,
  out: string | null,
): Promise<ExitCode> => {
  const exported = await queries.execute(new ExportFinding(findingId, format));
  if (!exported.ok) return refuse(output, exported.error);
  const { mediaType, bytes } = exported.value;
  if (out === null) {
    process.stdout.write(bytes);
    return EXIT.done;
  }
  const written = await writeWhole(out, bytes);
  if (!written.ok) return refuse(output, written.error);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (output.json)
    jsonLine(output, { findingId, format, mediaType, file: out, bytes: bytes.length, sha256 });
  else
    output.line(
      `${findingId} as ${format}: ${out}, ${bytes.length.toLocaleString('en-US')} bytes, sha256 ${sha256}`,
    );
  return EXIT.done;
};
