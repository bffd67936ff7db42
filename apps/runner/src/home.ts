import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sandboxExecutor } from '#libs/executors';
import { inProcessQueue, removeStaleFolders, trainingWorker, type TrainingQueue } from '#libs/jobs';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { openSandbox, type Sandbox } from '#libs/sandbox';
import { openKey, type SigningKey } from '#libs/signatures';
import { openLedger, type Ledger, type LedgerOptions } from './ledger.ts';

/** A ledger, and what only the harness has beside it: the keys that sign, the way to the data, the trainings. */
export interface Home extends Ledger {
  readonly keys: { readonly runner: SigningKey; readonly worker: SigningKey };
  /** Trainings need the sandbox, which reading the ledger does not: opened at first use. */
  readonly queue: () => Promise<Result<TrainingQueue, Refusal>>;
  readonly keyFolder: string;
  /** Folder that holds the studies which are registered over HTTP; null: this host has none. */
  readonly studiesFolder: string | null;
}

export interface HomeOptions extends LedgerOptions {
  readonly studiesFolder?: string | null;
  /** Default: this machine's. */
  readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
}

/** The Node binary that runs the programs: the one that runs Holdfast, which the lock file pins. */
export const RUNTIME = process.execPath;

export const openHome = async ({
  sandbox: findSandbox = openSandbox,
  studiesFolder = null,
  ...options
}: HomeOptions): Promise<Result<Home, Refusal>> => {
  const opened = await openLedger(options);
  if (!opened.ok) return opened;
  const ledger = opened.value;
  const keyFolder = join(ledger.folder, 'keys');
  const keys = await openKeys(keyFolder);
  if (!keys.ok) {
    await ledger.close();
    return keys;
  }
  const { worker } = keys.value;
  let queue: TrainingQueue | null = null;
  return ok({
    ...ledger,
    keys: keys.value,
    queue: async () => {
      if (queue !== null) return ok(queue);
      const sandbox = await findSandbox();
      if (!sandbox.ok) return sandbox;
      const executor = await sandboxExecutor({
        sandbox: sandbox.value,
        node: RUNTIME,
        version: process.version,
      });
      if (!executor.ok) return executor;
      await removeStaleFolders();
      queue = inProcessQueue(
        trainingWorker({
          sourceTree: ledger.sourceTree,
          executor: executor.value,
          key: worker,
        }),
      );
      return ok(queue);
    },
    keyFolder,
    studiesFolder,
  });
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
