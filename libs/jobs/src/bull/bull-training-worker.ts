import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import type { Device } from '#libs/executors';
import type { SourceTree } from '#libs/source-tree';
import type { TrainingProgress, TrainingQueue, TrainingRuntime } from '../port.ts';
import { FOLDER_PREFIX } from '../training-worker.ts';
import {
  closeSoon,
  messageOf,
  patientOptions,
  redisKeys,
  sparing,
  type RedisConnection,
} from './connection.ts';
import { announce, withdraw } from './fleet.ts';
import { parseJobParcel, type JobParcel } from './job-parcel.ts';
import { openRedis } from './redis-client.ts';
import { packResult } from './result-parcel.ts';
import { openScratch } from './scratch.ts';

/** What one training is run with. */
export interface TrainingSlot {
  /** Holds this training's program and data, and takes what it writes. */
  readonly sourceTree: SourceTree;
  /** The GPU that is this training's alone; null: none. */
  readonly device: Device | null;
  /** W3C trace context of whoever asked for the training; null: it is not traced. */
  readonly traceparent: string | null;
  /** Ends the training: the worker goes away, or the job was given to another one. */
  readonly signal: AbortSignal;
}

export interface BullTrainingWorkerOptions {
  readonly connection: RedisConnection;
  /** As the runner's. Default: `holdfast`. */
  readonly prefix?: string;
  /** What the programs run on here: the worker takes the trainings of runs that pinned this digest, no others. */
  readonly runtime: TrainingRuntime;
  /** The key that signs here. */
  readonly key: { readonly publicKey: string };
  /** The host, as its operator calls it. */
  readonly label: string;
  /** Kind of the executor, for people. */
  readonly executor: string;
  /** What contains the programs here. */
  readonly layers: readonly string[];
  /** Of Holdfast, for people. */
  readonly version: string;
  /** One training at a time for each. */
  readonly devices: readonly Device[];
  /** Trainings at once where there are no devices. Default: 1. */
  readonly concurrency?: number;
  /** Runs a training to its signed result: mostly `trainingWorker`. */
  readonly work: (slot: TrainingSlot) => TrainingQueue['run'];
  /** Trainings that all workers of this runtime together may begin in a time; the same for all of them. */
  readonly limiter?: { readonly max: number; readonly durationMs: number } | null;
  /** A worker that is silent for so long has lost its training. Default: 30,000. */
  readonly lockMs?: number;
  /** How often the workers look for lost trainings, all together: the same for all of them. Default: 15,000. */
  readonly lostCheckMs?: number;
  /** Workers that a training may take with it: then it has failed. Default: 3. */
  readonly maxLost?: number;
  /** How long a result waits for its runner. Default: a day. */
  readonly keepSeconds?: number;
  /** Default: 5,000. */
  readonly heartbeatMs?: number;
  /** At most one progress of a training in this time. Default: 500. */
  readonly progressMs?: number;
  readonly onNotice?: (notice: string) => void;
}

export interface RunningTrainingWorker {
  /** Resolves once it is connected and takes trainings. */
  readonly ready: Promise<void>;
  /**
   * Takes no more trainings, gives the ones under way this long to end, hands back those that don't, so that another
   * worker takes them at once.
   */
  readonly close: (graceMs: number) => Promise<void>;
}

const HANDING_BACK_MS = 5000;
const RESTING_MS = 1000;

interface UnderWay {
  readonly trainingId: string;
  readonly since: string;
  readonly device: Device | null;
  readonly abort: AbortController;
}

/** What `openBullTrainingWorker` opens. */
export const bullTrainingWorker = ({
  connection,
  prefix = 'holdfast',
  runtime,
  key,
  label,
  executor,
  layers,
  version,
  devices,
  concurrency = 1,
  work,
  limiter = null,
  lockMs = 30_000,
  lostCheckMs = 15_000,
  maxLost = 3,
  keepSeconds = 86_400,
  heartbeatMs = 5000,
  progressMs = 500,
  onNotice = () => undefined,
}: BullTrainingWorkerOptions): RunningTrainingWorker => {
  const keys = redisKeys(prefix);
  const notice = sparing(onNotice);
  const redis = openRedis(connection, notice);
  const instance = randomUUID();
  const startedAt = new Date().toISOString();
  const underWay = new Set<UnderWay>();
  const standing = { leaving: false };
  const isLeaving = (): boolean => standing.leaving;

  const handBack = async (job: Job, token: string | undefined): Promise<never> => {
    // Not by way of the delayed ones: those wait for a time, which two hosts need not agree on.
    await job.moveToWait(token);
    onNotice(`training ${job.id} is handed back: this worker goes away`);
    throw new WaitingError();
  };

  const perform = async (job: Job<unknown>, token: string | undefined, device: Device | null) => {
    if (isLeaving()) return handBack(job, token);
    const parcel = parcelOf(job);
    const { trainingId } = parcel.job;
    const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
    const since = new Date().toISOString();
    const mine: UnderWay = { trainingId, since, device, abort: new AbortController() };
    underWay.add(mine);
    beat();
    const renewal = setInterval(() => void renew(job, token, mine), lockMs / 3);
    try {
      const gitdir = join(folder, 'scratch.git');
      await mkdir(gitdir);
      const scratch = await openScratch(gitdir, parcel);
      if (!scratch.ok) throw new UnrecoverableError(scratch.error.message);
      const { traceparent } = parcel;
      const slot = { sourceTree: scratch.value, device, traceparent, signal: mine.abort.signal };
      const result = await work(slot)(parcel.job, throttled(job));
      const text = await packResult(scratch.value, result);
      const left = keys.result(trainingId, randomUUID());
      await redis.set(left, text, 'EX', keepSeconds);
      return { key: left };
    } catch (error) {
      if (mine.abort.signal.aborted && isLeaving()) return await handBack(job, token);
      if (error instanceof UnrecoverableError) throw error;
      const why = messageOf(error);
      onNotice(`training ${trainingId} could not be run here: ${why}`);
      throw new Error(why, { cause: error });
    } finally {
      clearInterval(renewal);
      underWay.delete(mine);
      beat();
      await rm(folder, { recursive: true, force: true });
    }
  };

  /** What a retry would meet again is said once. */
  const parcelOf = (job: Job<unknown>): JobParcel => {
    const parcel = parseJobParcel(job.data);
    if (!parcel.ok) throw new UnrecoverableError(parcel.error.message);
    const { trainingId, runtime: wanted } = parcel.value.job;
    if (trainingId !== job.id)
      throw new UnrecoverableError(`found training ${trainingId} in job ${job.id ?? 'none'}`);
    if (wanted.sha256 !== runtime.sha256)
      throw new UnrecoverableError(
        `the run pinned ${wanted.name} ${wanted.version} (${wanted.sha256.slice(0, 12)}), this worker has ${runtime.name} ${runtime.version} (${runtime.sha256.slice(0, 12)})`,
      );
    return parcel.value;
  };

  const throttled = (job: Job): ((progress: TrainingProgress) => void) => {
    let toldAt = -Infinity;
    return ({ step, of }) => {
      const now = performance.now();
      if (now - toldAt < progressMs) return;
      toldAt = now;
      // Told for people to look at: a training is not worth less without it.
      job.updateProgress({ step, of }).catch(() => undefined);
    };
  };

  /**
   * Renews the lock by a timer of our own, which no jump of the clock stops: BullMQ's compares times of day, and one
   * set back would let a long training be taken for lost.
   */
  const renew = async (
    job: Job<unknown>,
    token: string | undefined,
    { trainingId, abort }: UnderWay,
  ): Promise<void> => {
    try {
      if ((await job.extendLock(token ?? '', lockMs)) === 1) return;
    } catch (error) {
      notice(`Redis: ${messageOf(error)}`);
      return;
    }
    if (abort.signal.aborted) return;
    onNotice(`training ${trainingId} is no longer this worker's: it was silent too long`);
    abort.abort();
  };

  const resting = new Set<Worker<unknown>>();
  /** BullMQ asks again at once when Redis refuses (no right, no memory, read only): that would be a busy loop. */
  const restAWhile = (worker: Worker<unknown>): void => {
    if (resting.has(worker)) return;
    resting.add(worker);
    void worker.pause(true).finally(() => {
      setTimeout(() => {
        resting.delete(worker);
        if (!isLeaving()) void worker.resume();
      }, RESTING_MS);
    });
  };

  const slots: readonly (Device | null)[] = devices.length > 0 ? devices : [null];
  const workers = slots.map((device) => {
    const worker = new Worker<unknown>(
      keys.queue(runtime),
      (job, token) => perform(job, token, device),
      {
        connection: patientOptions(connection),
        prefix,
        concurrency: device === null ? concurrency : 1,
        lockDuration: lockMs,
        skipLockRenewal: true,
        stalledInterval: lostCheckMs,
        // It counts how often a training was lost and may go on; the last loss is its end.
        maxStalledCount: maxLost - 1,
        drainDelay: 2,
        runRetryDelay: 1000,
        ...(limiter !== null && { limiter: { max: limiter.max, duration: limiter.durationMs } }),
      },
    );
    worker.on('error', (error) => {
      if (isLeaving()) return;
      notice(`Redis: ${messageOf(error)}`);
      restAWhile(worker);
    });
    return worker;
  });

  const beat = (): void => {
    if (redis.status !== 'ready') return;
    announce(
      redis,
      keys,
      {
        ...{ instance, publicKey: key.publicKey, label, executor, runtime, version },
        ...{ layers, devices, startedAt },
        underWay: [...underWay].map(({ trainingId, since, device }) => ({
          ...{ trainingId, since },
          device: device?.index ?? null,
        })),
      },
      heartbeatMs * 3,
    ).catch((error: unknown) => {
      notice(`Redis: ${messageOf(error)}`);
    });
  };
  redis.on('ready', beat);
  const heartbeat = setInterval(beat, heartbeatMs);

  const allEnded = async (withinMs: number): Promise<void> => {
    const until = performance.now() + withinMs;
    while (underWay.size > 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 25));
  };

  const close = async (graceMs: number): Promise<void> => {
    standing.leaving = true;
    for (const worker of workers) await worker.pause(true);
    await allEnded(graceMs);
    for (const { abort } of underWay) abort.abort();
    await allEnded(HANDING_BACK_MS);
    clearInterval(heartbeat);
    // Moves what ended to where it belongs; a Redis that is away is not waited for.
    await Promise.all(workers.map((worker) => closeSoon(worker)));
    if (redis.status === 'ready') await withdraw(redis, keys, instance).catch(() => undefined);
    redis.disconnect();
  };

  let closed: Promise<void> | null = null;
  const ready = Promise.all(workers.map((worker) => worker.waitUntilReady())).then(() => undefined);
  // Whoever closes before it was ready need not have waited for it.
  ready.catch(() => undefined);
  return {
    ready,
    close: (graceMs) => (closed ??= close(graceMs)),
  };
};
