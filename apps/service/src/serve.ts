import type { DestinationStream, Logger } from 'pino';
import { openHome, openLedger, supervise, VERSION, type Home, type Ledger } from '#apps/runner';
import type { ServiceConfig } from '#libs/config';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { followLog } from '#libs/read-models';
import { startTelemetry } from '#libs/telemetry';
import { serveApi } from './api.ts';
import { serveNotary } from './notary.ts';
import { serviceLogger } from './logger.ts';
import { serveWorker, WORKER_GRACE_MS } from './worker.ts';

/** What a service is made of; one process may run all of them, or each a process of its own on a host of its own. */
export type Part = 'api' | 'runner' | 'worker' | 'notary';

export interface ServeOptions {
  readonly parts: readonly Part[];
  /** Folder of the objects, the keys and, embedded, of everything else. */
  readonly folder: string;
  readonly config: ServiceConfig;
  readonly logTo?: DestinationStream;
}

export interface Service {
  /** Where the API listens; null without it. */
  readonly url: string | null;
  /** Rejects when a part failed for good; the process had better end then, and be started again. */
  readonly failed: Promise<never>;
  /** Takes nothing new, finishes or hands over what is under way, closes. */
  close(): Promise<void>;
}

const STEP_GRACE_MS = 5_000;
const TRAINING_GRACE_MS = 90_000;

/** Starts the parts in this process, on the servers that the configuration names or embedded. */
export const serve = async ({
  parts,
  folder,
  config,
  logTo = process.stdout,
}: ServeOptions): Promise<Result<Service, Refusal>> => {
  const has = (part: Part): boolean => parts.includes(part);
  if (has('worker') && !has('runner') && config.redis === null)
    return refused({
      code: 'environment',
      message:
        'found no Redis for a worker on its own, expected the one that its runner puts jobs into; set HOLDFAST_REDIS, or run runner and worker in one process',
    });
  const log = serviceLogger(config.logLevel, logTo);
  const telemetry = await startTelemetry({
    service: parts.length === 1 ? `holdfast-${parts[0] ?? ''}` : 'holdfast',
    version: VERSION,
    otlpTracesUrl:
      config.traces === null ? null : new URL('v1/traces', slashed(config.traces)).href,
  });
  /** Ends in the reverse order of what was started; one that fails keeps no other from ending. */
  const endings: (() => Promise<void>)[] = [() => telemetry.shutdown()];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const end of endings.splice(0).toReversed())
      await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  // Whoever does not wait for it is not to be ended by it.
  failed.catch(() => undefined);

  const start = async (): Promise<Result<Service, Refusal>> => {
    const opened = await openParts(has, folder, config, log);
    if (!opened.ok) return opened;
    const { ledger, home } = opened.value;
    if (ledger !== null) {
      endings.push(() => ledger.close());
      for (const notice of ledger.notices) log.warn({ part: 'ledger' }, notice);
    }
    if (has('worker') && config.redis !== null) {
      const worker = await serveWorker(folder, config, config.redis, log);
      if (!worker.ok) return worker;
      endings.push(() => worker.value.close(WORKER_GRACE_MS));
      const { keyId, publicKey, runtime } = worker.value;
      log.info({ part: 'worker', keyId, publicKey, runtime }, 'taking trainings');
    }
    if (home !== null) {
      const supervisor = await supervise(home, {
        runs: config.runs,
        onNotice: ({ message, ...about }) => log.warn({ part: 'runner', ...about }, message),
      });
      supervisor.ended.catch(fail);
      // A training elsewhere goes on without its runner; one in this process would be lost.
      const grace = config.redis === null ? TRAINING_GRACE_MS : STEP_GRACE_MS;
      endings.push(() => supervisor.stop(grace));
      log.info({ part: 'runner', keyId: home.keys.runner.keyId }, 'driving runs');
    }
    if (ledger !== null && has('notary')) {
      const notary = await serveNotary(ledger, config, log);
      if (!notary.ok) return notary;
      endings.push(() => notary.value.close());
    }
    if (ledger === null || !has('api')) return ok({ url: null, failed, close });

    const projecting = new AbortController();
    const projector = followLog({
      ...{ views: ledger.views, log: ledger.log, leases: ledger.leases, signal: projecting.signal },
      onProgress: (progress) => {
        if (progress.kind === 'failed')
          log.warn({ part: 'projector', retryInMs: progress.retryInMs }, progress.error.message);
        else if (progress.kind !== 'projected') log.info({ part: 'projector' }, progress.kind);
      },
    });
    // Views that can't be made keep nobody from the log: requests that need them say so, the rest goes on.
    projector.catch((error: unknown) => {
      log.error({ part: 'projector', err: error }, 'the views stand still; run: holdfast rebuild');
    });
    endings.push(async () => {
      projecting.abort();
      await projector.catch(() => undefined);
    });
    const api = await serveApi(ledger, config, log, logTo);
    if (!api.ok) return api;
    endings.push(() => api.value.close());
    log.info({ part: 'api', url: api.value.url }, 'listening');
    return ok({ url: api.value.url, failed, close });
  };
  // What was started before something failed would go on, with nobody to end it.
  try {
    const started = await start();
    if (!started.ok) await close();
    return started;
  } catch (error) {
    await close().catch((second: unknown) => {
      log.error({ err: second }, 'ending what was started failed as well');
    });
    throw error;
  }
};

/** OTLP's standard variable names a base; paths are relative to it. */
const slashed = (base: string): string => (base.endsWith('/') ? base : `${base}/`);

interface Opened {
  readonly ledger: Ledger | null;
  readonly home: Home | null;
}

/** Each part is given what it needs and no more: a worker no ledger, API and notary no keys of the runner's. */
const openParts = async (
  has: (part: Part) => boolean,
  folder: string,
  config: ServiceConfig,
  log: Logger,
): Promise<Result<Opened, Refusal>> => {
  if (has('runner')) {
    const home = await openHome({
      ...{ folder, servers: config, redis: config.redis, studiesFolder: config.studies },
      trainingImage: config.worker.image,
      dataUrl: config.dataUrl,
      onNotice: (notice) => {
        log.warn({ part: 'runner' }, notice);
      },
    });
    return home.ok ? ok({ ledger: home.value, home: home.value }) : home;
  }
  if (!has('api') && !has('notary')) return ok({ ledger: null, home: null });
  const ledger = await openLedger({ folder, servers: config });
  return ledger.ok ? ok({ ledger: ledger.value, home: null }) : ledger;
};
