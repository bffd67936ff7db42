import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Ledger } from '#apps/runner';
import type { LocalTokens, Principal } from '#libs/access';
import { Caller } from '../../access/access.guard.ts';
import { authenticate } from '../../access/authenticate.ts';
import type { Oidc } from '../../access/oidc.ts';
import { mayCall } from '../../access/permissions.ts';
import type { Limits } from '../../config.ts';
import { Operation } from '../../http/operation.ts';
import { RunPath } from '../../http/paths.ts';
import { dropStalled } from '../../http/stalled.ts';
import { visibleRun } from '../../ledger/visible.ts';
import type { ApiLogger } from '../../observing/logger.ts';
import type { Metrics } from '../../observing/metrics.ts';
import { ProblemFound } from '../../problems/problems.ts';
import {
  HEARTBEAT,
  LEDGER,
  LIMITS_IN_FORCE,
  LOCAL_TOKENS,
  LOGGER,
  METRICS,
  OIDC,
  STOPPING,
  STREAMS,
} from '../../tokens.ts';
import { eventsOfRun, isOver } from './events-of-run.ts';
import { frames } from './frames.ts';
import type { OpenStreams } from './open-streams.ts';

@ApiTags('runs')
@Controller('v1/runs/:runId/watch')
export class WatchRunController {
  private readonly ledger: Ledger;
  private readonly limits: Limits;
  private readonly heartbeatMs: number;
  private readonly stopping: AbortSignal;
  private readonly open: OpenStreams;
  private readonly metrics: Metrics;
  private readonly logger: ApiLogger;
  private readonly local: LocalTokens;
  private readonly oidc: Oidc | null;
  constructor(
    @Inject(LEDGER) ledger: Ledger,
    @Inject(LIMITS_IN_FORCE) limits: Limits,
    @Inject(HEARTBEAT) heartbeatMs: number,
    @Inject(STOPPING) stopping: AbortSignal,
    @Inject(STREAMS) open: OpenStreams,
    @Inject(METRICS) metrics: Metrics,
    @Inject(LOGGER) logger: ApiLogger,
    @Inject(LOCAL_TOKENS) local: LocalTokens,
    @Inject(OIDC) oidc: Oidc | null,
  ) {
    this.ledger = ledger;
    this.limits = limits;
    this.heartbeatMs = heartbeatMs;
    this.stopping = stopping;
    this.open = open;
    this.metrics = metrics;
    this.logger = logger;
    this.local = local;
    this.oidc = oidc;
  }

  @Get()
  @Operation({
    id: 'watchRun',
    kind: 'read',
    streams: true,
    summary: 'Watch a run',
    description:
      'Server-sent events: each event of the run and of its findings, from the first one on, as it is recorded. `id` is the position in the log; a client that was cut off sends it back as Last-Event-ID and goes on after it, without a gap and without a repetition. Ends with the run; whoever comes back then is told 204. A client that does not read is dropped, and one whose token is no longer good.',
    refusals: ['run-unknown', 'too-many-streams'],
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Go on after this position',
    schema: { type: 'string', pattern: '^[0-9]{1,16}$' },
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({
    description: 'Events until the run is over',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 204, description: 'The run is over, and there is nothing after that id' })
  async watch(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const found = await visibleRun(this.ledger, caller, runId);
    const after = positionOf(lastEventId);
    if (after !== null && isOver(found) && after >= (found.run?.head.position ?? after)) {
      void reply.code(204).send();
      return;
    }
    // Gone before anything was opened for it: its close was said already, and would not be said again.
    if (reply.raw.destroyed) return;
    const leave = this.open.enter(caller.subject);
    const [gone, lapsed] = [new AbortController(), new AbortController()];
    const ending = AbortSignal.any([gone.signal, lapsed.signal, this.stopping]);
    const stream = Readable.from(
      frames(eventsOfRun(this.ledger, found, after, ending), {
        heartbeatMs: this.heartbeatMs,
        stopping: this.stopping,
        lapsed: lapsed.signal,
        gone: gone.signal,
      }),
      { objectMode: false, highWaterMark: 64 * 1024 },
    );
    this.metrics.streamOpened();
    dropStalled(reply, this.limits.streamStallMs, () => {
      this.logger.log.info({ correlationId: reply.request.id, runId }, 'dropped a slow reader');
    });
    reply.raw.once('close', () => {
      gone.abort();
      leave();
      this.metrics.streamClosed();
    });
    void this.whileLetIn(reply.request.headers.authorization, runId, ending).then(() => {
      lapsed.abort();
    });
    void reply
      .headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies that gather answers would hold events back.
        'x-accel-buffering': 'no',
      })
      .send(stream);
  }

  /** Resolves when the stream has ended, or when whoever opened it would not be let in any more. */
  private async whileLetIn(
    authorization: string | undefined,
    runId: string,
    ending: AbortSignal,
  ): Promise<void> {
    try {
      for (;;) {
        await sleep(this.limits.streamCheckMs, undefined, { signal: ending });
        const now = await authenticate(authorization, {
          local: this.local,
          oidc: this.oidc,
          erasables: this.ledger.erasables,
        });
        if (!mayCall('watchRun', now.role)) return;
        await visibleRun(this.ledger, now, runId);
      }
    } catch {
      // Ended, or refused, or it can't be said: whoever comes back is told which.
    }
  }
}

const positionOf = (lastEventId: string | undefined): number | null => {
  if (lastEventId === undefined || lastEventId === '') return null;
  if (/^\d{1,16}$/.test(lastEventId) && Number.isSafeInteger(Number(lastEventId)))
    return Number(lastEventId);
  throw new ProblemFound('request-invalid', 'the request has a problem; nothing was done', {
    errors: [{ parameter: 'Last-Event-ID', detail: 'must be the id of an event of this stream' }],
  });
};
