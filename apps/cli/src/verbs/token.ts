import { resolve } from 'node:path';
import { Option } from 'commander';
import { localTokens, type LocalToken, type LocalTokens } from '#libs/access';
import { readConfig } from '#libs/config';
import { ROLES, systemClock, type Role } from '#libs/kernel';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly project?: readonly string[];
  readonly allProjects?: boolean;
  readonly subject?: string;
  readonly run?: string;
  readonly days: number;
}

/** Long enough for a piece of work, short enough to be forgotten. */
const DEFAULT_DAYS = 30;

export const tokenVerb: Verb = (program, done) => {
  const token = program
    .command('token')
    .description('bearer tokens of this machine for the API: make, list, revoke')
    .addHelpText(
      'after',
      `
A token is shown once; only its hash is kept. Send it over TLS or on this machine only.

Examples:
  holdfast token create --role researcher --project wages
  holdfast token create --role agent --project wages --run pay-1 --days 2
  holdfast token list
  holdfast token revoke 5f0c9d3a71be`,
    );
  common(token.command('create'))
    .description('make a token; it is printed once')
    .addOption(
      new Option('--role <role>', 'what its holder may do').choices(ROLES).makeOptionMandatory(),
    )
    .option('--project <names...>', 'whose studies its holder sees (default: those of "default")')
    .option('--all-projects', 'its holder sees the studies of all projects')
    .option(
      '--subject <id>',
      "opaque id of its holder, in events (default: a new one); never a person's name",
    )
    .option('--run <id>', 'of an agent: for this run alone')
    .option(
      '--days <n>',
      `good for so many days, 366 at most (default: ${DEFAULT_DAYS})`,
      integer,
      DEFAULT_DAYS,
    )
    .action((options: CreateOptions) =>
      done(withTokens(options, (tokens, output) => create(tokens, output, options))),
    );
  common(token.command('list'))
    .description('list the tokens, oldest first; never the tokens themselves')
    .action((options: CommonOptions) => done(withTokens(options, list)));
  common(token.command('revoke <id>'))
    .description('make a token worthless, from the next request on')
    .action((id: string, options: CommonOptions) =>
      done(withTokens(options, (tokens, output) => revoke(tokens, output, id))),
    );
  // Usage errors are the program's to answer, here as one level up.
  for (const command of token.commands) command.exitOverride();
};

const withTokens = async (
  options: CommonOptions,
  work: (tokens: LocalTokens, output: Output) => Promise<ExitCode>,
): Promise<ExitCode> => {
  const output = outputFor(options);
  const folder = resolve(options.home ?? readConfig().home);
  return work(localTokens(folder, systemClock), output);
};

const create = async (
  tokens: LocalTokens,
  output: Output,
  { role, project = ['default'], allProjects = false, subject, run, days }: CreateOptions,
): Promise<ExitCode> => {
  const issued = await tokens.issue({
    role,
    projects: allProjects ? 'all' : project,
    ...(subject !== undefined && { subject }),
    run: run ?? null,
    days,
  });
  if (!issued.ok) return refuse(output, issued.error);
  const { token, kept } = issued.value;
  if (output.json) jsonLine(output, { token, ...shown(kept) });
  else {
    output.line(token);
    // Beside the token, so that "$(holdfast token create …)" is the token and nothing else.
    process.stderr.write(
      `holdfast: token ${kept.id} of ${kept.subject}, ${kept.role}, until ${kept.expiresAt}; it is not shown again\n`,
    );
  }
  return EXIT.done;
};

const list = async (tokens: LocalTokens, output: Output): Promise<ExitCode> => {
  const listed = await tokens.list();
  if (!listed.ok) return refuse(output, listed.error);
  if (output.json) jsonLine(output, listed.value.map(shown));
  else if (listed.value.length === 0) output.line('no tokens');
  else for (const kept of listed.value) output.line(lineOf(kept));
  return EXIT.done;
};

const revoke = async (tokens: LocalTokens, output: Output, id: string): Promise<ExitCode> => {
  const revoked = await tokens.revoke(id);
  if (!revoked.ok) return refuse(output, revoked.error);
  if (output.json) jsonLine(output, shown(revoked.value));
  else output.line(`token ${id} is revoked`);
  return EXIT.done;
};

/** All but the hash, which is nobody's business either. */
const shown = ({ sha256: _, ...kept }: LocalToken): Omit<LocalToken, 'sha256'> => kept;

const lineOf = ({ id, role, subject, projects, run, expiresAt, revokedAt }: LocalToken): string => {
  const state =
    revokedAt !== null
      ? `revoked ${revokedAt}`
      : Date.parse(expiresAt) <= Date.now()
        ? `expired ${expiresAt}`
        : `until ${expiresAt}`;
  const sees = projects === 'all' ? 'all projects' : projects.join(', ');
  return `${id}  ${role.padEnd(10)}  ${subject}  ${sees}${run === null ? '' : `, run ${run}`}  ${state}`;
};
