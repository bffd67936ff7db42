import { chmod, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePredictions } from '#libs/evaluator';
import { executionRecord, lockFileOf, type Executor, type LockFile } from '#libs/executors';
import { missingLayers } from '#libs/harness';
import type { ArtefactRef, Signature } from '#libs/kernel';
import type { TrainingFailure, TrainingResult } from '#libs/run';
import { SandboxUnavailable, type SandboxOutcome } from '#libs/sandbox';
import { sign, type SigningKey } from '#libs/signatures';
import type { SourceTree } from '#libs/source-tree';
import { classify, crashSite } from './classify.ts';
import type { TrainingJob, TrainingProgress } from './port.ts';

const MEBIBYTE = 1024 * 1024;
const LOG_BYTES = 256 * 1024;
const OPEN_FILES = 128;
const PROGRAM = 'program';
const PREDICTIONS = 'predictions.csv';
const REPORT = 'report.json';

/** Folders of trainings carry the id of their process, so that what a killed one left can be told and removed. */
export const FOLDER_PREFIX = 'holdfast-training-';

export interface WorkerParts {
  readonly sourceTree: SourceTree;
  readonly executor: Executor;
  readonly key: SigningKey;
  /** Ends the training without a result. */
  readonly signal?: AbortSignal;
}

/**
 * Takes one training from its pinned tree to its signed result: materialises the tree, runs the program contained,
 * keeps what it wrote as artefacts, and says how it ended. A result never carries a score: that is the evaluator's.
 * Throws SandboxUnavailable, and runs nothing, where the executor lacks a layer that the job demands.
 */
export const trainingWorker =
  ({ sourceTree, executor, key, signal }: WorkerParts) =>
  async (
    job: TrainingJob,
    onProgress?: (progress: TrainingProgress) => void,
  ): Promise<TrainingResult> => {
    const missing = missingLayers(job.demanded, executor.layers);
    if (missing.length > 0)
      throw new SandboxUnavailable(
        `the study demands ${missing.join(', ')}, which programs do not have here (${executor.kind}); run "holdfast doctor" there, or have a worker train that has them`,
      );
    const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
    try {
      await chmod(folder, 0o755);
      const readOnly = await layOut(sourceTree, job, folder);
      const lockFile = await lockFileOf(join(folder, PROGRAM));
      const outcome = await executor.run({
        entry: job.entry,
        readOnly,
        owner: { runId: job.runId, trainingId: job.trainingId },
        ...(signal !== undefined && { signal }),
        outputFiles: {
          names: [PREDICTIONS, REPORT],
          maxFiles: 16,
          maxBytes: job.limits.outputMb * MEBIBYTE,
        },
        limits: {
          seconds: job.limits.seconds,
          memoryMb: job.limits.memoryMb,
          processes: job.limits.processes,
          openFiles: OPEN_FILES,
          logBytes: LOG_BYTES,
        },
        onOutput: (line) => {
          const progress = progressOf(job.trainingId, line);
          if (progress !== null) onProgress?.(progress);
        },
      });
      return await conclude({ sourceTree, executor, key }, job, outcome, lockFile);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

/** Removes this user's folders of trainings whose process is gone. Call it before the first training. */
export const removeStaleFolders = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    // The temporary folder is everybody's: only what is ours is touched, and another cleaner may be faster.
    const found = await lstat(path).catch(() => null);
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    await rm(path, { recursive: true, force: true });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Everything that the program may see: its tree, its task, the cohort table and the cells to predict. */
const layOut = async (sourceTree: SourceTree, job: TrainingJob, folder: string) => {
  const [program, data, task] = [PROGRAM, 'data', 'task'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const written = await sourceTree.materialise(job.tree, program);
  if (!written.ok)
    throw new Error(`the tree ${job.tree} can't be trained: ${written.error.message}`);
  await Promise.all([mkdir(data), mkdir(task)]);
  const { seed, steps, outcome, dimensions } = job;
  await Promise.all([
    writeFile(join(data, 'train.csv'), await blob(sourceTree, job.table)),
    writeFile(join(data, 'cells.csv'), await blob(sourceTree, job.cells)),
    writeFile(
      join(task, 'task.json'),
      JSON.stringify({ seed, steps, seconds: job.limits.seconds, outcome, dimensions }),
    ),
  ]);
  return [
    { from: program, to: '/program' },
    { from: data, to: '/data' },
    { from: task, to: '/task' },
  ];
};

const blob = async (sourceTree: SourceTree, oid: string): Promise<Uint8Array> => {
  const content = await sourceTree.readFile(oid);
  if (!content.ok) throw new Error(`an artefact of the run is gone: ${content.error.message}`);
  return content.value;
};

const progressOf = (trainingId: string, line: string): TrainingProgress | null => {
  const match = /^\{"step":(\d{1,12}),"of":(\d{1,12})\}$/.exec(line);
  return match === null ? null : { trainingId, step: Number(match[1]), of: Number(match[2]) };
};

const conclude = async (
  { sourceTree, executor, key }: WorkerParts,
  job: TrainingJob,
  outcome: SandboxOutcome,
  lockFile: LockFile | null,
): Promise<TrainingResult> => {
  const { trainingId } = job;
  const content = (name: string) => outcome.files.find(({ path }) => path === name)?.content;
  const predictions = content(PREDICTIONS);
  const log = new TextEncoder().encode(
    `${outcome.stdout}\n--- stderr ---\n${outcome.stderr}${outcome.truncated ? '\n(cut)' : ''}\n`,
  );
  const kept = await sourceTree.writeArtefacts({
    ref: `runs/${job.runId}/trainings/${trainingId}`,
    files: { ...(predictions && { [PREDICTIONS]: predictions }), 'log.txt': log },
  });
  if (!kept.ok) throw new Error(`artefacts can't be kept: ${kept.error.message}`);
  const artefact = (name: string): ArtefactRef | undefined =>
    kept.value.files.find(({ path }) => path === name);
  const logRef = artefact('log.txt');
  if (logRef === undefined) throw new Error('the log was not kept');

  const shared = {
    trainingId,
    durationMs: Math.round(outcome.durationMs),
    artefacts: kept.value.tree,
    log: logRef,
    isolation: executionRecord(executor, outcome.isolation, lockFile),
  };
  const failed = (failure: TrainingFailure, detail: string): TrainingResult => ({
    type: 'TrainingFailed',
    data: {
      ...signed(key, { ...shared, failure, detail, ...crashSite(outcome.stderr) }),
      note: null,
    },
  });

  const ending = classify(outcome);
  if (ending.kind === 'timed-out')
    return {
      type: 'TrainingTimedOut',
      data: signed(key, { ...shared, seconds: job.limits.seconds }),
    };
  if (ending.kind === 'failed') return failed(ending.failure, ending.detail);

  const parsed = parsePredictions(predictions ?? new Uint8Array(), job.cellCount);
  if (!parsed.ok) return failed(parsed.error.code, parsed.error.message);
  const predictionsRef = artefact(PREDICTIONS);
  if (predictionsRef === undefined) throw new Error('the predictions were not kept');
  const report = reportOf(content(REPORT));
  if (report === null)
    return failed('invalid-predictions', `found no ${REPORT} with "steps", expected {"steps": n}`);
  return {
    type: 'TrainingCompleted',
    data: signed(key, { ...shared, ...report, predictions: predictionsRef }),
  };
};

const reportOf = (bytes: Uint8Array | undefined) => {
  try {
    const report = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { steps, metric } = report;
    return typeof steps === 'number' && Number.isSafeInteger(steps) && steps >= 0
      ? {
          steps,
          selfReported: typeof metric === 'number' && Number.isFinite(metric) ? metric : null,
        }
      : null;
  } catch {
    return null;
  }
};

/** `data` is the attestation of the result: the event's data less the signature. */
const signed = <Data extends object>(
  key: SigningKey,
  data: Data,
): Data & { readonly signature: Signature } => ({
  ...data,
  signature: sign(key, 'training', data),
});
