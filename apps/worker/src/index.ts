/** A worker: takes trainings from Redis, runs them contained, signs what came of them. */
export * from './start-worker.ts';
