import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventTypes, openSqliteEventLog, type EventLog, type Recovery } from '#libs/event-log';
import { inProcessQueue, trainingWorker, type TrainingQueue } from '#libs/jobs';
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
  /** What opening the log had to drop: never an acknowledged event. */
  readonly recovered: Recovery;
  readonly studies: ReturnType<typeof studyStreams>;
  readonly runs: ReturnType<typeof runStreams>;
  readonly findings: ReturnType<typeof findingStreams>;
  readonly sourceTree: SourceTree;
  readonly views: ReadModels;
  readonly clock: Clock;
  readonly keys: { readonly runner: SigningKey; readonly worker: SigningKey };
  /** Trainings need the sandbox, which reading the ledger does not: opened at first use. */
  readonly queue: () => Promise<Result<TrainingQueue, Refusal>>;
  readonly keyFolder: string;
  close(): Promise<void>;
}

export interface HomeOptions {
  readonly folder: string;
  readonly clock?: Clock;
  /** Stands between the home and its log: fault tests stop the process at an append. */
  readonly throughLog?: (log: EventLog) => EventLog;
  /** Default: this machine's. */
  readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
}

/** The Node binary that runs the programs: the one that runs Holdfast, which the lock file pins. */
export const RUNTIME = process.execPath;

export const openHome = async ({
  folder: given,
  clock = systemClock,
  throughLog = (log) => log,
  sandbox: findSandbox = openSandbox,
}: HomeOptions): Promise<Result<Home, Refusal>> => {
  const folder = resolve(given);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeFile(join(folder, '.gitignore'), '*\n');
  const keyFolder = join(folder, 'keys');
  const runner = await openKey(keyFolder, 'runner');
  if (!runner.ok) return runner;
  const worker = await openKey(keyFolder, 'worker');
  if (!worker.ok) return worker;
  const opened = openSqliteEventLog(join(folder, 'log.sqlite'), eventTypes(EVENT_TYPES));
  if (!opened.ok) return opened;

  const log = throughLog(opened.value.log);
  const sourceTree = await openSourceTree({ dir: join(folder, 'objects.git') });
  const views = await openReadModels(join(folder, 'views.sqlite'));
  let queue: TrainingQueue | null = null;
  return ok({
    folder,
    log,
    recovered: opened.value.recovered,
    studies: studyStreams(log, clock),
    runs: runStreams(log, clock),
    findings: findingStreams(log, clock),
    sourceTree,
    views,
    clock,
    keys: { runner: runner.value, worker: worker.value },
    queue: async () => {
      if (queue !== null) return ok(queue);
      const sandbox = await findSandbox();
      if (!sandbox.ok) return sandbox;
      queue = inProcessQueue(
        trainingWorker({ sourceTree, sandbox: sandbox.value, key: worker.value, runtime: RUNTIME }),
      );
      return ok(queue);
    },
    keyFolder,
    close: async () => {
      await views.close();
      await log.close();
    },
  });
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
