import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { verdictOn, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Operation } from '../../http/operation.ts';
import { FindingPath } from '../../http/paths.ts';
import { inSlot, type Slots } from '../../http/slots.ts';
import { assertFindingVisible } from '../../ledger/visible.ts';
import { isDamaged } from '../../problems/broken.ts';
import { HEAVY_WORK, LEDGER } from '../../tokens.ts';
import { granted } from '../granted.ts';

export class VerdictRowAnswer {
  @ApiProperty({ example: 'hash-chain' }) row!: string;
  @ApiProperty() passed!: boolean;
  @ApiProperty() found!: string;
  @ApiProperty() expected!: string;
}

export class VerdictAnswer {
  @ApiProperty({ example: 'pay-1-f1' }) findingId!: string;
  @ApiProperty({ enum: ['PASS', 'BLOCK'] }) verdict!: 'PASS' | 'BLOCK';
  @ApiProperty({ type: () => VerdictRowAnswer, isArray: true })
  rows!: readonly VerdictRowAnswer[];
  @ApiProperty({ description: "How far the verdict rests on the operator's word" }) trust!: string;
  @ApiProperty({
    description:
      "Whether a runner was asked to record the verdict; not where the finding's own events are damaged, which take no more",
  })
  requested!: boolean;
}

@ApiTags('findings')
@Controller('v1/findings/:findingId/verification')
export class RequestVerificationController {
  private readonly ledger: Ledger;
  private readonly slots: Slots;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(HEAVY_WORK) slots: Slots) {
    this.ledger = ledger;
    this.slots = slots;
  }

  @Post()
  @HttpCode(200)
  @Operation({
    id: 'verifyFinding',
    kind: 'command',
    summary: 'Verify a finding',
    description:
      "Walks the finding's chain back to its pinned source now, from the log's stored bytes and the git objects alone, and answers every row. A runner is asked to record a verdict that has changed, with its signature. The answer is the verdict of this moment, a repetition's too. What PASS proves is provenance, not validity.",
    refusals: ['finding-unknown', 'busy'],
  })
  @ApiOkResponse({ type: VerdictAnswer })
  async verify(
    @Caller() caller: Principal,
    @Param() { findingId }: FindingPath,
    @Req() request: FastifyRequest,
  ): Promise<VerdictAnswer> {
    await assertFindingVisible(this.ledger, caller, findingId);
    return inSlot(this.slots, caller.subject, async () => {
      const requested = await this.ask(caller, findingId, request);
      const { verdict, rows, trust } = await verdictOn(this.ledger, findingId);
      return { findingId, verdict, rows, trust, requested };
    });
  }

  private async ask(
    caller: Principal,
    findingId: string,
    request: FastifyRequest,
  ): Promise<boolean> {
    const outside = outsideRequest(caller, 'verifyFinding', request);
    try {
      granted(
        await this.ledger.findings.request(findingId, outside, async () =>
          ok({ type: 'RequestVerification', id: outside.commandId, data: {} }),
        ),
      );
      return true;
    } catch (error) {
      if (isDamaged(error)) return false;
      throw error;
    }
  }
}
