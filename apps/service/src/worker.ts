import { join } from 'node:path';
import type { Logger } from 'pino';
import { VERSION } from '#apps/runner';
import { startWorker, type Place, type RunningWorker } from '#apps/worker';
import type { ServiceConfig } from '#libs/config';
import { redisConnection } from '#libs/jobs';
import type { Refusal, Result } from '#libs/kernel';

const MINUTE_MS = 60_000;
/** How long a training under way may take to end when the worker is stopped; then another one takes it. */
export const WORKER_GRACE_MS = 90_000;

/** Starts a worker; it is given Redis, a folder for its key and the way to its executor. */
export const serveWorker = async (
  folder: string,
  { worker }: ServiceConfig,
  redis: string,
  log: Logger,
): Promise<Result<RunningWorker, Refusal>> => {
  const connection = redisConnection(redis);
  if (!connection.ok) return connection;
  const { label, concurrency, perMinute } = worker;
  return startWorker({
    connection: connection.value,
    keyFolder: join(folder, 'keys'),
    label,
    concurrency,
    version: VERSION,
    limiter: perMinute === null ? null : { max: perMinute, durationMs: MINUTE_MS },
    place: placeOf(worker, folder),
    onNotice: (notice) => {
      log.warn({ part: 'worker' }, notice);
    },
  });
};

const placeOf = (
  { executor, image, dockerSocket, kubernetes }: ServiceConfig['worker'],
  folder: string,
): Place => {
  switch (executor) {
    case 'sandbox':
      return { kind: 'sandbox' };
    case 'docker':
      return {
        kind: 'docker',
        engine: { socketPath: dockerSocket },
        image: image ?? '',
        workFolder: join(folder, 'trainings'),
      };
    case 'kubernetes':
      return {
        kind: 'kubernetes',
        access: { kind: 'in-cluster' },
        namespace: kubernetes.namespace,
        image: image ?? '',
        volume: { claim: kubernetes.claim, folder: kubernetes.mount },
      };
  }
};
