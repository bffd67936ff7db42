import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { FLEET, sealReason, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import { keyIdOf } from '#libs/signatures';
import { Caller } from '../../access/access.guard.ts';
import { outsideRequest } from '../../http/idempotency.ts';
import { Id } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { AdmittedWorker } from '../../queries/workers/workers.controller.ts';
import { LEDGER } from '../../tokens.ts';
import { ReasonBody } from '../end-run/end-run.controller.ts';
import { granted } from '../granted.ts';

/** Base64 of 32 bytes. */
const PUBLIC_KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

export class AdmitWorkerBody {
  @Matches(PUBLIC_KEY, { message: 'must be base64 of the 32 bytes of an Ed25519 public key' })
  @ApiProperty({
    description:
      'As the worker printed it when it started: compare it there, not in its announcement',
    pattern: PUBLIC_KEY.source,
  })
  publicKey!: string;

  @Id({ about: 'What the host is called from now on', example: 'gpu-1' }) label!: string;
}

export class WorkerPath {
  @Matches(/^[0-9a-f]{16}$/, { message: 'must be 16 hex digits' })
  @ApiProperty({ description: "A worker's key id", pattern: '^[0-9a-f]{16}$' })
  keyId!: string;
}

@ApiTags('fleet')
@Controller('v1/workers')
export class AdmitWorkerController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Post()
  @HttpCode(200)
  @Operation({
    id: 'admitWorker',
    kind: 'command',
    summary: 'Admit a worker',
    description: 'From now on its signatures on trainings are taken, in runs that open later.',
    refusals: ['other-key', 'other-label', 'bad-label'],
  })
  @ApiOkResponse({ type: AdmittedWorker })
  async admit(
    @Caller() caller: Principal,
    @Body() { publicKey, label }: AdmitWorkerBody,
    @Req() request: FastifyRequest,
  ): Promise<AdmittedWorker> {
    const outside = outsideRequest(caller, 'admitWorker', request);
    const keyId = keyIdOf(Buffer.from(publicKey, 'base64'));
    granted(
      await this.ledger.fleet.request(FLEET, outside, async () =>
        ok({ type: 'AdmitWorker', id: outside.commandId, data: { keyId, publicKey, label } }),
      ),
    );
    return { keyId, publicKey, label, standing: 'admitted' };
  }

  @Post(':keyId/dismissal')
  @HttpCode(200)
  @Operation({
    id: 'dismissWorker',
    kind: 'command',
    summary: 'Dismiss a worker',
    description: 'Nothing that its key signs is taken from here on. What it signed before stands.',
    refusals: ['unknown-worker', 'no-reason'],
  })
  @ApiOkResponse({ type: AdmittedWorker })
  async dismiss(
    @Caller() caller: Principal,
    @Param() { keyId }: WorkerPath,
    @Body() { reason }: ReasonBody,
    @Req() request: FastifyRequest,
  ): Promise<AdmittedWorker> {
    const outside = outsideRequest(caller, 'dismissWorker', request);
    const sealed = granted(
      await sealReason(this.ledger, reason, { stream: FLEET, type: 'WorkerDismissed' }),
    );
    granted(
      await this.ledger.fleet.request(FLEET, outside, async () =>
        ok({ type: 'DismissWorker', id: outside.commandId, data: { keyId, reason: sealed } }),
      ),
    );
    const { state } = await this.ledger.fleet.load(FLEET);
    const worker = state.workers[keyId];
    if (worker === undefined) throw new Error(`worker ${keyId} was dismissed, and is not there`);
    return { ...worker, standing: 'dismissed' };
  }
}
