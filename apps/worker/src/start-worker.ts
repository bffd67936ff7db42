import {
  openBullTrainingWorker,
  removeStaleFolders,
  trainingWorker,
  type BullTrainingWorkerOptions,
  type TrainingRuntime,
} from '#libs/jobs';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { openKey } from '#libs/signatures';
import { inTraceOf } from '#libs/telemetry';
import { openExecutors, type Place } from './open-executors.ts';

/** Everything that a worker has to be told; it reads no environment and no configuration of its own. */
export interface WorkerOptions extends Pick<
  BullTrainingWorkerOptions,
  | 'connection'
  | 'prefix'
  | 'label'
  | 'version'
  | 'concurrency'
  | 'limiter'
  | 'lockMs'
  | 'lostCheckMs'
  | 'maxLost'
  | 'keepSeconds'
  | 'heartbeatMs'
  | 'progressMs'
  | 'onNotice'
> {
  /** Where its key lies, made at first use: on this host alone. */
  readonly keyFolder: string;
  /** Where the programs run. Default: contained on this host. */
  readonly place?: Place;
}

export interface RunningWorker {
  /** What an operator admits: compare it with what this host prints. */
  readonly keyId: string;
  /** Base64 of the raw 32 bytes. */
  readonly publicKey: string;
  /** The worker takes trainings of runs that pinned this one, no others. */
  readonly runtime: TrainingRuntime;
  /** Resolves once Redis is there and trainings are taken. */
  readonly ready: Promise<void>;
  /** Takes no more, lets what is under way end for so long, hands back the rest, lets go of Redis. */
  readonly close: (graceMs: number) => Promise<void>;
}

/**
 * Starts a worker: it takes trainings from Redis, runs them contained, signs what came of them. It knows Redis and
 * nothing else: no log, no repository, no vault.
 *
 * Refused where programs can't be contained, a device can't be read or given out, or others can read the key.
 *
 * @example
 * const worker = await startWorker({ connection, keyFolder: '/var/lib/holdfast/keys', label: 'gpu-1', version });
 * if (!worker.ok) return report(worker.error.message);
 * process.once('SIGTERM', () => void worker.value.close(60_000));
 */
export const startWorker = async ({
  keyFolder,
  place = { kind: 'sandbox' },
  ...options
}: WorkerOptions): Promise<Result<RunningWorker, Refusal>> => {
  const key = await openKey(keyFolder, 'worker');
  if (!key.ok) return key;
  const { keyId, publicKey } = key.value;
  await removeStaleFolders();
  const executors = await openExecutors(place, keyId);
  if (!executors.ok) return executors;
  const { devices, of, notices } = executors.value;
  for (const notice of notices) options.onNotice?.(notice);
  const { runtime, kind, layers } = of(devices[0] ?? null);
  const { ready, close } = await openBullTrainingWorker({
    ...options,
    runtime,
    devices,
    key: key.value,
    executor: kind,
    layers,
    work: ({ sourceTree, device, signal, traceparent }) => {
      const run = trainingWorker({ sourceTree, executor: of(device), key: key.value, signal });
      return (job, onProgress) =>
        inTraceOf(
          traceparent,
          { name: 'training', attributes: { 'holdfast.run': job.runId, 'holdfast.worker': keyId } },
          () => run(job, onProgress),
        );
    },
  });
  return ok({ keyId, publicKey, runtime, ready, close });
};
