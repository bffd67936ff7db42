import { readFile } from 'node:fs/promises';
import {
  NO_ANCHORS,
  notarySigner,
  notaryStatus,
  openSealing,
  rotateKey,
  rotateKeyFile,
  sealLog,
  settleAlarm,
  type NotaryStatus,
  type Rotated,
  type Settlement,
} from '#apps/runner';
import { counted, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';
import { acceptedText } from '#libs/notary';

import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { sayAnchors, signedLine } from '../sealing.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';

export const notaryVerb: Verb = (program, done) => {
  const notary = program
    .command('notary')
    .description('sign the log; who signed it, how far, and who else holds that')
    .addHelpText(
      'after',
      `
A checkpoint commits to every event of the log, in order. The log is signed at the end of each run, and by
"holdfast serve"; it is never signed when it is not the continuation of what was signed before. Give the key that
"holdfast notary key" prints to your auditors, on a way of its own.

Examples:
  holdfast notary seal                             compare the log with what was signed, sign what came since
  holdfast notary status                           size, root, key, age, anchors, a standing alarm
  holdfast notary settle 17 --reason 'restored'    after alarm 17: look again before the next signature
  holdfast notary rotate                           another key signs from here on; both sign that

Exit codes: 0 done, 1 an alarm stands, 2 bad input, 3 something unreachable.`,
    );
  common(notary.command('seal'))
    .description('read all of the log, compare it with what was signed, sign what came since')
    .action((options: CommonOptions) => done(withSession(options, seal)));
  common(notary.command('status'))
    .description('what was signed last, with which key, who else holds it, whether an alarm stands')
    .action((options: CommonOptions) => done(withSession(options, status)));
  common(notary.command('key'))
    .description('print the key that auditors verify with (a C2SP vkey), and nothing else')
    .action((options: CommonOptions) => done(withSession(options, key)));
  common(notary.command('rotate'))
    .description('have another key sign from here on; the old one signs that, and is gone')
    .option(
      '--new-key <file>',
      'PKCS8 PEM of the new key: needed where HOLDFAST_NOTARY_KEY holds the old one',
    )
    .action((options: CommonOptions & { newKey?: string }) =>
      done(withSession(options, (session) => rotate(session, options.newKey ?? null))),
    );
  common(notary.command('settle'))
    .argument('<alarm>', 'its number, which "holdfast notary status" shows', integer)
    .description(
      'settle the alarm of this number; what is wrong with the log is looked for again before it is signed',
    )
    .requiredOption('--reason <text>', 'why')
    .option(
      '--accept <hash>',
      'vouch for the append that the alarm is about, against the rules: the chain hash that the alarm names',
    )
    .action((alarm: number, options: CommonOptions & { reason: string; accept?: string }) =>
      done(withSession(options, (session) => settle(session, { alarm, ...options }))),
    );
  for (const command of notary.commands) command.exitOverride();
};

const seal = async ({ home, notary, output }: Session): Promise<ExitCode> => {
  const sealing = await openSealing(home.folder, notary);
  if (!sealing.ok) return refuse(output, sealing.error);
  const sealed = await sealLog(home, sealing.value);
  if (!sealed.ok) return refuse(output, sealed.error);
  const { checkpoint, origin, isNew, anchors } = sealed.value;
  if (output.json) jsonLine(output, sealed.value);
  else if (checkpoint === null) output.line('the log holds no events: nothing is signed');
  else {
    output.line(
      isNew
        ? signedLine(output, checkpoint.size, origin)
        : `nothing came since the checkpoint of ${counted(checkpoint.size, 'event')} of ${origin}`,
    );
    sayAnchors(anchors);
  }
  return EXIT.done;
};

const ageOf = (time: string): string => {
  const minutes = Math.floor((Date.now() - Date.parse(time)) / 60_000);
  return minutes < 120
    ? `${minutes} min`
    : minutes < 2 * 24 * 60
      ? `${Math.floor(minutes / 60)} h`
      : `${Math.floor(minutes / (24 * 60))} days`;
};

const status = async ({ home, output }: Session): Promise<ExitCode> => {
  const found = await notaryStatus(home.log);
  if (output.json) jsonLine(output, found);
  else for (const line of linesOf(found, output)) output.line(line);
  return found.alarm === null && found.problem === null ? EXIT.done : EXIT.blocked;
};

const linesOf = (found: NotaryStatus, { style }: Output): readonly string[] => {
  const { origin, verifierKey, checkpoint, anchors, alarm, accepted, problem } = found;
  const vouched = acceptedText(accepted);
  if (origin === null || verifierKey === null)
    return ['nobody signed this log yet: holdfast notary seal'];
  return [
    `log     ${origin}`,
    `key     ${verifierKey}`,
    ...(checkpoint === null
      ? ['signed  nothing yet']
      : [
          `signed  ${counted(checkpoint.size, 'event')}, ${ageOf(checkpoint.time)} ago (${checkpoint.time})`,
          `root    ${checkpoint.root}`,
          `newest  event ${checkpoint.newest.revision} of ${checkpoint.newest.stream}`,
        ]),
    ...(anchors.length === 0
      ? ['held by nobody else: time and completeness rest on the operator']
      : anchors.map(({ kind, by }) => `held by ${by} (${kind})`)),
    ...(vouched === null ? [] : [style.paint.yellow(vouched)]),
    ...(problem === null ? [] : [style.paint.red(`BROKEN  the notary's own stream: ${problem}`)]),
    ...(alarm === null
      ? []
      : [
          style.paint.red(`ALARM   ${alarm.reason}, ${alarm.time}`),
          `        found ${alarm.found}`,
          `        expected ${alarm.expected}`,
          `        nothing is signed until: holdfast notary settle ${alarm.revision} --reason "…"`,
          ...(alarm.append === null
            ? []
            : [
                `        or, to vouch for this append against the rules: … --accept ${alarm.append.hash}`,
              ]),
        ]),
  ];
};

/** The log's own key where it was signed, else the one that would sign it. */
const key = async ({ home, output }: Session): Promise<ExitCode> => {
  const { origin, verifierKey, verifierKeys } = await notaryStatus(home.log);
  if (verifierKey === null)
    return refuse(output, {
      code: 'not-open',
      message: 'found a log that nobody signed yet; sign it with: holdfast notary seal',
    });
  if (output.json) jsonLine(output, { origin, verifierKey, verifierKeys });
  else output.line(verifierKey);
  return EXIT.done;
};

const rotate = async (session: Session, newKey: string | null): Promise<ExitCode> => {
  const { home, notary, output } = session;
  const sealing = await openSealing(home.folder, { ...notary, ...NO_ANCHORS });
  if (!sealing.ok) return refuse(output, sealing.error);
  const given = (notary.key === null) === (newKey === null);
  if (!given)
    return refuse(output, {
      code: 'usage',
      message:
        notary.key === null
          ? 'found --new-key, expected none: the key is a file in the home, and the new one is made there'
          : 'found no new key, expected one: HOLDFAST_NOTARY_KEY holds the old one, so name the file of the new one with --new-key',
    });
  const rotated: Result<Rotated, Refusal> =
    newKey === null
      ? await rotateKeyFile(home, sealing.value)
      : await rotateTo(session, sealing.value, newKey);
  if (!rotated.ok) return refuse(output, rotated.error);
  const { from, to } = rotated.value;
  if (output.json) jsonLine(output, rotated.value);
  else {
    output.line(`${to} signs from here on`);
    output.line(
      `${from} signed that, and signs nothing more; auditors who have it find the new one by it`,
    );
    if (newKey !== null) output.line(`set HOLDFAST_NOTARY_KEY to the new key now`);
  }
  return EXIT.done;
};

const rotateTo = async (
  { home }: Session,
  sealing: Parameters<typeof rotateKey>[1],
  file: string,
): Promise<Result<Rotated, Refusal>> => {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    return refused({
      code: 'usage',
      message: `found ${file} unreadable (${reasonOf(error)}), expected the PEM of the new key`,
    });
  }
  const next = await notarySigner('', pem);
  return next.ok ? rotateKey(home, sealing, next.value) : next;
};

const settle = async (
  { home, notary, output }: Session,
  { alarm, reason, accept }: { alarm: number; reason: string; accept?: string },
): Promise<ExitCode> => {
  let accepts: Settlement['accepts'] = null;
  if (accept !== undefined) {
    const sealing = await openSealing(home.folder, { ...notary, ...NO_ANCHORS });
    if (!sealing.ok) return refuse(output, sealing.error);
    accepts = { hash: accept, signer: sealing.value.signer };
  }
  const settled = await settleAlarm(home, { alarm, reason, accepts });
  if (!settled.ok) return refuse(output, settled.error);
  if (output.json) jsonLine(output, { settled: true, alarm, reason, accepts: settled.value });
  else {
    if (settled.value !== null)
      output.line(
        'the append is accepted on your word, which every verdict will say; whatever else the rules would not have made raises the alarm again',
      );
    output.line(
      'the alarm is settled; the log is looked at again before it is signed: holdfast notary seal',
    );
  }
  return EXIT.done;
};
