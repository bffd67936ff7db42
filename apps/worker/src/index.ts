/** A worker: takes trainings from Redis, runs them contained, signs what came of them. */
export type { Place } from './open-executors.ts';
export * from './start-worker.ts';
