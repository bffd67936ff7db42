import type { BullTrainingQueue, BullTrainingQueueOptions } from './bull-training-queue.ts';
import type { BullTrainingWorkerOptions, RunningTrainingWorker } from './bull-training-worker.ts';

/*
 * BullMQ and its client of Redis are loaded when they are asked for: each process of a machine that has no Redis would
 * pay for reading them.
 */

/**
 * Trainings on Redis by BullMQ: workers on many hosts take them, sign their results and hand them back; this side
 * checks each and keeps it. A worker knows Redis and nothing else.
 *
 * `run` joins a training that is there already, whoever put it there: a runner that was killed gets the kept result.
 * While Redis is away it waits; a Redis that lost everything costs running again. A training that could not be run is
 * tried again, then waits among the dead letters for an operator, and its run with it. A result that is not what an
 * admitted worker signed waits there too and is never given out.
 *
 * @example
 * const queue = await openBullTrainingQueue({ connection, sourceTree, trusted: admitted, problems: eventProblems });
 * const result = await queue.run(job);
 */
export const openBullTrainingQueue = async (
  options: BullTrainingQueueOptions,
): Promise<BullTrainingQueue> =>
  (await import('./bull-training-queue.ts')).bullTrainingQueue(options);

/** Takes trainings from Redis, runs them and hands back what they wrote, signed. Knows Redis and nothing else. */
export const openBullTrainingWorker = async (
  options: BullTrainingWorkerOptions,
): Promise<RunningTrainingWorker> =>
  (await import('./bull-training-worker.ts')).bullTrainingWorker(options);
