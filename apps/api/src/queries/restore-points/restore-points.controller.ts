import { createGzip } from 'node:zlib';
import { Controller, Get, Inject, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { restoreState, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { RestorePointRow } from '#libs/read-models';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { placeForFile } from '../../http/formats.ts';
import { matches } from '../../http/etag.interceptor.ts';
import { Operation } from '../../http/operation.ts';
import { RestorePointPath } from '../../http/paths.ts';
import { inSlot, type Slots } from '../../http/slots.ts';
import { freshViews } from '../../ledger/views.ts';
import { visibleStudy } from '../../ledger/visible.ts';
import { problemOf, ProblemFound } from '../../problems/problems.ts';
import { HEAVY_WORK, LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';
import { tarOf } from './tar.ts';

export class RestorePointState {
  @ApiProperty() runId!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The restore point as the log has it',
  })
  restorePoint!: unknown;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: "The run's state just before the mutation, made anew from the events up to there",
  })
  state!: unknown;
}

@ApiTags('ledgers')
@Controller('v1/restore-points/:restorePointId')
export class RestorePointsController {
  private readonly ledger: Ledger;
  private readonly slots: Slots;
  private readonly limits: Limits;
  constructor(
    @Inject(LEDGER) ledger: Ledger,
    @Inject(HEAVY_WORK) slots: Slots,
    @Inject(LIMITS_IN_FORCE) limits: Limits,
  ) {
    this.ledger = ledger;
    this.slots = slots;
    this.limits = limits;
  }

  @Get()
  @Operation({
    id: 'getRestorePoint',
    kind: 'read',
    summary: 'The state at a restore point',
    description:
      'Made anew from the events up to there and held against what the restore point says; refused where they differ.',
    refusals: [
      'restore-point-unknown',
      'restore-point-absent',
      'restore-point-contradicted',
      'busy',
    ],
  })
  @ApiOkResponse({ type: RestorePointState })
  async state(
    @Caller() caller: Principal,
    @Param() { restorePointId }: RestorePointPath,
  ): Promise<RestorePointState> {
    await this.find(caller, restorePointId);
    const restored = await inSlot(this.slots, caller.subject, () =>
      restoreState(this.ledger, restorePointId, null),
    );
    if (!restored.ok) throw problemOf(restored.error);
    const { runId, restorePoint, state } = restored.value;
    return { runId, restorePoint, state };
  }

  @Get('tree')
  @Operation({
    id: 'getRestorePointTree',
    kind: 'read',
    summary: "The program's files at a restore point, as an archive",
    description:
      'A tar archive, compressed by gzip: the same bytes each time. Its comment is the git tree that the files hash to.',
    refusals: ['restore-point-unknown', 'busy'],
  })
  @ApiProduces('application/gzip')
  @ApiOkResponse({
    description: 'The archive',
    content: { 'application/gzip': { schema: { type: 'string', format: 'binary' } } },
  })
  async tree(
    @Caller() caller: Principal,
    @Param() { restorePointId }: RestorePointPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const { tree } = await this.find(caller, restorePointId);
    const etag = `"${tree}"`;
    const headers = { etag, 'cache-control': 'private, no-cache', vary: 'Authorization, Accept' };
    if (matches(request.headers['if-none-match'], etag)) {
      void reply.code(304).headers(headers);
      return undefined;
    }
    const files = await inSlot(this.slots, caller.subject, () =>
      this.ledger.sourceTree.readFiles(tree),
    );
    if (!files.ok)
      throw new ProblemFound(
        'ledger-damaged',
        'a file of this tree is missing or damaged; the operator restores the repository from a copy',
        { because: files.error.message },
      );
    const leave = placeForFile({
      slots: this.slots,
      subject: caller.subject,
      reply,
      stallMs: this.limits.streamStallMs,
    });
    void reply.headers(headers);
    const archive = tarOf(tree, files.value).pipe(createGzip({ level: 9 }));
    archive.once('close', leave);
    return new StreamableFile(archive, {
      type: 'application/gzip',
      disposition: `attachment; filename="${tree.slice(0, 12)}.tar.gz"`,
    });
  }

  private async find(caller: Principal, restorePointId: string): Promise<RestorePointRow> {
    const views = await freshViews(this.ledger);
    const { rows } = await views.restoreSource({ restorePoint: restorePointId });
    const [row] = rows;
    const unknown = new ProblemFound(
      'restore-point-unknown',
      `found no restore point ${restorePointId}; GET /v1/restore-points lists them`,
    );
    if (row === undefined) throw unknown;
    await visibleStudy(this.ledger, caller, row.studyId).catch((error: unknown) => {
      throw error instanceof ProblemFound && error.code === 'study-unknown' ? unknown : error;
    });
    return row;
  }
}
