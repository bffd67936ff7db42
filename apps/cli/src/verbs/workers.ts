import { randomUUID } from 'node:crypto';
import { FLEET, LOCAL_OPERATOR, sealReason, watchTrainings } from '#apps/runner';
import type { FleetAnnouncement } from '#libs/jobs';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { keyIdOf } from '#libs/signatures';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { workersTable, type WorkerRow } from '../present/tables.ts';
import { withSession, type CommonOptions, type Session } from '../session.ts';
import { common, type Verb } from '../verb.ts';

export const workersVerb: Verb = (program, done) => {
  const workers = program
    .command('workers')
    .description('workers on other hosts: which announce themselves, which are admitted')
    .addHelpText(
      'after',
      `
A result is taken only when a worker signed it whose key an operator admitted. A worker prints its public key when it
starts: compare it there, not with what Redis says.

Examples:
  holdfast workers list
  holdfast workers admit MCowBQYDK2Vw…= --label gpu-host-3
  holdfast workers dismiss 61b3a01085095c95 --reason 'host returned'`,
    );
  common(workers.command('list'))
    .description('every admitted worker, and what announces itself on Redis')
    .action((options: CommonOptions) => done(withSession({ ...options, make: true }, list)));
  common(workers.command('admit <public-key>'))
    .description('take what this key signs from now on')
    .requiredOption('--label <name>', 'what people call the host')
    .action((publicKey: string, { label, ...options }: CommonOptions & { label: string }) =>
      done(withSession({ ...options, make: true }, (session) => admit(session, publicKey, label))),
    );
  common(workers.command('dismiss <key-id>'))
    .description('take nothing more that this key signs; what it signed before stands')
    .requiredOption('--reason <text>', 'why')
    .action((keyId: string, { reason, ...options }: CommonOptions & { reason: string }) =>
      done(withSession(options, (session) => dismiss(session, keyId, reason))),
    );
};

const list = async ({ home, output, redis }: Session): Promise<ExitCode> => {
  const { workers } = (await home.fleet.load(FLEET)).state;
  const announced = await announcements(home, redis);
  if (!announced.ok) return refuse(output, announced.error);
  const rows: readonly WorkerRow[] = [
    ...Object.values(workers).map(({ keyId, label, standing }) => ({
      ...{ keyId, label, standing },
      announced: announced.value.filter((one) => one.keyId === keyId),
    })),
    ...announced.value
      .filter(({ keyId }) => workers[keyId] === undefined)
      .map((one) => ({
        ...{ keyId: one.keyId, label: one.label, standing: 'unknown' as const, announced: [one] },
      })),
  ];
  if (output.json) jsonLine(output, rows);
  else output.line(workersTable(output.style, rows));
  return EXIT.done;
};

const announcements = async (
  home: Session['home'],
  redis: Session['redis'],
): Promise<Result<readonly FleetAnnouncement[], Refusal>> => {
  if (redis === null) return ok([]);
  const trainings = await watchTrainings(home, redis, () => undefined);
  if (!trainings.ok) return trainings;
  try {
    return ok(await trainings.value.fleetAnnouncements());
  } finally {
    await trainings.value.close();
  }
};

/** Base64 of the 32 bytes of an Ed25519 public key. */
const PUBLIC_KEY = /^[A-Za-z0-9+/]{43}=$/;

const admit = async (
  { home, output }: Session,
  publicKey: string,
  label: string,
): Promise<ExitCode> => {
  if (!PUBLIC_KEY.test(publicKey))
    return refuse(output, {
      code: 'usage',
      message: `found ${JSON.stringify(publicKey.slice(0, 60))}, expected the 44 characters of a public key as the worker prints it`,
    });
  const keyId = keyIdOf(Buffer.from(publicKey, 'base64'));
  return settle(
    { home, output },
    { type: 'AdmitWorker', data: { keyId, publicKey, label } },
    `${label} (${keyId}) is admitted: what it signs is taken from now on`,
  );
};

const dismiss = async (
  session: Pick<Session, 'home' | 'output'>,
  keyId: string,
  reason: string,
): Promise<ExitCode> => {
  const place = { stream: FLEET, type: 'WorkerDismissed' };
  const sealed = await sealReason(session.home, reason, place);
  if (!sealed.ok) return refuse(session.output, sealed.error);
  return settle(
    session,
    { type: 'DismissWorker', data: { keyId, reason: sealed.value } },
    `${keyId} is dismissed: nothing that it signs is taken any more`,
    { keyId, reason },
  );
};

type FleetCommand = Parameters<Session['home']['fleet']['send']>[1];
type Said<C> = C extends FleetCommand ? Omit<C, 'id'> : never;

const settle = async (
  { home, output }: Pick<Session, 'home' | 'output'>,
  command: Said<FleetCommand>,
  said: string,
  shown: object = command.data,
): Promise<ExitCode> => {
  const sent = await home.fleet.send(FLEET, { ...command, id: randomUUID() }, LOCAL_OPERATOR);
  if (!sent.ok) return refuse(output, sent.error);
  if (output.json) jsonLine(output, shown);
  else output.line(said);
  return EXIT.done;
};
