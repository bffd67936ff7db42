import { setTimeout as sleep } from 'node:timers/promises';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { recordedReason, sealReason, type Ledger, type OutsideRequest } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok, type SealedText } from '#libs/kernel';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Words } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { RunPath } from '../../http/paths.ts';
import { refusedBecause, visibleRun } from '../../ledger/visible.ts';
import { ProblemFound } from '../../problems/problems.ts';
import { LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';
import { granted, inTrace } from '../granted.ts';

export class ReasonBody {
  @Words(300, { about: 'Why: one line of plain text', example: 'the data were replaced' })
  reason!: string;
}

export class EndedRun {
  @ApiProperty({ example: 'pay-1' }) runId!: string;
  @ApiProperty({ enum: ['halted', 'stopped'] }) ended!: 'halted' | 'stopped';
  @ApiProperty() reason!: string;
}

/** How often a loop that is in the middle of an iteration is looked at again. */
const POLL_MS = 100;

@ApiTags('runs')
@Controller('v1/runs/:runId')
export class EndRunController {
  private readonly ledger: Ledger;
  private readonly limits: Limits;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(LIMITS_IN_FORCE) limits: Limits) {
    this.ledger = ledger;
    this.limits = limits;
  }

  @Post('halt')
  @HttpCode(200)
  @Operation({
    id: 'haltRun',
    kind: 'command',
    summary: 'Halt a run',
    description: 'Ends a run for good: nothing resumes it, and it yields no findings.',
    refusals: ['run-unknown', 'not-now', 'over', 'no-reason'],
  })
  @ApiOkResponse({ type: EndedRun })
  async halt(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { reason }: ReasonBody,
    @Req() request: FastifyRequest,
  ): Promise<EndedRun> {
    await this.assertOpened(caller, runId);
    const outside = outsideRequest(caller, 'haltRun', request);
    const sealed = await this.seal(runId, 'RunHalted', reason);
    const { events } = inTrace(runId, granted(await this.send('HaltRun', runId, sealed, outside)));
    return { runId, ended: 'halted', reason: await recordedReason(this.ledger, events, reason) };
  }

  @Post('stop')
  @HttpCode(200)
  @Operation({
    id: 'stopRun',
    kind: 'command',
    summary: "Stop a run's loop",
    description:
      'Ends the loop between two iterations; what was kept goes on to its findings. Waits a while for the iteration under way, and is refused with `not-now` where that takes longer: send it again under the same key.',
    refusals: ['run-unknown', 'not-now', 'over', 'no-reason'],
  })
  @ApiOkResponse({ type: EndedRun })
  async stop(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Body() { reason }: ReasonBody,
    @Req() request: FastifyRequest,
  ): Promise<EndedRun> {
    await this.assertOpened(caller, runId);
    const outside = outsideRequest(caller, 'stopRun', request);
    const sealed = await this.seal(runId, 'LoopEnded', reason);
    const until = performance.now() + this.limits.answerMs * 0.8;
    for (;;) {
      const sent = await this.send('StopLoop', runId, sealed, outside);
      const early = !sent.ok && ['not-now', 'lost-race'].includes(sent.error.code);
      if (!early || performance.now() > until) {
        const { events } = inTrace(runId, granted(sent));
        const recorded = await recordedReason(this.ledger, events, reason);
        return { runId, ended: 'stopped', reason: recorded };
      }
      await sleep(POLL_MS);
    }
  }

  /** Once a request: its tries send the same bytes. */
  private async seal(
    runId: string,
    type: 'RunHalted' | 'LoopEnded',
    reason: string,
  ): Promise<SealedText> {
    return granted(await sealReason(this.ledger, reason, { stream: `run-${runId}`, type }));
  }

  private send(
    type: 'HaltRun' | 'StopLoop',
    runId: string,
    reason: SealedText,
    outside: OutsideRequest,
  ) {
    return this.ledger.runs.request(runId, outside, async () =>
      ok({ type, id: outside.commandId, data: { reason } }),
    );
  }

  private async assertOpened(caller: Principal, runId: string): Promise<void> {
    const found = await visibleRun(this.ledger, caller, runId);
    if (found.run !== null) return;
    throw new ProblemFound(
      'not-now',
      refusedBecause(found) === null
        ? `found run ${runId} not opened yet, expected an open one; try again when it is`
        : `found run ${runId} refused, expected an open one; there is nothing to end`,
    );
  }
}
