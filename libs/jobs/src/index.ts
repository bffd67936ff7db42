/** Trainings as jobs: from a launch to a signed result. */
export * from './classify.ts';
export * from './in-process-queue.ts';
export * from './port.ts';
export * from './training-worker.ts';
