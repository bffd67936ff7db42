import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DestinationStream } from 'pino';
import { VERSION, type Ledger } from '#apps/runner';
import { localTokens } from '#libs/access';
import { openOidc } from './access/oidc.ts';
import { ApiModule, type Parts } from './api.module.ts';
import { LIMITS, type ApiConfig, type Limits } from './config.ts';
import { answerUnreadable, correlationIdOf, guardRequests, headersOf } from './http/limits.ts';
import { apiLogger } from './observing/logger.ts';
import { followEvents } from './observing/follow-events.ts';
import { apiMetrics } from './observing/metrics.ts';
import { observeRequests } from './observing/observe.ts';
import { assertPermitted, documentOf, routesOf } from './openapi/document.ts';
import { sendProblem, toProblem } from './problems/problem.filter.ts';
import { readinessOf, type Dependency } from './queries/health/readiness.ts';
import type { Trainings } from './queries/workers/trainings.ts';
import { sourcesOf } from './observing/sources.ts';

export interface ApiOptions {
  readonly ledger: Ledger;
  readonly config: ApiConfig;
  /** Folder that holds the studies which can be registered; null: none can be here. */
  readonly studiesFolder?: string | null;
  /** The trainings on Redis, for dead letters and announcements; null: there is none. */
  readonly trainings?: Trainings | null;
  /** Where the log of requests goes, as JSON lines. Default: the standard output. */
  readonly logTo?: DestinationStream;
  /** What must be reachable besides the ledger, for the readiness. */
  readonly dependencies?: readonly Dependency[];
  /** Stops the server when it is aborted. */
  readonly signal?: AbortSignal;
}

const HEARTBEAT_MS = 15_000;

export interface Api {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more requests, finishes those under way within a bound, tells streams to come back later. Resolves when
   * the last connection is closed. Calling it again waits for the same end.
   */
  close(): Promise<void>;
  /** Resolves when the server has ended, however that came. */
  readonly ended: Promise<void>;
}

/** Starts the API on a ledger. Throws where the address can't be had, or may not be had without TLS. */
export const startApi = async ({
  ledger,
  config,
  studiesFolder = null,
  trainings = null,
  logTo = process.stdout,
  dependencies = [],
  signal,
}: ApiOptions): Promise<Api> => {
  const host = config.host ?? '127.0.0.1';
  refuseOpenAir(host, config);
  const limits: Limits = { ...LIMITS, ...config.limits };
  const stopping = new AbortController();
  const logger = apiLogger(logTo);
  const metrics = apiMetrics({ version: VERSION, ...sourcesOf(ledger) });
  const document = { value: {} as object };
  const app = await createApp(
    {
      ledger,
      limits,
      local: localTokens(ledger.folder, ledger.clock),
      oidc: config.oidc === undefined || config.oidc === null ? null : openOidc(config.oidc),
      logger,
      metrics,
      readiness: readinessOf([...ledgerDependencies(ledger), ...dependencies]),
      document,
      stopping: stopping.signal,
      studiesFolder,
      trainings,
      publicLog: config.publicLog ?? false,
      heartbeatMs: config.heartbeatMs ?? HEARTBEAT_MS,
    },
    config.tls ?? null,
  );
  const described = documentOf(app, VERSION);
  assertPermitted(routesOf(described));
  document.value = described;
  await app.listen(config.port, host);
  const counting = followEvents(ledger, metrics, logger, stopping.signal);
  const { port } = app.getHttpServer().address() as AddressInfo;

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      stopping.abort();
      // A log that hangs keeps nobody from ending.
      const bound = new AbortController();
      await Promise.all([
        endWithin(app, limits.shutdownMs),
        Promise.race([
          counting,
          sleep(limits.shutdownMs, undefined, { signal: bound.signal }).catch(() => undefined),
        ]).finally(() => {
          bound.abort();
        }),
      ]);
      resolve();
    })();
    return closing;
  };
  signal?.addEventListener('abort', () => void close(), { once: true });
  if (signal?.aborted === true) void close();
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${config.tls ? 'https' : 'http'}://${shown}:${port}`,
    port,
    close,
    ended,
  };
};

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

const refuseOpenAir = (host: string, { tls, behindTlsProxy = false }: ApiConfig): void => {
  if (LOOPBACK.includes(host) || (tls !== undefined && tls !== null) || behindTlsProxy) return;
  throw new Error(
    `found plain HTTP on ${host}, expected TLS beyond this machine: tokens would be overheard. Give a certificate, listen on 127.0.0.1, or say that a proxy in front ends TLS`,
  );
};

/** The application, before it listens. */
export const createApp = async (
  parts: Parts,
  tls: ApiConfig['tls'],
): Promise<NestFastifyApplication> => {
  const { limits, logger, metrics, stopping } = parts;
  const adapter = new FastifyAdapter({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.arrivalMs,
    connectionTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    // Its own answer has another form; ours is given by a hook.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    genReqId: (request: IncomingMessage) => correlationIdOf(request),
    clientErrorHandler: answerUnreadable,
    // What the router can't read comes past every hook.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.headers(headersOf(request));
      sendProblem(toProblem(error), request, reply);
    },
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
    ...(tls !== null && tls !== undefined
      ? { https: { ...tls, maxHeaderSize: limits.headerBytes } }
      : { http: { maxHeaderSize: limits.headerBytes } }),
  } as never);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.of(parts), adapter, {
    logger: logger.nest,
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  observeRequests(fastify, { logger, metrics });
  guardRequests(fastify, limits, stopping);
  await app.init();
  return app;
};

const ledgerDependencies = (ledger: Ledger): readonly Dependency[] => [
  {
    name: 'event-log',
    look: async () => {
      for await (const { position } of ledger.log.readStored({ limit: 1 }))
        return `first position ${position}`;
      return 'empty';
    },
  },
  {
    name: 'views',
    look: async () => {
      const { lag } = await sourcesOf(ledger).viewsLag();
      return `${lag} events behind`;
    },
  },
  {
    name: 'repository',
    look: async () => {
      await ledger.sourceTree.readRef('accepted/none');
      return 'readable';
    },
  },
];

/** Ends in order, or within the bound. */
const endWithin = async (app: NestFastifyApplication, milliseconds: number): Promise<void> => {
  const late = new AbortController();
  const closed = app.close().finally(() => {
    late.abort();
  });
  const server = app.getHttpServer();
  // Whatever becomes idle goes at once, whatever does not at the end.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await sleep(milliseconds, undefined, { signal: late.signal }).catch(() => undefined);
  clearInterval(idle);
  if (!late.signal.aborted) server.closeAllConnections();
  await closed;
};
