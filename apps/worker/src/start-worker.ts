import {
  bullTrainingWorker,
  removeStaleFolders,
  trainingWorker,
  type BullTrainingWorkerOptions,
  type Device,
  type TrainingRuntime,
} from '#libs/jobs';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { openSandbox, runtimeDigest, type Sandbox } from '#libs/sandbox';
import { openKey } from '#libs/signatures';
import { onDevice } from './on-device.ts';

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
  /** GPUs to take trainings for, one at a time each. Default: none. */
  readonly devices?: readonly Device[];
  /** Path of the Node binary that runs the programs. Default: the one that runs this. */
  readonly runtime?: string;
  /** Default: this machine's. */
  readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
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
 * Refused where this machine has no sandbox, or others can read the key.
 *
 * @example
 * const worker = await startWorker({ connection, keyFolder: '/var/lib/holdfast/keys', label: 'gpu-1', version });
 * if (!worker.ok) return report(worker.error.message);
 * process.once('SIGTERM', () => void worker.value.close(60_000));
 */
export const startWorker = async ({
  keyFolder,
  devices = [],
  runtime: path = process.execPath,
  sandbox: findSandbox = openSandbox,
  ...options
}: WorkerOptions): Promise<Result<RunningWorker, Refusal>> => {
  const key = await openKey(keyFolder, 'worker');
  if (!key.ok) return key;
  const sandbox = await findSandbox();
  if (!sandbox.ok) return sandbox;
  await removeStaleFolders();
  const runtime: TrainingRuntime = {
    name: 'node',
    version: process.version,
    sha256: await runtimeDigest(path),
  };
  const { keyId, publicKey } = key.value;
  const { ready, close } = bullTrainingWorker({
    ...options,
    runtime,
    devices,
    key: key.value,
    executor: sandbox.value.report.kind,
    work: ({ sourceTree, device, signal }) =>
      trainingWorker({
        sourceTree,
        sandbox: onDevice(sandbox.value, runtime, device, signal),
        key: key.value,
        runtime: path,
      }),
  });
  return ok({ keyId, publicKey, runtime, ready, close });
};
