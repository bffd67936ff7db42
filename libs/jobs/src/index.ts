/** Trainings as jobs: from a launch to a signed result. */
export * from './abandoned.ts';
export type { BullTrainingQueue, BullTrainingQueueOptions } from './bull/bull-training-queue.ts';
export type {
  BullTrainingWorkerOptions,
  RunningTrainingWorker,
  TrainingSlot,
} from './bull/bull-training-worker.ts';
export { redisConnection, type RedisConnection } from './bull/connection.ts';
export type { DeadLetter, DeadLetters } from './bull/dead-letters.ts';
export type { FleetAnnouncement } from './bull/fleet.ts';
export { openBullTrainingQueue, openBullTrainingWorker } from './bull/open.ts';
export type { ResultChecks } from './bull/result-parcel.ts';
export * from './classify.ts';
export * from './in-process-queue.ts';
export * from './port.ts';
export {
  FOLDER_PREFIX,
  removeStaleFolders,
  trainingWorker,
  type WorkerParts,
} from './training-worker.ts';
