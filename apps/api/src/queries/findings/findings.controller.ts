import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { shownFinding, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { Caller } from '../../access/access.guard.ts';
import { Id, OneOf } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import { DEFAULT_ROWS, linkNext, OrderedPageQuery, placeOf } from '../../http/paging.ts';
import { FindingPath } from '../../http/paths.ts';
import { inOrder, FINDING_COLUMNS } from '../../ledger/columns.ts';
import { freshViews, pageFor } from '../../ledger/views.ts';
import { visibleFinding, visibleRun, visibleStudy } from '../../ledger/visible.ts';
import { pageSchema, rowSchema } from '../../openapi/columns.ts';
import { ProblemFound } from '../../problems/problems.ts';
import { LEDGER } from '../../tokens.ts';

export class FindingsQuery extends OrderedPageQuery {
  @Id({ about: 'Only of this study', optional: true }) study?: string;
  @Id({ about: 'Only of this run', optional: true }) run?: string;
  @OneOf(['PASS', 'BLOCK'], { about: 'Only with this verdict', optional: true })
  verdict?: 'PASS' | 'BLOCK';
  @OneOf(['none', 'accepted', 'rejected'], { about: 'Only these', optional: true })
  review?: 'none' | 'accepted' | 'rejected';
}

@ApiTags('findings')
@Controller('v1/findings')
export class FindingsController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
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
      rows: await Promise.all(
        page.rows.map(async (row) =>
          inOrder(FINDING_COLUMNS, await shownFinding(this.ledger, row)),
        ),
      ),
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
    return inOrder(FINDING_COLUMNS, await shownFinding(this.ledger, row));
  }
}
