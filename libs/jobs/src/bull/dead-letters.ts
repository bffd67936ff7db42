import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { isSealedText, isSha256, type SealedText } from '#libs/kernel';
import type { RedisKeys } from './connection.ts';
import type { JobParcel } from './job-parcel.ts';

/** A training that waits for an operator, and why. */
export interface DeadLetter {
  readonly trainingId: string;
  readonly runId: string;
  readonly studyId: string;
  /** SHA-256 of the runtime whose queue it stands in. */
  readonly runtime: string;
  readonly kind:
    /** It could not be run; its run waits. */
    | 'failed'
    /** A result came that nobody can take; its run waits. */
    | 'result-refused'
    /** Its workers were gone one after the other; its run goes on without it. */
    | 'worker-lost';
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** RFC 3339. */
  readonly since: string;
}

export interface DeadLetters {
  /** At most a hundred of each queue, the newest first. */
  readonly list: () => Promise<readonly DeadLetter[]>;
  /** Lets it be run again, with all its attempts. False: there is no such letter. */
  readonly retry: (trainingId: string) => Promise<boolean>;
  /** Gives it up for good: its run records that it failed. False: there is no such letter. */
  readonly discard: (trainingId: string, note: SealedText) => Promise<boolean>;
}

/** How long an operator's word is remembered for a run that isn't driven just now. */
const DISCARDED_SECONDS = 30 * 86_400;
const SHOWN = 100;
/** Of BullMQ's script that looks for stalled jobs: no worker says this, the queue does. */
const STALLED_TOO_OFTEN = 'job stalled more than allowable limit';

/** Whether the queue itself failed this job because its workers were gone. */
export const wasLost = (job: Pick<Job, 'failedReason' | 'stalledCounter'>): boolean =>
  job.failedReason === STALLED_TOO_OFTEN && job.stalledCounter > 0;

export interface LetterBox extends DeadLetters {
  /** Sets a result aside that was refused, and its job with it. */
  refuse(job: JobParcel['job'], reason: string): Promise<void>;
  /** Takes out whatever there is of a training that no worker has just now; its run is over. */
  forget(job: JobParcel['job']): Promise<void>;
  /** Why a result of this training was refused; null: none was. */
  refusedResult(trainingId: string): Promise<string | null>;
  /** The operator's note, null where Redis holds something else; and null of all: it is not discarded. */
  discarded(trainingId: string): Promise<{ readonly note: SealedText | null } | null>;
}

export const letterBox = (
  redis: Redis,
  keys: RedisKeys,
  queueOf: (runtime: { readonly sha256: string }) => Queue<JobParcel>,
): LetterBox => {
  const runtimes = async (): Promise<readonly string[]> =>
    (await redis.smembers(keys.runtimes)).filter(isSha256).sort();

  const letterOf = (runtime: string, job: Job<JobParcel>): DeadLetter => {
    const lost = wasLost(job);
    return {
      trainingId: job.id ?? '',
      runId: job.data.job.runId,
      studyId: job.data.job.studyId,
      runtime,
      kind: lost ? 'worker-lost' : 'failed',
      reason: job.failedReason,
      attempts: lost ? job.stalledCounter : job.attemptsMade,
      since: new Date(job.finishedOn ?? job.timestamp).toISOString(),
    };
  };

  const refusedLetters = async (): Promise<readonly DeadLetter[]> =>
    Object.values(await redis.hgetall(keys.refusedResults)).map(
      (text) => JSON.parse(text) as DeadLetter,
    );

  /** The failed job of this training, in whichever queue it stands. */
  const failedJob = async (trainingId: string) => {
    for (const sha256 of await runtimes()) {
      const queue = queueOf({ sha256 });
      if ((await queue.getJobState(trainingId)) !== 'failed') continue;
      const job = await queue.getJob(trainingId);
      if (job !== undefined) return { queue, job };
    }
    return null;
  };

  return {
    list: async () => {
      const letters = [...(await refusedLetters())];
      for (const sha256 of await runtimes()) {
        const queue = queueOf({ sha256 });
        // One after the other: a job holds its program and its table.
        for (let at = 0; at < SHOWN; at += 1) {
          const [job] = await queue.getFailed(at, at);
          if (job === undefined) break;
          letters.push(letterOf(sha256, job));
        }
      }
      return letters;
    },
    retry: async (trainingId) => {
      // The run that waits for it finds it missing and puts it back.
      if ((await redis.hdel(keys.refusedResults, trainingId)) > 0) return true;
      const found = await failedJob(trainingId);
      if (found === null) return false;
      const { queue, job } = found;
      const { name, data, opts } = job;
      // Made anew instead of moved back: what counted against it is gone with it.
      await queue.remove(trainingId);
      await queue.add(name, data, { ...opts, jobId: trainingId });
      return true;
    },
    discard: async (trainingId, note) => {
      const refused = await redis.hexists(keys.refusedResults, trainingId);
      const found = refused > 0 ? null : await failedJob(trainingId);
      if (refused === 0 && found === null) return false;
      await redis.set(keys.discarded(trainingId), JSON.stringify(note), 'EX', DISCARDED_SECONDS);
      await redis.hdel(keys.refusedResults, trainingId);
      await found?.queue.remove(trainingId);
      return true;
    },
    refuse: async ({ trainingId, runId, studyId, runtime }, reason) => {
      const letter: DeadLetter = {
        ...{ trainingId, runId, studyId, runtime: runtime.sha256, kind: 'result-refused' },
        ...{ reason, attempts: 1, since: new Date().toISOString() },
      };
      // The letter first: a job that is gone without one would only be run again.
      await redis.hset(keys.refusedResults, trainingId, JSON.stringify(letter));
      await queueOf(runtime).remove(trainingId);
    },
    forget: async ({ trainingId, runtime }) => {
      await redis.hdel(keys.refusedResults, trainingId);
      await queueOf(runtime).remove(trainingId);
    },
    refusedResult: async (trainingId) => {
      const text = await redis.hget(keys.refusedResults, trainingId);
      return text === null ? null : (JSON.parse(text) as DeadLetter).reason;
    },
    discarded: async (trainingId) => {
      const text = await redis.get(keys.discarded(trainingId));
      return text === null ? null : { note: sealedIn(text) };
    },
  };
};

/** Redis is not trusted: what is no sealed text is no note. */
const sealedIn = (text: string): SealedText | null => {
  try {
    const note: unknown = JSON.parse(text);
    return isSealedText(note) ? note : null;
  } catch {
    return null;
  }
};
