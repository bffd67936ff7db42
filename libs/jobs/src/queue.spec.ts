import { afterAll, beforeAll, describe } from 'vitest';
import { hasRedis, startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { inProcessQueue } from './index.ts';
import { queueContract } from './queue.contract.ts';
import { LAYERS, testJobs } from './testing/jobs.ts';
import { openBull } from './testing/bull.ts';

queueContract(
  'the in-process queue',
  async (jobs) => ({
    queue: inProcessQueue((job, onProgress) => jobs.work(jobs)(job, onProgress), LAYERS),
    close: () => Promise.resolve(),
  }),
  testJobs,
);

describe.skipIf(!hasRedis)('on Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  queueContract(
    'the BullMQ queue',
    async (jobs) => {
      const bull = openBull(redis, jobs);
      bull.worker();
      return { queue: bull.queue, close: bull.close };
    },
    testJobs,
  );
});
