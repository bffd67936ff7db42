import type { TrainingQueue } from './port.ts';

/** The embedded default: one training after the other, in this process. */
export const inProcessQueue = (work: TrainingQueue['run']): TrainingQueue => {
  const underWay = new Map<string, ReturnType<TrainingQueue['run']>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (job, onProgress) => {
      const known = underWay.get(job.trainingId);
      if (known !== undefined) return known;
      const result = last
        .then(() => work(job, onProgress))
        .finally(() => underWay.delete(job.trainingId));
      underWay.set(job.trainingId, result);
      // The next one waits for this one's end, however it ends.
      last = result.catch(() => undefined);
      return result;
    },
  };
};
