import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventTypes, openSqliteEventLog, type EventLog } from '#libs/event-log';
import { fleetDecider, trustedKey, type FleetEvent } from '#libs/fleet';
import { inProcessQueue, removeStaleFolders, trainingWorker, type TrainingQueue } from '#libs/jobs';
import { ok, refused, systemClock, type Clock, type Refusal, type Result } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { openReadModels, type ReadModels } from '#libs/read-models';
import { openSandbox, type Sandbox } from '#libs/sandbox';
import { openKey, type SigningKey } from '#libs/signatures';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import { findingStreams, runStreams, studyStreams } from './streams.ts';

/**
 * One folder that holds everything of the embedded default: the log, the views, the bare repository, the keys.
 * Made readable by its owner only, and ignored by git wherever it lies.
 */
export interface Home {
  readonly folder: string;
  readonly log: EventLog;
  /** What opening had to drop or set aside, for people: never an acknowledged event. */
  readonly notices: readonly string[];
  readonly studies: ReturnType<typeof studyStreams>;
  readonly runs: ReturnType<typeof runStreams>;
  readonly findings: ReturnType<typeof findingStreams>;
  readonly sourceTree: SourceTree;
  readonly views: ReadModels;
  readonly clock: Clock;
  readonly keys: { readonly runner: SigningKey; readonly worker: SigningKey };
  /** Trainings need the sandbox, which reading the ledger does not: opened at first use. */
  readonly queue: () => Promise<Result<TrainingQueue, Refusal>>;
  /** The public key of a worker that an operator admitted to the fleet; null for any other. */
  readonly admittedKey: (keyId: string) => Promise<string | null>;
  readonly keyFolder: string;
  close(): Promise<void>;
}

export interface HomeOptions {
  readonly folder: string;
  /** Whether a home that isn't there is made; reading verbs make none. Default: true. */
  readonly make?: boolean;
  readonly clock?: Clock;
  /** Stands between the home and its log: fault tests stop the process at an append. */
  readonly throughLog?: (log: EventLog) => EventLog;
  /** Default: this machine's. */
  readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
  /** Trainings go elsewhere: to workers on other hosts. Default: one after the other, in this process. */
  readonly queue?: (home: {
    readonly sourceTree: SourceTree;
    readonly admittedKey: Home['admittedKey'];
  }) => Promise<Result<TrainingQueue, Refusal>>;
}

/** The Node binary that runs the programs: the one that runs Holdfast, which the lock file pins. */
export const RUNTIME = process.execPath;

export const openHome = async ({
  folder: given,
  make = true,
  clock = systemClock,
  throughLog = (log) => log,
  sandbox: findSandbox = openSandbox,
  queue: openQueue,
}: HomeOptions): Promise<Result<Home, Refusal>> => {
  const folder = resolve(given);
  const laid = await layFolder(folder, make);
  if (!laid.ok) return laid;
  const keyFolder = join(folder, 'keys');
  const runner = await openKey(keyFolder, 'runner');
  if (!runner.ok) return runner;
  const worker = await openKey(keyFolder, 'worker');
  if (!worker.ok) return worker;
  const opened = openSqliteEventLog(join(folder, 'log.sqlite'), eventTypes(EVENT_TYPES));
  if (!opened.ok) return opened;

  const log = throughLog(opened.value.log);
  const sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
  const { views, setAside } = await openViews(join(folder, 'views.sqlite'));
  const admittedKey = async (keyId: string): Promise<string | null> => {
    let fleet = fleetDecider.initialState;
    for await (const event of log.readStream<FleetEvent>('fleet'))
      fleet = fleetDecider.evolve(fleet, event as unknown as FleetEvent);
    return trustedKey(fleet, keyId);
  };
  let queue: TrainingQueue | null = null;
  let elsewhere: ReturnType<NonNullable<HomeOptions['queue']>> | null = null;
  return ok({
    folder,
    log,
    notices: [opened.value.recovered.message, setAside].filter((notice) => notice !== null),
    studies: studyStreams(log, clock),
    runs: runStreams(log, clock),
    findings: findingStreams(log, clock),
    sourceTree,
    views,
    clock,
    keys: { runner: runner.value, worker: worker.value },
    queue: async () => {
      if (queue !== null) return ok(queue);
      if (openQueue !== undefined) {
        // One queue, however many ask for it at once; a refusal is asked for again.
        elsewhere ??= openQueue({ sourceTree, admittedKey });
        const found = await elsewhere;
        if (!found.ok) elsewhere = null;
        return found;
      }
      const sandbox = await findSandbox();
      if (!sandbox.ok) return sandbox;
      await removeStaleFolders();
      queue = inProcessQueue(
        trainingWorker({ sourceTree, sandbox: sandbox.value, key: worker.value, runtime: RUNTIME }),
      );
      return ok(queue);
    },
    admittedKey,
    keyFolder,
    close: async () => {
      await views.close();
      await log.close();
    },
  });
};

/** Makes the folder, or takes one that is a home already; never one that holds something else. */
const layFolder = async (folder: string, make: boolean): Promise<Result<null, Refusal>> => {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.includes('log.sqlite') === true) return ok(null);
  if (!make)
    return refused({
      code: 'home-missing',
      message: `found no log in ${folder}, expected the home of an earlier run; open one with "holdfast run", or name another home with --home`,
    });
  // An earlier opening may have been stopped before the log was made.
  const foreign = (found ?? []).filter(
    (name) => !OWN_NAMES.includes(name) && !LOG_DRAFT.test(name),
  );
  if (foreign.length > 0)
    return refused({
      code: 'home-foreign',
      message: `found ${foreign.slice(0, 3).join(', ')} in ${folder}, expected an empty folder or a home; name another one with --home`,
    });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeFile(join(folder, '.gitignore'), '*\n');
  return ok(null);
};

const OWN_NAMES: readonly string[] = ['.gitignore', 'keys', 'objects.git', 'studies'];

/** What a process that was killed while it made the log leaves beside it. */
const LOG_DRAFT = /^log\.sqlite\.\d+\.new(?:-journal|-wal|-shm)?$/;

/** Views can be made anew at any time, so a damaged file is set aside and never keeps anybody from the log. */
const openViews = async (
  path: string,
): Promise<{ readonly views: ReadModels; readonly setAside: string | null }> => {
  try {
    return { views: await openReadModels(path), setAside: null };
  } catch (error) {
    if (!(error instanceof Error && /malformed|not a database/.test(error.message))) throw error;
    const aside = `${path}.damaged-${Date.now()}`;
    await rename(path, aside);
    return {
      views: await openReadModels(path),
      setAside: `the views were damaged (${error.message}); they are made anew from the log, the old file is ${aside}`,
    };
  }
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
