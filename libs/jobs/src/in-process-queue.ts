import type { TrainingPlace, TrainingQueue } from './port.ts';

/** The embedded default: one training after the other, in this process, contained by these layers. */
export const inProcessQueue = (
  work: TrainingQueue['run'],
  layers: TrainingPlace['layers'],
): TrainingQueue => {
  const underWay = new Map<string, ReturnType<TrainingQueue['run']>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    places: () => Promise.resolve([{ name: 'this machine', layers }]),
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
