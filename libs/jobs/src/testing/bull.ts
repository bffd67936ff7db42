import { randomUUID } from 'node:crypto';
import { eventTypes } from '#libs/event-log';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import type { TrainingResult } from '#libs/run';
import {
  bullTrainingQueue,
  type BullTrainingQueue,
  type BullTrainingQueueOptions,
} from '../bull/bull-training-queue.ts';
import {
  bullTrainingWorker,
  type BullTrainingWorkerOptions,
  type RunningTrainingWorker,
} from '../bull/bull-training-worker.ts';
import type { RedisConnection } from '../bull/connection.ts';
import { LAYERS, type TestJobs } from './jobs.ts';

const types = eventTypes(EVENT_TYPES);

/** What keeps a result from being an event of today's log. */
export const eventProblems = ({ type, data }: TrainingResult): readonly string[] =>
  types
    .problems({ type, data, metadata: { schemaVersion: schemaVersionOf(type) } } as never, type)
    .map(({ path, message }) => `${path}: ${message}`);

export interface Bull {
  readonly prefix: string;
  readonly queue: BullTrainingQueue;
  readonly notices: string[];
  readonly options: BullTrainingQueueOptions;
  /** One more worker, by default with everything short. */
  readonly worker: (more?: Partial<BullTrainingWorkerOptions>) => RunningTrainingWorker;
  readonly close: () => Promise<void>;
}

/** A queue on Redis under a prefix of its own, with short times. */
export const openBull = (
  { connection }: { readonly connection: RedisConnection },
  jobs: TestJobs,
  more: Partial<BullTrainingQueueOptions> = {},
): Bull => {
  const prefix = more.prefix ?? `test-${randomUUID().slice(0, 8)}`;
  const notices: string[] = [];
  const options: BullTrainingQueueOptions = {
    ...{ connection, prefix, sourceTree: jobs.sourceTree, problems: eventProblems },
    trusted: (keyId) => Promise.resolve(keyId === jobs.key.keyId ? jobs.key.publicKey : null),
    ...{ pollMs: 100, backoffMs: 20, attempts: 3 },
    onNotice: (notice) => notices.push(notice),
    ...more,
  };
  const queue = bullTrainingQueue(options);
  const workers: RunningTrainingWorker[] = [];
  return {
    ...{ prefix, queue, notices, options },
    worker: (own = {}) => {
      const worker = bullTrainingWorker({
        ...{ connection, prefix, runtime: jobs.runtime, key: jobs.key, label: 'test-host' },
        ...{
          executor: 'double',
          layers: LAYERS,
          version: '0',
          devices: [],
          heartbeatMs: 200,
          progressMs: 0,
        },
        ...{ lockMs: 400, lostCheckMs: 200 },
        onNotice: (notice) => notices.push(`worker: ${notice}`),
        work: jobs.work,
        ...own,
      });
      workers.push(worker);
      return worker;
    },
    close: async () => {
      jobs.release();
      await Promise.all([queue.close(), ...workers.map((worker) => worker.close(0))]);
    },
  };
};
