import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { recordedReason, sealReason, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { OneOf, Words } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { FindingPath } from '../../http/paths.ts';
import { visibleFinding } from '../../ledger/visible.ts';
import { LEDGER } from '../../tokens.ts';
import { granted } from '../granted.ts';

export class ReviewBody {
  @OneOf(['accepted', 'rejected'], {
    about: 'Accepting one with PASS moves the accepted line to it',
  })
  decision!: 'accepted' | 'rejected';

  @Words(300, { about: 'Why: one line of plain text' }) reason!: string;
}

export class ReviewedFinding {
  @ApiProperty({ example: 'pay-1-f1' }) findingId!: string;
  @ApiProperty({ enum: ['accepted', 'rejected'] }) decision!: 'accepted' | 'rejected';
  @ApiProperty() reason!: string;
}

@ApiTags('findings')
@Controller('v1/findings/:findingId/review')
export class ReviewFindingController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post()
  @HttpCode(200)
  @Operation({
    id: 'reviewFinding',
    kind: 'command',
    summary: 'Accept or reject a finding',
    description:
      "A human's word on a finding, with the reason. Only one with PASS can be accepted; only that moves the accepted line.",
    refusals: ['finding-unknown', 'not-verified', 'no-reason'],
  })
  @ApiOkResponse({ type: ReviewedFinding })
  async review(
    @Caller() caller: Principal,
    @Param() { findingId }: FindingPath,
    @Body() { decision, reason }: ReviewBody,
    @Req() request: FastifyRequest,
  ): Promise<ReviewedFinding> {
    await visibleFinding(this.ledger, caller, findingId);
    const outside = outsideRequest(caller, 'reviewFinding', request);
    const sealed = granted(
      await sealReason(this.ledger, reason, {
        stream: `finding-${findingId}`,
        type: 'FindingReviewed',
      }),
    );
    const { events } = granted(
      await this.ledger.findings.request(findingId, outside, async () =>
        ok({
          type: 'ReviewFinding',
          id: outside.commandId,
          data: { decision, reason: sealed },
        }),
      ),
    );
    return { findingId, decision, reason: await recordedReason(this.ledger, events, reason) };
  }
}
