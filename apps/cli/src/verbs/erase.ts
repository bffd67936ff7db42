import { randomUUID } from 'node:crypto';
import { applyErasures, assertPerson, ERASURES, LOCAL_OPERATOR, textAt } from '#apps/runner';
import type { ErasePerson, EraseText } from '#libs/erasures';
import { counted } from '#libs/kernel';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { clean } from '../present/text.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, type Verb } from '../verb.ts';

interface EraseOptions extends CommonOptions {
  readonly yes?: boolean;
}

const FOR_GOOD =
  'Erasing can not be undone. The log, its hashes and every verdict stay as they are; backups are yours to erase (docs/how-to/erase-personal-data.md).';

export const peopleVerb: Verb = (program, done) => {
  const people = program
    .command('people')
    .description('who the ids of people in events stand for: list, erase')
    .addHelpText(
      'after',
      `
${FOR_GOOD}

Examples:
  holdfast people list
  holdfast people erase person-0f3c5d9a4be16f6cb8f0a5c3de2417b9 --yes`,
    );
  common(people.command('list'))
    .description('everybody who was seen and not erased, the first one first')
    .action((options: CommonOptions) => done(withSession(options, list)));
  common(people.command('erase <id>'))
    .description('erase who an id stands for, for good; the events that name it stay')
    .option('--yes', 'without it, what would be gone is said and nothing is done')
    .action((personId: string, options: EraseOptions) =>
      done(withSession(options, (session) => erasePerson(session, personId, options))),
    );
  for (const command of people.commands) command.exitOverride();
};

export const eraseVerb: Verb = (program, done) => {
  const erase = program
    .command('erase')
    .description('erase what a human wrote, for good; carry erasures out again')
    .addHelpText(
      'after',
      `
${FOR_GOOD}

Examples:
  holdfast erase text finding-pay-1-f1@3 --yes
  holdfast erase apply`,
    );
  common(erase.command('text <event>'))
    .description(
      'erase the text that a human left in an event: <stream>@<revision>, as in the audit',
    )
    .option('--yes', 'without it, what would be gone is said and nothing is done')
    .action((place: string, options: EraseOptions) =>
      done(withSession(options, (session) => eraseText(session, place, options))),
    );
  common(erase.command('apply'))
    .description('carry out again all erasures that the log records: after a backup was restored')
    .action((options: CommonOptions) => done(withSession(options, apply)));
  for (const command of erase.commands) command.exitOverride();
};

const list = async ({ home, output }: Session): Promise<ExitCode> => {
  const people = await home.erasables.people();
  if (output.json) jsonLine(output, people);
  else if (people.length === 0) output.line('nobody');
  else
    for (const { personId, issuer, subject, since } of people)
      output.line(`${personId}  since ${since}  ${clean(issuer)}  ${clean(subject)}`);
  return EXIT.done;
};

const erasePerson = async (
  session: Session,
  personId: string,
  { yes }: EraseOptions,
): Promise<ExitCode> => {
  const { home, output } = session;
  const known = await assertPerson(home, personId);
  if (!known.ok) return refuse(output, known.error);
  const person = await home.erasables.person(personId);
  const what =
    person === null
      ? `who ${personId} is, which was erased before`
      : `that ${personId} is ${clean(person.subject)} of ${clean(person.issuer)}, and the tokens that this machine handed out to that subject`;
  if (yes !== true) return unsaid(session, what);
  return erase(session, { type: 'ErasePerson', id: randomUUID(), data: { personId } });
};

const eraseText = async (
  session: Session,
  place: string,
  { yes }: EraseOptions,
): Promise<ExitCode> => {
  const { home, output } = session;
  const [, stream = '', revision = ''] =
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,99})@(\d{1,15})$/.exec(place) ?? [];
  if (stream === '')
    return refuse(output, {
      code: 'usage',
      message: `found ${JSON.stringify(place.slice(0, 120))}, expected <stream>@<revision>, such as finding-pay-1-f1@3`,
    });
  const text = await textAt(home, stream, Number(revision));
  if (!text.ok) return refuse(output, text.error);
  if (yes !== true) return unsaid(session, `what a human wrote in ${place}`);
  return erase(session, { type: 'EraseText', id: randomUUID(), data: text.value });
};

const unsaid = ({ output }: Session, what: string): ExitCode =>
  refuse(output, {
    code: 'not-confirmed',
    message: `nothing is done without --yes. This would erase ${what}. ${FOR_GOOD}`,
  });

/** The event first, then its effect: what is gone is never a riddle. */
const erase = async (
  { home, output }: Session,
  command: ErasePerson | EraseText,
): Promise<ExitCode> => {
  const sent = await home.erasures.send(ERASURES, command, LOCAL_OPERATOR);
  if (!sent.ok) return refuse(output, sent.error);
  const applied = await applyErasures(home);
  if (!applied.ok) return refuse(output, applied.error);
  if (output.json) jsonLine(output, command.data);
  else
    output.line(
      command.type === 'ErasePerson'
        ? `${command.data.personId} is nobody any more`
        : `the text in ${command.data.stream}@${command.data.revision} is erased`,
    );
  return EXIT.done;
};

const apply = async ({ home, output }: Session): Promise<ExitCode> => {
  const applied = await applyErasures(home);
  if (!applied.ok) return refuse(output, applied.error);
  const { texts, people } = applied.value;
  if (output.json) jsonLine(output, applied.value);
  else
    output.line(
      `what the log says is erased is gone: ${counted(texts, 'text')}, ${people === 1 ? '1 person' : `${people} people`}`,
    );
  return EXIT.done;
};
