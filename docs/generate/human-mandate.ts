import { ACTORS, ACTS, MANDATE, rolesForCommand } from '../../libs/mandate/src/index.ts';
import { code, page, table } from './markdown.ts';

interface Act {
  readonly row: string | null;
  readonly what: string;
  readonly roles: readonly string[];
  readonly commands: readonly string[];
  readonly operations: readonly string[];
}

const ALL: readonly (readonly [string, Act])[] = Object.entries(ACTS);

const codes = (names: readonly string[]): string => names.map(code).join(', ');

/** The reference of the mandate: `docs/reference/human-mandate.md`. */
export const humanMandatePage = (): string =>
  page('The Human Mandate', 'libs/mandate/src/', [
    'What an agent may say and do, and what only people may. Each row holds three times: as types, as authorisation, and as a screen on free text.',
    table(
      ['row', 'an agent', 'what', 'acts'],
      MANDATE.map(({ row, allowed, text }) => [
        code(row),
        allowed ? 'may' : 'may not',
        text,
        codes(ALL.filter(([, act]) => act.row === row).map(([name]) => name)),
      ]),
    ),
    '## As types',
    'A finding is built of cohort, statistic, estimate, interval and n; its sentence is composed of these fields, and the verdict composes it again. Neither it nor any of the six commands that an agent can send has a field for a person, a prescription or a decision: [mandate.spec.ts](../../libs/payloads/src/mandate.spec.ts) walks every member of what is written to the log.',
    '## As authorisation',
    `The one table of acts: who may do what. A command that is in no row, or not from somebody whom its row names, is refused before its decider is asked; the API's permissions are read off the same table. What is nobody's has no command and no route. The log holds nothing under an agent's name but what its proposals become, and a review under a reviewer's: the row ${code('mandate')} of a verdict asks for both.`,
    table(
      ['act', 'what', ...ACTORS, 'commands', 'operations'],
      ALL.map(([name, act]) => [
        code(name),
        act.what,
        ...ACTORS.map((role) => (act.roles.includes(role) ? '✓' : '')),
        codes(act.commands),
        codes(act.operations),
      ]),
    ),
    `Accepting a finding is ${code('ReviewFinding')}: ${rolesForCommand('ReviewFinding').join(', ')} alone.`,
    '## As a screen',
    'Hypotheses, summaries of mutations and the reason for which an agent ends its loop are screened before they are recorded as such; a breach halts the run for good. The text is read in several forms first: compatibility forms, lower case, look-alike letters, marks and invisible characters gone, words that were split put together, digits that stand for letters read as such; words spelt letter by letter are stopped unread. English is screened thoroughly; German, French and Spanish for the clear cases.',
    'Besides the four blocked rows it stops `instructions`, since what an agent writes is shown to people and to other agents: text that commands its reader, speaks as a system or a reviewer, or holds markup, addresses, code or encoded text; and `free-text`: nothing, more than 300 characters, control characters. The names, labels, title and question of a study file pass the same screen when it is read, so that no finding says by a label what it may not.',
    'It is a screen, not a wall: it knows words. [mandate.spec.ts](../../libs/mandate/src/mandate.spec.ts) prints what it catches (`npx vitest run libs/mandate`): all of some 240 blocked sentences that it was made by and none of 206 honest ones beside them; of 40 blocked sentences that were written last, and not to make it by, it stopped 13 at first sight, and one of 40 honest ones; the sign that stopped that one was dropped, and today it is 15 and none. What holds an agent are the types and the table.',
    'A run of version 1 keeps the screen of then, in its run and in its verdicts.',
    '## What comes back to an agent',
    "Of a training that failed it is told a class that JavaScript or Python has of itself (any other is `Error`) or how it failed, a file of its own tree and a line that the file has: a program's error output is its author's to write, and could carry what the program has seen.",
  ]);
