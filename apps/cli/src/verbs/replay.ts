import { access, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  LOCAL_OPERATOR,
  openBundleFile,
  replayBundle,
  ReplayFinding,
  replayRecord,
  writeWhole,
  type AuditedReplay,
  type DataAtHand,
} from '#apps/runner';
import { readConfig } from '#libs/config';
import type { TrainingProgress } from '#libs/jobs';
import { counted, ok, refused, type Refusal, type Result } from '#libs/kernel';
import { openKey, readKey, type SigningKey } from '#libs/signatures';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { bundleLines } from '../present/bundle.ts';
import { liveLine } from '../present/live-line.ts';
import { clean, wrap } from '../present/text.ts';
import { outputFor, withSession, type CommonOptions, type Session } from '../session.ts';
import { common, type Verb } from '../verb.ts';
import { auditor, isFile, textOf, trustOf, type AuditorOptions } from './verify-bundle.ts';

interface ReplayOptions extends CommonOptions, AuditorOptions {
  readonly finding?: string;
  readonly data?: string;
  readonly splitKey?: string;
  readonly record?: string;
  readonly signWith?: string;
}

export const replayVerb: Verb = (program, done) => {
  auditor(common(program.command('replay <finding-or-bundle>')))
    .description(
      'train the pinned tree again for the recorded steps and compare predictions; of a finding of the home, or of a bundle alone',
    )
    .option('--finding <id>', 'which finding of a bundle that holds several')
    .option(
      '--data <file>',
      'the rows of the study, for a bundle: refused unless they are those of the run',
    )
    .option(
      '--split-key <file>',
      'the key that splits these rows, which the operator may give you: metric and claim are then computed anew',
    )
    .option('--record <file>', 'where the signed record goes (default: <finding>.replay.json)')
    .option(
      '--sign-with <file>',
      "the key (PEM) that signs the record (default: replayer.pem in the home's keys, made at first use)",
    )
    .addHelpText(
      'after',
      `
A file is a bundle: it is verified with the key that you give, as verify does, and what a verified bundle holds is trained
again in this machine's sandbox. Nothing else is opened or asked. Of a finding of the home the replay is recorded in the log.

Exit codes: 0 bit-exact or within tolerance, 1 not reproducible, a metric or claim that differs, or a bundle's verdict is
BLOCK, 2 bad input, 3 no sandbox. The metric is recomputed where the rows of the study are at hand; a bundle holds none, so
that an auditor brings them with --data and --split-key.`,
    )
    .action(async (given: string, options: ReplayOptions) =>
      done(
        (await isFile(given))
          ? replayBundleFile(outputFor(options), given, options)
          : replayOfHome(given, options),
      ),
    );
};

/** Says how far a training is, where lines can be redrawn. */
const watching = (output: Output) => {
  const progress = output.live ? liveLine(output.write, output.width) : null;
  return {
    onProgress: ({ step, of }: TrainingProgress): void =>
      progress?.draw(`training again: step ${step} of ${of}`),
    clear: (): void => progress?.clear(),
  };
};

/** Another machine is no fault by itself: the predictions show whether it matters. */
const exitOf = ({ rows }: Pick<AuditedReplay, 'rows'>): ExitCode =>
  rows.some(({ row, outcome }) => row !== 'environment' && outcome === 'differs')
    ? EXIT.blocked
    : EXIT.done;

const replayOfHome = async (findingId: string, options: ReplayOptions): Promise<ExitCode> =>
  options.data === undefined && options.splitKey === undefined
    ? withSession(options, (session) => replay(session, findingId))
    : refuse(outputFor(options), {
        code: 'usage',
        message: `found --data or --split-key with ${findingId}, which is no file; expected them with a bundle: a finding of the home is measured on its study's own rows`,
      });

const replay = async (session: Session, findingId: string): Promise<ExitCode> => {
  const { commands, output } = session;
  const { onProgress, clear } = watching(output);
  const replayed = await commands
    .execute(new ReplayFinding(findingId, LOCAL_OPERATOR, onProgress))
    .finally(clear);
  if (!replayed.ok) return refuse(output, replayed.error);
  if (output.json) jsonLine(output, replayed.value);
  else {
    sayReplay(output, replayed.value);
    const { notRecorded } = replayed.value;
    output.line(notRecorded === null ? 'recorded in the log' : `not recorded: ${notRecorded}`);
  }
  return exitOf(replayed.value);
};

/** Trains a bundle's finding again: no home, log, repository or configuration is opened, but for the key that signs. */
const replayBundleFile = async (
  output: Output,
  path: string,
  options: ReplayOptions,
): Promise<ExitCode> => {
  const trust = await trustOf(options);
  if (!trust.ok) return refuse(output, trust.error);
  const data = await dataGiven(options);
  if (!data.ok) return refuse(output, data.error);
  const { onProgress, clear } = watching(output);
  const recordOf = (findingId: string): string => options.record ?? `${findingId}.replay.json`;
  const held: { signer: Signer | null } = { signer: null };
  /** Minutes of training are not to end with a record that has no place or no key. */
  const beforeTraining = async (findingId: string): Promise<Result<unknown, Refusal>> => {
    const free = await freePlace(recordOf(findingId));
    if (!free.ok) return free;
    const key = await signingKey(options);
    if (key.ok) held.signer = key.value;
    return key;
  };
  const file = openBundleFile(path);
  try {
    const replayed = await replayBundle({
      ...{ source: file.source, trust: trust.value, onProgress },
      ...{ findingId: options.finding ?? null, data: data.value },
      beforeTraining,
    }).finally(clear);
    if (!replayed.ok) return refuse(output, replayed.error);
    const { sha256, verdict, replay: again } = replayed.value;
    const { signer } = held;
    if (again === null || signer === null) {
      if (output.json)
        jsonLine(output, { bundle: { sha256, ...verdict }, replay: null, record: null });
      else {
        for (const line of bundleLines(output.style, verdict)) output.line(line);
        output.line('nothing was trained: the bundle does not verify');
      }
      return EXIT.blocked;
    }
    const place = recordOf(again.findingId);
    const time = new Date().toISOString();
    const written = await writeWhole(place, replayRecord({ sha256 }, again, signer.key, time));
    const { keyId, publicKey } = signer.key;
    const record = written.ok ? { file: place, keyId, publicKey } : null;
    if (output.json) {
      const error = written.ok ? {} : { error: written.error };
      jsonLine(output, { bundle: { sha256, ...verdict }, replay: again, record, ...error });
    } else {
      output.line(`bundle verified: ${clean(path)}, sha256 ${sha256}`);
      sayReplay(output, again);
      if (record !== null) {
        output.line(`record  ${place}`);
        output.line(`signed with ${signer.from}, key ${keyId}, public key ${publicKey}`);
      }
    }
    if (!written.ok) return output.json ? EXIT.badInput : refuse(output, written.error);
    return exitOf(again);
  } finally {
    file.close();
  }
};

/** Longer is no split key, and is not read. */
const MOST_KEY_BYTES = 1024;

/** The rows that the auditor names, with their key where he has it. */
const dataGiven = async ({
  data,
  splitKey,
}: ReplayOptions): Promise<Result<DataAtHand | null, Refusal>> => {
  if (data === undefined)
    return splitKey === undefined
      ? ok(null)
      : refused({
          code: 'usage',
          message: 'found --split-key without --data, expected the rows that it splits as well',
        });
  if (splitKey === undefined) return ok({ file: data, splitKey: null });
  const size = await stat(splitKey).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );
  const key =
    size === null || size > MOST_KEY_BYTES ? null : await readFile(splitKey).catch(() => null);
  if (key !== null) return ok({ file: data, splitKey: key });
  const found =
    size === null
      ? 'no file'
      : size > MOST_KEY_BYTES
        ? `${size} bytes`
        : 'a file that can not be read';
  return refused({
    code: 'split-key-unreadable',
    message: `found ${found} at ${splitKey}, expected a split key as the operator's keys folder holds it; name its file with --split-key`,
  });
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const freePlace = async (path: string): Promise<Result<null, Refusal>> => {
  if (await isThere(path))
    return refused({
      code: 'file-exists',
      message: `found ${path} there already, expected a name that is free for the record; delete it or choose another one with --record`,
    });
  if (!(await isThere(dirname(path))))
    return refused({
      code: 'folder-missing',
      message: `found no folder ${dirname(path)}, expected one to write the record to; make it first`,
    });
  return ok(null);
};

interface Signer {
  readonly key: SigningKey;
  /** The file that holds it. */
  readonly from: string;
}

/** The key of whoever replays: his own word, not the operator's. */
const signingKey = async ({ signWith, home }: ReplayOptions): Promise<Result<Signer, Refusal>> => {
  if (signWith !== undefined) {
    const text = await textOf(signWith);
    const key = text.ok ? readKey(text.value) : text;
    return key.ok ? ok({ key: key.value, from: signWith }) : key;
  }
  const folder = join(resolve(home ?? readConfig().home), 'keys');
  const key = await openKey(folder, 'replayer');
  return key.ok ? ok({ key: key.value, from: join(folder, 'replayer.pem') }) : key;
};

const SIGNS = { same: '✓', 'within-tolerance': '≈', differs: '✗', attested: '·' } as const;

const sayReplay = (
  { line, width, style: { paint } }: Output,
  { findingId, tree, steps, class: outcome, rows }: AuditedReplay,
): void => {
  const good = outcome !== 'not-reproducible';
  line(`${paint.bold(good ? paint.green(outcome) : paint.red(outcome))}   ${clean(findingId)}`);
  line(paint.dim(`         tree ${tree.slice(0, 12)} trained again for ${counted(steps, 'step')}`));
  for (const { row, outcome: said, found, expected } of rows) {
    const paintRow = {
      same: paint.green,
      differs: paint.red,
      'within-tolerance': paint.yellow,
      attested: paint.dim,
    };
    const before = ' '.repeat(24);
    const [first = '', ...more] = wrap(clean(found), width - before.length);
    line(`         ${paintRow[said](SIGNS[said])} ${row.padEnd(12)} ${first}`);
    for (const rest of more) line(`${before}${rest}`);
    if (said === 'differs')
      for (const rest of wrap(`expected ${clean(expected)}`, width - before.length))
        line(paint.dim(`${before}${rest}`));
  }
};
