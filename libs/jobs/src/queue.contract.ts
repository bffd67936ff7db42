import { afterEach, describe, expect, it } from 'vitest';
import type { TrainingQueue } from './port.ts';
import { exampleJob, type TestJobs } from './testing/jobs.ts';

/** A queue with everything that it needs, whose work does as the test says. */
export interface QueueUnderTest {
  readonly queue: TrainingQueue;
  readonly close: () => Promise<void>;
}

/** What every adapter of {@link TrainingQueue} promises. */
export const queueContract = (
  name: string,
  open: (jobs: TestJobs) => Promise<QueueUnderTest>,
  jobs: () => Promise<TestJobs>,
): void => {
  describe(`${name}, as a training queue`, () => {
    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });
    const opened = async () => {
      const made = await jobs();
      closers.push(made.remove);
      const { queue, close } = await open(made);
      closers.push(close);
      return { made, queue, job: (id: string) => exampleJob(made, id) };
    };

    it('gives the signed result of a training, with its artefacts in the repository', async () => {
      const { made, queue, job } = await opened();
      const result = await queue.run(job('t-1'));
      expect(result).toMatchObject({ type: 'TrainingCompleted', data: { trainingId: 't-1' } });
      if (result.type !== 'TrainingCompleted') throw new Error(result.type);
      const predictions = await made.sourceTree.readText(result.data.predictions.oid);
      expect(predictions).toEqual({ ok: true, value: made.predictions('t-1') });
      expect(await made.sourceTree.readRef('runs/r-1/trainings/t-1')).toBe(result.data.artefacts);
      expect(made.verifies(result)).toBe(true);
    });

    it('gives a failure as a result', async () => {
      const { made, queue, job } = await opened();
      made.behave('t-1', 'crash');
      expect(await queue.run(job('t-1'))).toMatchObject({
        type: 'TrainingFailed',
        data: { failure: 'crashed', detail: expect.stringContaining('exit code 3') as string },
      });
    });

    it('gives the same promise for a training under way, and runs it once', async () => {
      const { made, queue, job } = await opened();
      made.behave('t-1', 'wait');
      const first = queue.run(job('t-1'));
      expect(queue.run(job('t-1'))).toBe(first);
      await made.begun('t-1');
      expect(queue.run(job('t-1'))).toBe(first);
      made.release();
      await first;
      expect(made.runs('t-1')).toBe(1);
    });

    it('runs them all, whatever becomes of one', async () => {
      const { made, queue, job } = await opened();
      made.behave('t-2', 'crash');
      const results = await Promise.all(['t-1', 't-2', 't-3'].map((id) => queue.run(job(id))));
      expect(results.map(({ type, data }) => [data.trainingId, type])).toEqual([
        ['t-1', 'TrainingCompleted'],
        ['t-2', 'TrainingFailed'],
        ['t-3', 'TrainingCompleted'],
      ]);
    });

    it('passes progress on', async () => {
      const { queue, job } = await opened();
      const told: unknown[] = [];
      await queue.run(job('t-1'), (progress) => told.push(progress));
      expect(told).toContainEqual({ trainingId: 't-1', step: 1, of: 2 });
    });
  });
};
