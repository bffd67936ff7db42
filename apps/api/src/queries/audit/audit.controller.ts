import { Controller, Get, Inject, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AUDIT_ANSWERS,
  AUDIT_BATCH,
  everyAuditRow,
  toldRows,
  withPlanted,
  type AuditRows,
  type AuditView,
  type Ledger,
} from '#apps/runner';
import type { Principal } from '#libs/access';
import type { AuditPage } from '#libs/read-models';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { ApiRows, formatOf, refusePaging, sendExport, type Format } from '../../http/formats.ts';
import { Operation } from '../../http/operation.ts';
import { DEFAULT_ROWS, linkNext, placeOf } from '../../http/paging.ts';
import type { Slots } from '../../http/slots.ts';
import { inOrder } from '../../ledger/columns.ts';
import { freshViews, type FilterOf, type RowOf } from '../../ledger/views.ts';
import { assertFindingVisible, visibleRun, visibleStudy } from '../../ledger/visible.ts';
import { ProblemFound } from '../../problems/problems.ts';
import { HEAVY_WORK, LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';
import {
  AccessesQuery,
  ChangesQuery,
  FindingsAtQuery,
  IncidentsQuery,
  ReviewsQuery,
  TraceQuery,
} from './dto.ts';
import { AS_OF, TRACE } from './schemas.ts';

/** What the file of an answer is called. */
const FILE_NAMES: Readonly<Record<AuditView, string>> = {
  changes: 'changes',
  accesses: 'access',
  incidents: 'incidents',
  findingsAt: 'findings',
  reviews: 'reviews',
};

/** What every question takes. */
interface Asked {
  readonly study?: string;
  readonly run?: string;
  readonly finding?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly format?: Format;
}

const GOOD_UP_TO =
  'The answer is good up to the place in the log that `asOf` names; a file says it in the header `holdfast-as-of`. What belongs to no study (the fleet, the notary, reads at large) is shown to a token for all projects.';

const REFUSALS = [
  'study-unknown',
  'run-unknown',
  'cursor-invalid',
  'not-acceptable',
  'busy',
] as const;

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
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

  @Get('changes')
  @Operation({
    id: 'listChanges',
    kind: 'read',
    summary: 'Everything that changed, and who approved it',
    description: `Cutovers, keeps, reverts, runs with how their pins and policy differ from the run before, moves of the accepted line, reviews, admissions of workers, erasures, the notary's keys and settled alarms; in log order. A change that the harness made by rule has for approvals those who accepted a finding whose chain holds it. ${GOOD_UP_TO}`,
    refusals: REFUSALS,
  })
  @ApiRows(AUDIT_ANSWERS.changes.columns, { asOf: AS_OF })
  changes(
    @Caller() caller: Principal,
    @Query() query: ChangesQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, 'changes');
  }

  @Get('access')
  @Operation({
    id: 'listAccesses',
    kind: 'read',
    summary: 'Every access to data, and what was released',
    description: `Cohort tables with the cells and people released and kept back, requests for cohorts, scored rows, looks at sealed rows, claims, replays, and reads of the ledger by auditors; in log order. ${GOOD_UP_TO}`,
    refusals: REFUSALS,
  })
  @ApiRows(AUDIT_ANSWERS.accesses.columns, { asOf: AS_OF })
  accesses(
    @Caller() caller: Principal,
    @Query() query: AccessesQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, 'accesses');
  }

  @Get('incidents')
  @Operation({
    id: 'listIncidents',
    kind: 'read',
    summary: 'Every halt, divergence and revert, with its evidence',
    description: `Breaches with rule, file and line; the readings of every chart at a trigger; what was undone and where it went back to; the notary's alarms; findings that could not be trained again; in log order. ${GOOD_UP_TO}`,
    refusals: REFUSALS,
  })
  @ApiRows(AUDIT_ANSWERS.incidents.columns, { asOf: AS_OF })
  incidents(
    @Caller() caller: Principal,
    @Query() query: IncidentsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, 'incidents');
  }

  @Get('findings')
  @Operation({
    id: 'listFindingsAt',
    kind: 'read',
    summary: 'Every finding in force at a date, and its verdict',
    description: `Each finding that was proposed by then, with its verdict, its review and whether it was in force; what came later is not in it. ${GOOD_UP_TO}`,
    refusals: REFUSALS,
  })
  @ApiRows(AUDIT_ANSWERS.findingsAt.columns, { asOf: AS_OF })
  findingsAt(
    @Caller() caller: Principal,
    @Query() query: FindingsAtQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, 'findingsAt');
  }

  @Get('reviews')
  @Operation({
    id: 'listReviews',
    kind: 'read',
    summary: 'Who reviewed what',
    description: `Opaque id and role, decision, reason, time, and the finding's verdict by then; in log order. ${GOOD_UP_TO}`,
    refusals: [...REFUSALS, 'finding-unknown'],
  })
  @ApiRows(AUDIT_ANSWERS.reviews.columns, { asOf: AS_OF })
  reviews(
    @Caller() caller: Principal,
    @Query() query: ReviewsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, 'reviews');
  }

  @Get('trace')
  @Operation({
    id: 'traceEvent',
    kind: 'read',
    summary: 'What an event rests on, or what it led to',
    description:
      'A graph of events: a mutation leads to its restore point, cutover, trainings, observations, keep, the finding, its verdict and acceptance. `cut` says where it was cut off. The answer is good up to the place in the log that `asOf` names; events of studies that the caller does not see are left out.',
    refusals: ['event-unknown'],
  })
  @ApiOkResponse({ schema: TRACE })
  async trace(@Caller() caller: Principal, @Query() query: TraceQuery) {
    const { causation, ...asked } = query;
    const views = await freshViews(this.ledger);
    const { nodes, ...trace } = await views.trace({
      ...asked,
      causation: causation === 'yes',
      ...(caller.projects !== 'all' && { project: caller.projects }),
    });
    if (trace.start === null)
      throw new ProblemFound(
        'event-unknown',
        `found no event ${query.event}, expected an event's id, its stream@revision, or the id of a study, run, mutation, restore point, training or finding; GET /v1/runs/{runId}/events lists a run's events`,
      );
    const shown = withPlanted(this.ledger, nodes, ({ what }) => what);
    return { ...trace, nodes: await Array.fromAsync(shown) };
  }

  private async answer<View extends AuditView>(
    caller: Principal,
    query: Asked,
    request: FastifyRequest,
    reply: FastifyReply,
    view: View,
  ): Promise<StreamableFile | object> {
    if (query.study !== undefined) await visibleStudy(this.ledger, caller, query.study);
    if (query.run !== undefined) await visibleRun(this.ledger, caller, query.run);
    if (query.finding !== undefined) await assertFindingVisible(this.ledger, caller, query.finding);
    const { limit = DEFAULT_ROWS, cursor: _, format: asked, ...filter } = query;
    const format = formatOf(asked, request.headers.accept);
    const { columns, text } = AUDIT_ANSWERS[view];
    const complete = (rows: AsyncIterable<AuditRows[View]>) => withPlanted(this.ledger, rows, text);
    const ask = async (more: object): Promise<AuditPage<RowOf<View>>> => {
      const views = await freshViews(this.ledger);
      const project = caller.projects === 'all' ? {} : { project: caller.projects };
      const of = views[view] as (filter: FilterOf<View>) => Promise<AuditPage<RowOf<View>>>;
      return of({ ...filter, ...project, ...more });
    };
    if (format !== 'json') {
      refusePaging(request);
      const first = await ask({ limit: AUDIT_BATCH });
      void reply.header('holdfast-as-of', String(first.asOf?.position ?? ''));
      return sendExport(
        format,
        { name: FILE_NAMES[view], columns, rows: complete(everyAuditRow(this.ledger, first, ask)) },
        {
          slots: this.slots,
          subject: caller.subject,
          reply,
          stallMs: this.limits.streamStallMs,
        },
      );
    }
    const page = await ask({ limit, cursor: placeOf(request) });
    return {
      rows: await Array.fromAsync(complete(toldRows(this.ledger, page.rows)), (row) =>
        inOrder(columns, row),
      ),
      next: linkNext(page.next, request, reply),
      asOf: page.asOf,
    };
  }
}
