import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOG_TREE, makeBundle, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { readLogTree } from '#libs/log-tree';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { placeForFile } from '../../http/formats.ts';
import { Id, OneOf, WholeInUrl } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { DEFAULT_ROWS, linkNext, OrderedPageQuery, placeOf } from '../../http/paging.ts';
import { FindingPath } from '../../http/paths.ts';
import type { Slots } from '../../http/slots.ts';
import { inOrder, FINDING_COLUMNS } from '../../ledger/columns.ts';
import { freshViews, pageFor } from '../../ledger/views.ts';
import { visibleFinding, visibleRun, visibleStudy } from '../../ledger/visible.ts';
import { pageSchema, rowSchema } from '../../openapi/columns.ts';
import { problemOf, ProblemFound } from '../../problems/problems.ts';
import { HEAVY_WORK, LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';

export class FindingsQuery extends OrderedPageQuery {
  @Id({ about: 'Only of this study', optional: true }) study?: string;
  @Id({ about: 'Only of this run', optional: true }) run?: string;
  @OneOf(['PASS', 'BLOCK'], { about: 'Only with this verdict', optional: true })
  verdict?: 'PASS' | 'BLOCK';
  @OneOf(['none', 'accepted', 'rejected'], { about: 'Only these', optional: true })
  review?: 'none' | 'accepted' | 'rejected';
}

export class BundleQuery {
  @WholeInUrl(1, 999_999_999_999_999, {
    about: 'Over a checkpoint of at least so many events',
    optional: true,
  })
  atLeast?: number;
}

@ApiTags('findings')
@Controller('v1/findings')
export class FindingsController {
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
    id: 'listFindings',
    kind: 'read',
    summary: 'The findings',
    description:
      'Findings with estimate, interval, n, the verdict as it was last recorded, and what people said; in log order. What PASS proves is provenance, not validity.',
    refusals: ['study-unknown', 'run-unknown', 'cursor-invalid'],
  })
  @ApiOkResponse({ schema: pageSchema(FINDING_COLUMNS) })
  async list(
    @Caller() caller: Principal,
    @Query() query: FindingsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (query.study !== undefined) await visibleStudy(this.ledger, caller, query.study);
    if (query.run !== undefined) await visibleRun(this.ledger, caller, query.run);
    const { limit = DEFAULT_ROWS, cursor: _, ...filter } = query;
    const page = await pageFor(this.ledger, caller, 'findings', {
      ...filter,
      limit,
      cursor: placeOf(request),
    });
    return {
      rows: page.rows.map((row) => inOrder(FINDING_COLUMNS, row)),
      next: linkNext(page.next, request, reply),
    };
  }

  @Get(':findingId')
  @Operation({
    id: 'getFinding',
    kind: 'read',
    summary: 'A finding',
    description: 'A finding with its verdict as it was last recorded, row by row.',
    refusals: ['finding-unknown'],
  })
  @ApiOkResponse({ schema: rowSchema(FINDING_COLUMNS) })
  async show(@Caller() caller: Principal, @Param() { findingId }: FindingPath) {
    await visibleFinding(this.ledger, caller, findingId);
    const views = await freshViews(this.ledger);
    const { rows } = await views.findings({ finding: findingId });
    const [row] = rows;
    // The log has it, the views do not yet: somebody else projects them.
    if (row === undefined)
      throw new ProblemFound('unavailable', 'the views have not come that far; try again');
    return inOrder(FINDING_COLUMNS, row);
  }

  @Get(':findingId/bundle')
  @Operation({
    id: 'getFindingBundle',
    kind: 'read',
    streams: true,
    summary: 'The bundle of a finding',
    description:
      "One file that proves the finding to whoever has the log's key: events, git objects, proofs, checkpoint with signatures (docs/reference/bundle-format.md). The same bytes each time, until something is recorded of the finding itself or the log changes its key. It holds the data's stream, which names the runs of all studies that looked at the same rows. The header Holdfast-Verifier-Key says the log's key; believe one that came on another way.",
    refusals: ['finding-unknown', 'not-sealed', 'subject-unreadable', 'busy'],
  })
  @ApiProduces('application/jsonl')
  @ApiOkResponse({
    description: 'The bundle',
    headers: {
      'Holdfast-Verifier-Key': {
        schema: { type: 'string' },
        description: 'The key that signs the log (C2SP signed-note)',
      },
    },
    content: { 'application/jsonl': { schema: { type: 'string', format: 'binary' } } },
  })
  async bundle(
    @Caller() caller: Principal,
    @Param() { findingId }: FindingPath,
    @Query() { atLeast }: BundleQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    await visibleFinding(this.ledger, caller, findingId);
    const leave = placeForFile({
      slots: this.slots,
      subject: caller.subject,
      reply,
      stallMs: this.limits.streamStallMs,
    });
    let close = leave;
    try {
      const made = await makeBundle(this.ledger, {
        subject: { kind: 'finding', id: findingId },
        ...(atLeast !== undefined && { atLeast }),
        // Who signs is the notary: a host that answers holds no key.
        seal: null,
        tree: () => readLogTree(join(this.ledger.folder, LOG_TREE)),
      });
      if (!made.ok) throw problemOf(made.error);
      const { bytes, verifierKey, close: closeTree } = made.value;
      close = () => {
        closeTree();
        leave();
      };
      const file = Readable.from(bytes(), { objectMode: false, highWaterMark: 256 * 1024 });
      file.once('close', close);
      void reply.headers({
        'cache-control': 'no-store',
        vary: 'Authorization, Accept',
        'holdfast-verifier-key': verifierKey,
      });
      return new StreamableFile(file, {
        type: 'application/jsonl',
        disposition: `attachment; filename="${findingId}.bundle.jsonl"`,
      });
    } catch (error) {
      close();
      throw error;
    }
  }
}
