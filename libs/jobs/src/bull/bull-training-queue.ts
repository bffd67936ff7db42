import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { SealedText } from '#libs/kernel';
import type { TrainingResult } from '#libs/run';
import type { SourceTree } from '#libs/source-tree';
import {
  TrainingAbandoned,
  TrainingLeft,
  type TrainingJob,
  type TrainingProgress,
  type TrainingQueue,
  type Waiting,
} from '../port.ts';
import {
  closeSoon,
  messageOf,
  patientOptions,
  redisKeys,
  sparing,
  type RedisConnection,
} from './connection.ts';
import { letterBox, wasLost, type DeadLetters } from './dead-letters.ts';
import { readAnnouncements, type FleetAnnouncement } from './fleet.ts';
import { isTrainingId, packJob, type JobParcel } from './job-parcel.ts';
import { openRedis } from './redis-client.ts';
import { longestResult, takeResult, type ResultChecks } from './result-parcel.ts';

const MEBIBYTE = 1024 * 1024;

export interface BullTrainingQueueOptions extends ResultChecks {
  readonly connection: RedisConnection;
  /** Stands before every key, so that several can share a Redis. Default: `holdfast`. */
  readonly prefix?: string;
  /** Where the programs are read and the artefacts kept. */
  readonly sourceTree: SourceTree;
  /** From 0 (first) to 2,097,151 (last). Default: 1 for every study, so first come first served. */
  readonly priorityOf?: (studyId: string) => number;
  /** How often a training is tried that could not be run, before it waits for an operator. Default: 5. */
  readonly attempts?: number;
  /** Pause before the second try; doubled each time. Default: 1,000. */
  readonly backoffMs?: number;
  /** How many ended trainings Redis remembers, and how long. Default: 100, a day. */
  readonly keep?: { readonly count: number; readonly seconds: number };
  /** Events can be missed while Redis is away: how often a run looks for itself. Default: 1,000. */
  readonly pollMs?: number;
  /** Bytes of a job (default 16 MiB) and of a result (default 64 MiB), as they travel. */
  readonly maxJobBytes?: number;
  readonly maxResultBytes?: number;
  /** How long a training waits before it is said why. Default: 10,000. */
  readonly noticeAfterMs?: number;
  /** W3C trace context of whoever asks, passed through to the worker. */
  readonly traceparent?: () => string | null;
  /** What an operator should know: one line of text without secrets. */
  readonly onNotice?: (notice: string) => void;
}

export interface BullTrainingQueue extends TrainingQueue {
  readonly deadLetters: DeadLetters;
  /** The workers that announced themselves: see {@link FleetAnnouncement}. */
  fleetAnnouncements(): Promise<readonly FleetAnnouncement[]>;
  /** Lets go of Redis; the trainings stay there. Whoever waits for one gets an error, and asks again elsewhere. */
  close(): Promise<void>;
}

/** How long the workers' announcements are waited for. */
const PLACES_MS = 2_000;

/** Kept for the operator; far more than anybody lets lie. */
const DEAD_LETTERS = 1000;

/** What a look at a training in Redis found. */
type Standing =
  | { readonly kind: 'missing' | 'waiting' | 'delayed' | 'active' }
  | { readonly kind: 'dead'; readonly reason: string }
  | { readonly kind: 'lost'; readonly attempts: number }
  | { readonly kind: 'discarded'; readonly note: SealedText | null }
  | { readonly kind: 'completed'; readonly result: string };

interface Waiter {
  wake: () => void;
  readonly tell: (progress: TrainingProgress) => void;
}

interface Channel {
  readonly queue: Queue<JobParcel>;
  readonly events: QueueEvents;
}

/** What `openBullTrainingQueue` opens. */
export const bullTrainingQueue = ({
  connection,
  prefix = 'holdfast',
  sourceTree,
  trusted,
  problems,
  priorityOf = () => 1,
  attempts = 5,
  backoffMs = 1000,
  keep = { count: 100, seconds: 86_400 },
  pollMs = 1000,
  maxJobBytes = 16 * MEBIBYTE,
  maxResultBytes = 64 * MEBIBYTE,
  noticeAfterMs = 10_000,
  traceparent = () => null,
  onNotice = () => undefined,
}: BullTrainingQueueOptions): BullTrainingQueue => {
  const keys = redisKeys(prefix);
  const notice = sparing(onNotice);
  const redis: Redis = openRedis(connection, notice);
  const channels = new Map<string, Channel>();
  const waiters = new Map<string, Waiter>();
  const underWay = new Map<string, Promise<TrainingResult>>();
  const closing = new AbortController();

  const failing = (error: Error): void => {
    if (!closing.signal.aborted) notice(`Redis: ${messageOf(error)}`);
  };

  const channelOf = (runtime: { readonly sha256: string }): Channel => {
    const name = keys.queue(runtime);
    const known = channels.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<JobParcel>(name, { connection: redis, prefix });
    const events = new QueueEvents(name, { connection: patientOptions(connection), prefix });
    queue.on('error', failing);
    events.on('error', failing);
    const wake = ({ jobId }: { jobId: string }): void => waiters.get(jobId)?.wake();
    events.on('completed', wake);
    events.on('failed', wake);
    events.on('progress', ({ jobId, data }) => {
      const { step, of } = data as { readonly step?: unknown; readonly of?: unknown };
      if (Number.isSafeInteger(step) && Number.isSafeInteger(of))
        waiters.get(jobId)?.tell({ trainingId: jobId, step: step as number, of: of as number });
    });
    const channel = { queue, events };
    channels.set(name, channel);
    return channel;
  };

  const letters = letterBox(redis, keys, (runtime) => channelOf(runtime).queue);

  const add = async (parcel: JobParcel): Promise<void> => {
    const { trainingId, runId, studyId, runtime } = parcel.job;
    await redis.sadd(keys.runtimes, runtime.sha256);
    await channelOf(runtime).queue.add(runId, parcel, {
      jobId: trainingId,
      priority: priorityOf(studyId),
      attempts,
      backoff: { type: 'exponential', delay: backoffMs, jitter: 0.2 },
      removeOnComplete: { age: keep.seconds, count: keep.count },
      removeOnFail: { count: DEAD_LETTERS },
      stackTraceLimit: 1,
    });
  };

  const look = async ({ trainingId, runtime }: TrainingJob): Promise<Standing> => {
    const discarded = await letters.discarded(trainingId);
    if (discarded !== null) return { kind: 'discarded', note: discarded.note };
    const refusedResult = await letters.refusedResult(trainingId);
    if (refusedResult !== null) return { kind: 'dead', reason: refusedResult };
    const { queue } = channelOf(runtime);
    const state = await queue.getJobState(trainingId);
    if (state === 'unknown') return { kind: 'missing' };
    if (state === 'failed') {
      const failed = await queue.getJob(trainingId);
      if (failed === undefined) return { kind: 'missing' };
      return wasLost(failed)
        ? { kind: 'lost', attempts: failed.stalledCounter }
        : { kind: 'dead', reason: failed.failedReason };
    }
    if (state !== 'completed')
      return { kind: state === 'active' || state === 'delayed' ? state : 'waiting' };
    const completed = await queue.getJob(trainingId);
    const result = completed === undefined ? null : await resultOf(completed.returnvalue);
    if (result !== null) return { kind: 'completed', result };
    // Its result is no longer kept, so it is as if it had never run.
    await queue.remove(trainingId);
    return { kind: 'missing' };
  };

  /** What the job that was accepted left: the job names the key, so a second worker's result is not taken for it. */
  const resultOf = async (returned: unknown): Promise<string | null> => {
    const key = (returned as { readonly key?: unknown } | null)?.key;
    if (typeof key !== 'string' || !key.startsWith(`${keys.prefix}:result:`)) return '';
    const bytes = await redis.strlen(key);
    return bytes > maxResultBytes ? '' : redis.get(key);
  };

  const abandoned = (
    { trainingId }: TrainingJob,
    reason: TrainingAbandoned['reason'],
    tries: number,
    message: string,
    note: SealedText | null = null,
  ) => new TrainingAbandoned({ trainingId, reason, attempts: tries, note }, message);

  const nobodyFits = async ({ trainingId, runtime }: TrainingJob): Promise<void> => {
    const fleet = await readAnnouncements(redis, keys);
    if (fleet.some((worker) => worker.runtime.sha256 === runtime.sha256)) return;
    const others = fleet.map(
      ({ label, runtime: { name, version, sha256 } }) =>
        `${label} has ${name} ${version} (${sha256.slice(0, 12)})`,
    );
    onNotice(
      `training ${trainingId} waits for a worker with ${runtime.name} ${runtime.version} (${runtime.sha256.slice(0, 12)}): ${others.length === 0 ? 'no worker has announced itself' : others.slice(0, 5).join(', ')}`,
    );
  };

  /** No pause between two tries is longer; one that is was made by a worker whose clock was ahead. */
  const longestDelayMs = backoffMs * 2 ** attempts + pollMs;
  const promote = async ({ trainingId, runtime }: TrainingJob): Promise<void> => {
    const delayed = await channelOf(runtime).queue.getJob(trainingId);
    await delayed?.promote();
  };

  const follow = async (
    job: TrainingJob,
    onProgress: (progress: TrainingProgress) => void,
    left: AbortSignal,
  ): Promise<TrainingResult> => {
    const { trainingId } = job;
    if (!isTrainingId(trainingId))
      throw new TypeError(`${JSON.stringify(trainingId)} can't be the id of a job`);
    if (longestResult(job) > maxResultBytes)
      throw new Error(
        `training ${trainingId} may write ${job.limits.outputMb} MiB, more than ${maxResultBytes} bytes of a result that go through the queue; lower output_mb of the study, or raise the queue's limit`,
      );
    const parcel = await packJob(sourceTree, job, traceparent(), maxJobBytes);
    const begun = performance.now();
    let said = '';
    const say = (what: string): void => {
      if (what !== said) onNotice(what);
      said = what;
    };
    let toldWhy = false;
    let delayedSince: number | null = null;

    for (;;) {
      if (closing.signal.aborted)
        throw new Error(`the queue was closed while training ${trainingId} was waited for`);
      left.throwIfAborted();
      // Before the look: an event between the look and the wait must not be missed.
      const woken = wakeUp(trainingId, onProgress, left);
      let standing: Standing;
      try {
        standing = await look(job);
        if (standing.kind === 'missing') {
          await add(parcel);
          standing = { kind: 'waiting' };
        }
        delayedSince = standing.kind === 'delayed' ? (delayedSince ?? performance.now()) : null;
        if (delayedSince !== null && performance.now() - delayedSince > longestDelayMs) {
          delayedSince = null;
          await promote(job);
        }
        if (!toldWhy && standing.kind === 'waiting' && performance.now() - begun > noticeAfterMs) {
          toldWhy = true;
          await nobodyFits(job);
        }
      } catch (error) {
        // Redis away, still loading, or out of memory: nothing is lost by waiting.
        failing(error as Error);
        await woken;
        continue;
      }
      switch (standing.kind) {
        case 'lost':
          throw abandoned(
            job,
            'worker-lost',
            standing.attempts,
            `${standing.attempts} workers took the training, one after the other, and were gone before it ended`,
          );
        case 'discarded':
          throw abandoned(job, 'discarded', 0, 'an operator gave the training up', standing.note);
        case 'completed': {
          const taken = await takeResult(sourceTree, job, standing.result, { trusted, problems });
          if (taken.ok) return taken.value;
          await setAside(job, taken.error.message);
          continue;
        }
        case 'dead':
          say(`training ${trainingId} waits for an operator: ${standing.reason}`);
          break;
        case 'missing':
        case 'waiting':
        case 'delayed':
        case 'active':
          break;
      }
      await woken;
    }
  };

  /** What whoever waits for a training gets when he goes away. */
  const leaving = (job: TrainingJob, { stop, unwanted }: Waiting) => {
    const left = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    const leave = (): void => {
      const error = new TrainingLeft(`training ${job.trainingId} is waited for no longer`);
      left.abort(error);
      reject(error);
    };
    const signals = [stop, unwanted].filter((signal) => signal !== undefined);
    for (const signal of signals) {
      signal.addEventListener('abort', leave);
      if (signal.aborted) leave();
    }
    const unheed = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', leave);
    };
    return { promise, left: left.signal, unheed };
  };

  const setAside = async (job: TrainingJob, reason: string): Promise<void> => {
    try {
      await letters.refuse(job, reason);
    } catch (error) {
      failing(error as Error);
    }
  };

  /** Resolves at the next event of this training, after the pause, or when nobody waits or the queue closes. */
  const wakeUp = (
    trainingId: string,
    tell: (progress: TrainingProgress) => void,
    left: AbortSignal,
  ): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        closing.signal.removeEventListener('abort', wake);
        left.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, pollMs);
      closing.signal.addEventListener('abort', wake);
      left.addEventListener('abort', wake);
      waiters.set(trainingId, { wake, tell });
    });

  return {
    deadLetters: { list: letters.list, retry: letters.retry, discard: letters.discard },
    places: async ({ sha256 }) => {
      // A Redis that is away says nothing of the workers, and must not hold up whoever asks.
      const announced = await Promise.race([
        readAnnouncements(redis, keys).catch(() => []),
        sleep(PLACES_MS, [], { ref: false }),
      ]);
      // Whoever has the key of no admitted worker may announce what he likes.
      const admitted = await Promise.all(
        announced
          .filter(({ runtime }) => runtime.sha256 === sha256)
          .map(async (worker) => ((await trusted(worker.keyId)) === null ? [] : [worker])),
      );
      return admitted.flat().map(({ label, layers }) => ({ name: label, layers }));
    },
    fleetAnnouncements: () => readAnnouncements(redis, keys),
    run: (job, onProgress = () => undefined, waiting = {}) => {
      const { trainingId } = job;
      const known = underWay.get(trainingId);
      if (known !== undefined) return known;
      const { promise: gone, left, unheed } = leaving(job, waiting);
      const following = follow(job, onProgress, left);
      // A Redis that is away must not hold up whoever goes away.
      const result = Promise.race([following, gone]).finally(() => {
        unheed();
        underWay.delete(trainingId);
        waiters.get(trainingId)?.wake();
        waiters.delete(trainingId);
      });
      // Only now, since it may have been about to put the training there.
      following.catch(() => {
        if (waiting.unwanted?.aborted === true) letters.forget(job).catch(failing);
      });
      underWay.set(trainingId, result);
      return result;
    },
    close: async () => {
      closing.abort();
      await Promise.all(
        [...channels.values()].flatMap(({ queue, events }) => [
          closeSoon(queue),
          closeSoon(events),
        ]),
      );
      redis.disconnect();
      await Promise.allSettled(underWay.values());
    },
  };
};
