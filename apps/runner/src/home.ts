import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventTypes } from '#libs/event-log';
import { sandboxExecutor } from '#libs/executors';
import { trustedKey } from '#libs/fleet';
import {
  inProcessQueue,
  openBullTrainingQueue,
  redisConnection,
  removeStaleFolders,
  trainingWorker,
  type BullTrainingQueue,
  type RedisConnection,
  type TrainingQueue,
} from '#libs/jobs';
import { ok, refused, type NewEvent, type Refusal, type Result } from '#libs/kernel';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import type { EnvironmentRecord } from '#libs/run';
import { openSandbox, runtimeDigest, type Sandbox } from '#libs/sandbox';
import { openKey, type SigningKey } from '#libs/signatures';
import { DEFAULT_PRIORITY } from '#libs/studies';
import { activeTraceparent } from '#libs/telemetry';
import { openLedger, type Ledger, type LedgerOptions } from './ledger.ts';
import { FLEET } from './streams.ts';
import { VERSION } from './version.ts';

/** A ledger, and what only the harness has beside it: the keys that sign, the way to the data, the trainings. */
export interface Home extends Ledger {
  readonly keys: { readonly runner: SigningKey; readonly worker: SigningKey };
  /** Trainings need the sandbox or Redis, which reading the ledger does not: opened at first use. */
  readonly queue: () => Promise<Result<TrainingQueue, Refusal>>;
  /** The public key of a worker that an operator admitted to the fleet; null for any other. */
  readonly admittedKey: (keyId: string) => Promise<string | null>;
  /** What trainings run on, pinned by each run that is opened here. */
  readonly environment: () => Promise<EnvironmentRecord>;
  readonly keyFolder: string;
  /** PostgreSQL that holds the tables of studies, null where there is none; and where snapshots of them lie. */
  readonly dataUrl: string | null;
  readonly snapshots: string;
  /** Folder that holds the studies which are registered over HTTP; null: this host has none. */
  readonly studiesFolder: string | null;
}

export interface HomeOptions extends LedgerOptions {
  readonly studiesFolder?: string | null;
  /** Connection string of the PostgreSQL that holds the tables of studies. Never shown. */
  readonly dataUrl?: string | null;
  /** Redis that hands trainings to workers on other hosts; null: they run in this process. Never shown. */
  readonly redis?: string | null;
  /** `name@sha256:…` of the containers that trainings run in; null: they run on this process's own Node. */
  readonly trainingImage?: string | null;
  /** What an operator should know of trainings: one line of text. */
  readonly onNotice?: (notice: string) => void;
  /** Stands between the home and its trainings on Redis, for fault tests. */
  readonly throughQueue?: (queue: TrainingQueue) => TrainingQueue;
  /** Default: this machine's. */
  readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
}

/** Folder of the snapshots, below the home folder. */
export const SNAPSHOTS = 'snapshots';

/** The Node binary that runs the programs: the one that runs Holdfast, which the lock file pins. */
export const RUNTIME = process.execPath;

export const openHome = async ({
  redis = null,
  trainingImage = null,
  onNotice = () => undefined,
  sandbox = openSandbox,
  throughQueue = (queue) => queue,
  studiesFolder = null,
  dataUrl = null,
  ...options
}: HomeOptions): Promise<Result<Home, Refusal>> => {
  const connection = redis === null ? null : redisConnection(redis);
  if (connection?.ok === false) return connection;
  const opened = await openLedger(options);
  if (!opened.ok) return opened;
  const ledger = opened.value;
  const keyFolder = join(ledger.folder, 'keys');
  const keys = await openKeys(keyFolder);
  if (!keys.ok) {
    await ledger.close();
    return keys;
  }
  const admittedKey = async (keyId: string): Promise<string | null> =>
    trustedKey((await ledger.fleet.load(FLEET)).state, keyId);
  const elsewhere =
    connection === null
      ? null
      : await queueElsewhere(ledger, { connection: connection.value, admittedKey, onNotice });
  let here: ReturnType<Home['queue']> | null = null;
  return ok({
    ...ledger,
    keys: keys.value,
    queue: async () => {
      if (elsewhere !== null) return ok(throughQueue(elsewhere));
      // One queue, however many ask for it at once; after a refusal it is looked for again.
      here ??= queueHere(ledger, keys.value.worker, sandbox);
      const queue = await here;
      if (!queue.ok) here = null;
      return queue;
    },
    admittedKey,
    environment: () => environmentRecord(trainingImage),
    keyFolder,
    dataUrl,
    snapshots: join(ledger.folder, SNAPSHOTS),
    studiesFolder,
    close: async () => {
      await elsewhere?.close();
      await ledger.close();
    },
  });
};

/** Trainings one after the other in this process, contained by this machine's sandbox. */
export const queueHere = async (
  { sourceTree }: Pick<Ledger, 'sourceTree'>,
  key: SigningKey,
  findSandbox: NonNullable<HomeOptions['sandbox']>,
): Promise<Result<TrainingQueue, Refusal>> => {
  const sandbox = await findSandbox();
  if (!sandbox.ok) return sandbox;
  const executor = await sandboxExecutor({
    sandbox: sandbox.value,
    node: RUNTIME,
    version: process.version,
  });
  if (!executor.ok) return executor;
  await removeStaleFolders();
  return ok(
    inProcessQueue(
      trainingWorker({ sourceTree, executor: executor.value, key }),
      executor.value.layers,
    ),
  );
};

interface Elsewhere extends Pick<Home, 'admittedKey'> {
  readonly connection: RedisConnection;
  readonly onNotice: (notice: string) => void;
}

/** The trainings on Redis, seen from a process that asks for none: what workers announce, what was set aside. */
export const watchTrainings = async (
  ledger: Ledger,
  redis: string,
  onNotice: (notice: string) => void,
): Promise<
  Result<Pick<BullTrainingQueue, 'deadLetters' | 'fleetAnnouncements' | 'close'>, Refusal>
> => {
  const connection = redisConnection(redis);
  if (!connection.ok) return connection;
  // It is given no result: whom to trust is not its business.
  const admittedKey = async (): Promise<null> => null;
  return ok(await queueElsewhere(ledger, { connection: connection.value, admittedKey, onNotice }));
};

/** Trainings by workers that an operator admitted, ranked by their studies. */
const queueElsewhere = async (
  { sourceTree, studies }: Ledger,
  { connection, admittedKey, onNotice }: Elsewhere,
): Promise<BullTrainingQueue> => {
  const priorities = new Map<string, number>();
  const types = eventTypes(EVENT_TYPES);
  const queue = await openBullTrainingQueue({
    connection,
    sourceTree,
    trusted: admittedKey,
    problems: ({ type, data }) =>
      types
        .problems(
          { type, data, metadata: { schemaVersion: schemaVersionOf(type) } } as NewEvent,
          type,
        )
        .map(({ path, message }) => `${path} ${message}`),
    priorityOf: (studyId) => priorities.get(studyId) ?? DEFAULT_PRIORITY,
    traceparent: activeTraceparent,
    onNotice,
  });
  return {
    ...queue,
    run: async (job, onProgress, waiting) => {
      priorities.set(job.studyId, (await studies.load(job.studyId)).state.priority);
      return queue.run(job, onProgress, waiting);
    },
  };
};

/** What trainings run on: an image by its digest, or the Node of this very process. */
export const environmentRecord = async (
  trainingImage: string | null,
): Promise<EnvironmentRecord> => {
  const image = /^(.+)@sha256:([0-9a-f]{64})$/.exec(trainingImage ?? '');
  return {
    holdfast: VERSION,
    runtime:
      image === null
        ? { name: 'node', version: process.version, sha256: await runtimeDigest(RUNTIME) }
        : { name: 'oci-image', version: image[1] ?? '', sha256: image[2] ?? '' },
    platform: process.platform,
    architecture: process.arch,
  };
};

const openKeys = async (folder: string): Promise<Result<Home['keys'], Refusal>> => {
  const runner = await openKey(folder, 'runner');
  if (!runner.ok) return runner;
  const worker = await openKey(folder, 'worker');
  return worker.ok ? ok({ runner: runner.value, worker: worker.value }) : worker;
};

/** Where a study lies on this machine: a convenience for `--resume`, never a truth. */
export const rememberStudyFile = async (
  home: Home,
  studyId: string,
  file: string,
): Promise<void> => {
  const folder = join(home.folder, 'studies');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, studyId), file);
};

export const recallStudyFile = async (
  home: Home,
  studyId: string,
): Promise<Result<string, Refusal>> => {
  try {
    return ok(await readFile(join(home.folder, 'studies', studyId), 'utf8'));
  } catch {
    return refused({
      code: 'study-unknown',
      message: `found no place for study ${studyId} in ${home.folder}, expected one noted by an earlier run; name the study's folder`,
    });
  }
};
