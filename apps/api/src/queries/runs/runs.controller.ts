import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { shownRun, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { RecordedEvent } from '#libs/kernel';
import type { RunStatus } from '#libs/read-models';
import { Caller } from '../../access/access.guard.ts';
import { Id, OneOf } from '../../http/members.ts';
import { Operation } from '../../http/operation.ts';
import {
  DEFAULT_ROWS,
  linkNext,
  OrderedPageQuery,
  PageLinks,
  PageQuery,
  placeOf,
} from '../../http/paging.ts';
import { RunPath } from '../../http/paths.ts';
import { inOrder, RUN_COLUMNS } from '../../ledger/columns.ts';
import { freshViews, pageFor } from '../../ledger/views.ts';
import { refusedBecause, visibleRun, visibleStudy, type VisibleRun } from '../../ledger/visible.ts';
import { pageSchema, rowSchema } from '../../openapi/columns.ts';
import { RUN_STATUSES } from '../../observing/sources.ts';
import { LEDGER } from '../../tokens.ts';

export class RunsQuery extends OrderedPageQuery {
  @Id({ about: 'Only of this study', optional: true }) study?: string;
  @OneOf(RUN_STATUSES, { about: 'Only these', optional: true })
  status?: RunStatus;
}

/** An event as it is shown: everything that is hashed, with its hash and place. */
export class ShownEvent {
  @ApiProperty({ description: 'Place in the whole log; grows, may have holes' }) position!: number;
  @ApiProperty() stream!: string;
  @ApiProperty({ description: 'Place in the stream, from 0, without holes' }) revision!: number;
  @ApiProperty() id!: string;
  @ApiProperty({ example: 'RunOpened' }) type!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: unknown;
  @ApiProperty({ type: 'object', additionalProperties: true }) metadata!: unknown;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description: "`hash` of the stream's previous event; null for its first",
  })
  prev!: string | null;
  @ApiProperty({
    description:
      'SHA-256 of the canonical JSON (RFC 8785) of stream, revision, id, type, data and metadata with prev',
  })
  hash!: string;
}

export class EventsPage extends PageLinks {
  @ApiProperty({ type: () => ShownEvent, isArray: true }) events!: readonly ShownEvent[];
}

/** All that is hashed of an event; the stored bytes themselves are left out. */
export const showEvent = ({ canonical: _, ...shown }: RecordedEvent): ShownEvent => shown;

const RUN_SCHEMA = {
  type: 'object' as const,
  required: [
    'runId',
    'studyId',
    'project',
    'number',
    'seed',
    'agent',
    'status',
    'refusedBecause',
    'node',
    'head',
    'row',
  ],
  properties: {
    runId: { type: 'string' as const },
    studyId: { type: 'string' as const },
    project: { type: 'string' as const },
    number: { type: 'integer' as const, description: "The study's nth run" },
    seed: { type: 'integer' as const },
    agent: {
      type: 'string' as const,
      nullable: true,
      description:
        'Opaque id of the agent outside that alone proposes in it; null: the built-in search agent',
    },
    status: {
      type: 'string' as const,
      enum: [...RUN_STATUSES],
      description:
        'requested: no runner has opened it yet. refused: it can not be opened. ended: the loop is over, its findings are not yet',
    },
    refusedBecause: { type: 'string' as const, nullable: true },
    node: {
      type: 'string' as const,
      description:
        'Where it stands in the loop; `new` before it opens, `sealed` when nothing more is owed',
    },
    head: {
      nullable: true,
      type: 'object' as const,
      description: 'The last event of its stream; null before it opens',
      required: ['revision', 'hash'],
      properties: {
        revision: { type: 'integer' as const },
        hash: { type: 'string' as const },
      },
    },
    row: {
      ...rowSchema(RUN_COLUMNS),
      nullable: true,
      description: 'How it stands, in numbers; null while the views have not come that far',
    },
  },
};

@ApiTags('runs')
@Controller('v1/runs')
export class RunsController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Get()
  @Operation({
    id: 'listRuns',
    kind: 'read',
    summary: 'The runs',
    description:
      'Runs, in log order. One that was only asked for is found under its own id until a runner counts it.',
    refusals: ['study-unknown', 'cursor-invalid'],
  })
  @ApiOkResponse({ schema: pageSchema(RUN_COLUMNS) })
  async list(
    @Caller() caller: Principal,
    @Query() query: RunsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { limit = DEFAULT_ROWS, cursor: _, ...filter } = query;
    if (query.study !== undefined) await visibleStudy(this.ledger, caller, query.study);
    const page = await pageFor(this.ledger, caller, 'runs', {
      ...filter,
      limit,
      cursor: placeOf(request),
    });
    return {
      rows: await Promise.all(
        page.rows.map(async (row) => inOrder(RUN_COLUMNS, await shownRun(this.ledger, row))),
      ),
      next: linkNext(page.next, request, reply),
    };
  }

  @Get(':runId')
  @Operation({
    id: 'getRun',
    kind: 'read',
    summary: 'A run',
    description:
      'Where a run stands, from its request to its last signature. Poll it with If-None-Match, or watch it.',
    refusals: ['run-unknown'],
  })
  @ApiOkResponse({ schema: RUN_SCHEMA })
  async show(@Caller() caller: Principal, @Param() { runId }: RunPath) {
    const found = await visibleRun(this.ledger, caller, runId);
    const views = await freshViews(this.ledger);
    const { rows } = await views.runs({ run: runId });
    const row = rows[0] ?? null;
    return {
      ...identity(found),
      status: row?.status ?? (refusedBecause(found) === null ? 'requested' : 'refused'),
      refusedBecause: refusedBecause(found),
      node: found.run?.state.node ?? 'new',
      head:
        found.run === null
          ? null
          : { revision: found.run.head.revision, hash: found.run.head.hash },
      row: row === null ? null : inOrder(RUN_COLUMNS, await shownRun(this.ledger, row)),
    };
  }

  @Get(':runId/events')
  @Operation({
    id: 'listRunEvents',
    kind: 'read',
    summary: 'The events of a run, in order',
    description:
      'Each with everything that is hashed, its hash and the hash of the one before, so that anybody can compute the chain again.',
    refusals: ['run-unknown', 'cursor-invalid'],
  })
  @ApiOkResponse({ type: EventsPage })
  async events(
    @Caller() caller: Principal,
    @Param() { runId }: RunPath,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventsPage> {
    await visibleRun(this.ledger, caller, runId);
    const limit = query.limit ?? DEFAULT_ROWS;
    const from = placeOf(request) ?? 0;
    const read = await Array.fromAsync(
      this.ledger.log.readStream(`run-${runId}`, { from, limit: limit + 1 }),
      (event) => event,
    );
    const next = read.length > limit ? from + limit : null;
    return {
      events: read.slice(0, limit).map(showEvent),
      next: linkNext(next, request, reply),
    };
  }
}

const identity = ({ runId, study, request, counted, run }: VisibleRun) => {
  const known = request ?? counted ?? run?.state.opened;
  return {
    runId,
    studyId: study.studyId,
    project: study.state.project,
    number: known?.number ?? 0,
    seed: known?.seed ?? 0,
    agent: request?.agent ?? null,
  };
};
