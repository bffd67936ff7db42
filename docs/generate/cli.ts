import type { Command } from 'commander';
import { program } from '../../apps/cli/src/program.ts';
import { anchor, page, table } from './markdown.ts';

const WIDTH = 100;

/** What `--help` prints, in a pipe of this width. */
const helpOf = (command: Command): string => {
  let text = '';
  command.configureOutput({
    writeOut: (written) => void (text += written),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
};

/** The verbs of `holdfast`, in the order in which help shows them. */
export const verbs = (): readonly string[] =>
  program(async () => undefined).commands.map((command) => command.name());

/** The reference of the command line: `docs/reference/cli.md`. */
export const cliPage = (): string => {
  const { commands } = program(async () => undefined);
  return page('The holdfast command', 'the command line itself (`--help` of every verb)', [
    'In this repository call it as `npx holdfast`. Exit codes are on [a page of their own](exit-codes.md). With `--json` every verb prints JSON, on failure too: `{"error":{"code","message"}}`.',
    '`HOLDFAST_HOME` names the home (default `.holdfast` in the current folder); `NO_COLOR` switches colour off.',
    table(
      ['verb', 'what it does'],
      commands.map((command) => [
        `[${command.name()}](#${anchor(`holdfast ${command.name()}`)})`,
        command.description(),
      ]),
    ),
    ...commands.flatMap((command) => [
      `## holdfast ${command.name()}`,
      `\`\`\`text\n${helpOf(command)}\n\`\`\``,
      ...command.commands.flatMap((below) => [
        `### holdfast ${command.name()} ${below.name()}`,
        `\`\`\`text\n${helpOf(below)}\n\`\`\``,
      ]),
    ]),
  ]);
};
