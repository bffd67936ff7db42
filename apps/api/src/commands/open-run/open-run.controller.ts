import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import type { RunRequested } from '#libs/studies';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Id, Whole } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { StudyPath } from '../../http/paths.ts';
import { visibleStudy } from '../../ledger/visible.ts';
import { LEDGER } from '../../tokens.ts';
import { granted, inTrace } from '../granted.ts';

export class OpenRunBody {
  @Whole(0, Number.MAX_SAFE_INTEGER, {
    about: "Seed of everything that is drawn; default: the run's number in its study",
    optional: true,
  })
  seed?: number;

  @Id({
    about:
      'Opaque id of the agent outside that alone may propose (the subject of its token); default: the built-in search agent proposes',
    optional: true,
  })
  agent?: string;
}

export class RequestedRunAnswer {
  @ApiProperty({ example: 'pay-1' }) runId!: string;
  @ApiProperty({ example: 'pay' }) studyId!: string;
  @ApiProperty({ type: 'integer' }) number!: number;
  @ApiProperty({ type: 'integer' }) seed!: number;
  @ApiProperty({ type: 'string', nullable: true }) agent!: string | null;
  @ApiProperty({ enum: ['requested'] }) status!: 'requested';
}

@ApiTags('runs')
@Controller('v1/studies/:studyId/runs')
export class OpenRunController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post()
  @HttpCode(202)
  @Operation({
    id: 'openRun',
    kind: 'command',
    summary: 'Ask for a run',
    description:
      'The run has its number from here on; a runner opens it and drives it to its end. Look at it under Location: it is `requested` until then, and `refused` with the reason where it can not be opened.',
    refusals: ['study-unknown', 'other-request'],
  })
  @ApiAcceptedResponse({
    type: RequestedRunAnswer,
    headers: { Location: { schema: { type: 'string' } } },
  })
  async open(
    @Caller() caller: Principal,
    @Param() { studyId }: StudyPath,
    @Body() { seed, agent }: OpenRunBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RequestedRunAnswer> {
    await visibleStudy(this.ledger, caller, studyId);
    const outside = outsideRequest(caller, 'openRun', request);
    const sent = granted(
      await this.ledger.studies.request(studyId, outside, async ({ state }) =>
        ok({
          type: 'RequestRun',
          id: outside.commandId,
          data: {
            runId: `${studyId}-${state.lastNumber + 1}`,
            seed: seed ?? null,
            agent: agent ?? null,
          },
        }),
      ),
    );
    const [event] = sent.events;
    if (event === undefined) throw new Error('a run was asked for, and nothing was recorded');
    const requested = event.data as RunRequested['data'];
    inTrace(requested.runId, sent);
    void reply.header('location', `/v1/runs/${requested.runId}`);
    return {
      runId: requested.runId,
      studyId,
      number: requested.number,
      seed: requested.seed,
      agent: requested.agent,
      status: 'requested',
    };
  }
}
