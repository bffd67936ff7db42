import { createHash } from 'node:crypto';
import { Controller, Get, Inject, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { exportFrom, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { FINDING_EXPORT_NAMES, FINDING_EXPORTS, type FindingExport } from '#libs/exports';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { matches } from '../../http/etag.interceptor.ts';
import { placeForFile } from '../../http/formats.ts';
import { OneOf } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { FindingPath } from '../../http/paths.ts';
import { inSlot, type Slots } from '../../http/slots.ts';
import { assertFindingVisible } from '../../ledger/visible.ts';
import { problemOf } from '../../problems/problems.ts';
import { HEAVY_WORK, LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';

export class FindingExportPath extends FindingPath {
  @OneOf(FINDING_EXPORT_NAMES, { about: 'What to write it as', example: 'prov' })
  format!: FindingExport;
}

/** Every media type of an export, without its parameters. */
const MEDIA_TYPES = FINDING_EXPORT_NAMES.map(
  (name) => FINDING_EXPORTS[name].mediaType.split(';')[0] ?? '',
);

@ApiTags('findings')
@Controller('v1/findings/:findingId/exports')
export class FindingExportsController {
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

  @Get(':format')
  @Operation({
    id: 'getFindingExport',
    kind: 'read',
    summary: "A finding in a format that auditors' tools read",
    description: `The same bytes while nothing more is recorded of the finding; what the log doesn't hold is not filled in. Formats: ${FINDING_EXPORT_NAMES.map((name) => `\`${name}\` (${FINDING_EXPORTS[name].about})`).join('; ')}. The API holds no key: what is signed is had from \`holdfast export\`.`,
    refusals: [
      'finding-unknown',
      'evidence-missing',
      'export-needs-key',
      'export-too-large',
      'busy',
    ],
  })
  @ApiOkResponse({
    description: 'The file',
    headers: { ETag: { schema: { type: 'string' }, description: 'Of the file' } },
    content: Object.fromEntries(
      MEDIA_TYPES.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
    ),
  })
  async give(
    @Caller() caller: Principal,
    @Param() { findingId, format }: FindingExportPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    await assertFindingVisible(this.ledger, caller, findingId);
    const exported = await inSlot(this.slots, caller.subject, () =>
      exportFrom(this.ledger, findingId, format, null, this.limits.exportEvents),
    );
    if (!exported.ok) throw problemOf(exported.error);
    const { name, mediaType, bytes } = exported.value;
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
    void reply.headers({
      etag,
      'cache-control': 'private, no-cache',
      vary: 'Authorization, Accept',
    });
    if (matches(request.headers['if-none-match'], etag)) {
      void reply.code(304);
      return undefined;
    }
    const leave = placeForFile({
      slots: this.slots,
      subject: caller.subject,
      reply,
      stallMs: this.limits.streamStallMs,
    });
    const file = new StreamableFile(bytes, {
      type: mediaType,
      disposition: `attachment; filename="${name}"`,
    });
    file.getStream().once('close', leave);
    return file;
  }
}
