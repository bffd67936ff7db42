import { performance } from 'node:perf_hooks';
import { Queue, QueueEvents, Worker } from 'bullmq';
import type { TrainingJob } from '#libs/jobs';
import { packJob } from '../libs/jobs/src/bull/job-parcel.ts';
import { openBull } from '../libs/jobs/src/testing/bull.ts';
import { exampleJob, testJobs, type TestJobs } from '../libs/jobs/src/testing/jobs.ts';
import { hasRedis, startRedis, type TestRedis } from '../test/support/redis.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

/** Trainings a second. */
export interface JobsBench {
  readonly jobBytes: number;
  readonly inFlight: number;
  readonly atOnce: number;
  readonly ours: number;
  readonly bare: number;
  /** Ours ÷ bare, the median over rounds that take turns. */
  readonly ratio: number;
}

/** Trainings asked for at once, and taken at once by the one worker. */
const [IN_FLIGHT, AT_ONCE] = [32, 8];
/** What a worker of ours leaves in Redis for a job: the key of its result. */
const LEFT = { key: `holdfast:result:${'0'.repeat(72)}` };

type RunJobs = (jobs: readonly TrainingJob[]) => Promise<number>;

/** Jobs a second, so many in flight. */
const timed = async (
  jobs: readonly TrainingJob[],
  run: (job: TrainingJob) => Promise<unknown>,
): Promise<number> => {
  const since = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const job = jobs[next]!;
      next += 1;
      await run(job);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (jobs.length * 1000) / (performance.now() - since);
};

/** Through our queue and worker; the program is a double's and costs nothing. */
const throughOurs = async (redis: TestRedis, jobs: TestJobs) => {
  const bull = openBull(redis, jobs, { pollMs: 1_000 });
  const worker = bull.worker({ concurrency: AT_ONCE, lockMs: 30_000, lostCheckMs: 15_000 });
  await worker.ready;
  const run: RunJobs = (all) => timed(all, (job) => bull.queue.run(job));
  return { run, close: bull.close };
};

/** BullMQ alone: the same job as it travels, taken and answered at once, and waited for. */
const throughBare = async ({ connection }: TestRedis, jobs: TestJobs) => {
  const queue = new Queue('bare', { connection });
  const events = new QueueEvents('bare', { connection });
  // Everybody who waits for a job listens for its end.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  const worker = new Worker('bare', async () => LEFT, {
    connection: { ...connection, maxRetriesPerRequest: null },
    concurrency: AT_ONCE,
  });
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  const run: RunJobs = async (all) => {
    const parcels = new Map<string, object>();
    for (const job of all) parcels.set(job.trainingId, await parcelOf(jobs, job));
    return timed(all, async ({ trainingId }) => {
      const added = await queue.add('training', parcels.get(trainingId)!, {
        jobId: trainingId,
        priority: 1,
        removeOnComplete: 100,
      });
      await added.waitUntilFinished(events);
    });
  };
  const close = async (): Promise<void> => {
    await worker.close();
    await events.close();
    await queue.close();
  };
  return { run, close };
};

const parcelOf = async ({ sourceTree }: TestJobs, job: TrainingJob): Promise<object> =>
  packJob(sourceTree, job, null, 16 * 1024 * 1024);

/** Trainings that cost nothing through our queue on a Redis of its own, beside the same jobs through bare BullMQ; null where no Redis is installed. */
export const benchJobs = async (rounds = 3, perRound = 96): Promise<JobsBench | null> => {
  if (!hasRedis) return null;
  const redis = await startRedis();
  const jobs = await testJobs();
  try {
    const ours = await throughOurs(redis, jobs);
    const bare = await throughBare(redis, jobs);
    const speeds = { ours: [] as number[], bare: [] as number[] };
    // Round 0 warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const some = Array.from({ length: perRound }, (_, nth) =>
        exampleJob(jobs, `t-${round}-${nth}`),
      );
      speeds.bare.push(await bare.run(some));
      speeds.ours.push(await ours.run(some));
    }
    await bare.close();
    await ours.close();
    const warm = (all: readonly number[]): readonly number[] => all.slice(1);
    const jobBytes = JSON.stringify(await parcelOf(jobs, exampleJob(jobs, 't-0'))).length;
    return {
      ...{ jobBytes, inFlight: IN_FLIGHT, atOnce: AT_ONCE },
      ours: median(warm(speeds.ours)),
      bare: median(warm(speeds.bare)),
      ratio: median(warm(speeds.ours).map((one, round) => one / warm(speeds.bare)[round]!)),
    };
  } finally {
    await jobs.remove();
    await redis.remove();
  }
};

export const jobsRows = (bench: JobsBench | null): readonly Row[] =>
  bench === null
    ? []
    : [
        {
          ...{ measure: 'trainings, from the runner to its kept result', value: bench.ours },
          ...{ unit: '/s', ratio: bench.ratio, aim: null },
          beside: `BullMQ alone, ${Math.round(bench.bare).toLocaleString('en-US')}/s`,
        },
      ];
