import { Controller, Get, Inject, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { withPlanted, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { AnyColumns } from '#libs/exports';
import { Caller } from '../../access/access.guard.ts';
import type { Limits } from '../../config.ts';
import { ApiRows, formatOf, refusePaging, sendExport } from '../../http/formats.ts';
import { inOrder } from '../../ledger/columns.ts';
import { Operation } from '../../http/operation.ts';
import { DEFAULT_ROWS, linkNext, placeOf } from '../../http/paging.ts';
import type { Slots } from '../../http/slots.ts';
import { CHARGE_COLUMNS, CUTOVER_COLUMNS, RESTORE_POINT_COLUMNS } from '../../ledger/columns.ts';
import { pageFor, rowsFor, type FilterOf, type RowOf } from '../../ledger/views.ts';
import { visibleRun, visibleStudy } from '../../ledger/visible.ts';
import { HEAVY_WORK, LEDGER, LIMITS_IN_FORCE } from '../../tokens.ts';
import { ChargesQuery, CutoverQuery, RestorePointsQuery, type LedgerQuery } from './dto.ts';

type LedgerView = 'cutoverAudit' | 'restoreSource' | 'charges';

/** How one of the ledgers is shown. */
interface Shown<View extends LedgerView> {
  readonly view: View;
  readonly name: string;
  readonly columns: AnyColumns;
  readonly complete: (
    rows: AsyncIterable<RowOf<View>> | Iterable<RowOf<View>>,
  ) => AsyncIterable<object>;
}

@ApiTags('ledgers')
@Controller('v1')
export class LedgersController {
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

  @Get('cutover-audit')
  @Operation({
    id: 'listCutovers',
    kind: 'read',
    summary: 'The cutover audit: every attempt',
    description:
      'What was changed, when, why, by whom and from which restore point, and what became of it; in log order. As a page of JSON, or every row as CSV, JSON Lines or Parquet under the same filter.',
    refusals: ['study-unknown', 'run-unknown', 'cursor-invalid', 'not-acceptable', 'busy'],
  })
  @ApiRows(CUTOVER_COLUMNS)
  cutovers(
    @Caller() caller: Principal,
    @Query() query: CutoverQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, {
      view: 'cutoverAudit',
      name: 'cutover-audit',
      columns: CUTOVER_COLUMNS,
      complete: (rows) => withPlanted(this.ledger, rows, ({ summary }) => summary),
    });
  }

  @Get('restore-points')
  @Operation({
    id: 'listRestorePoints',
    kind: 'read',
    summary: 'The restore points',
    description:
      'The state before each mutation: tree, metric, monitor, seed; in log order, as a page or as a file.',
    refusals: ['study-unknown', 'run-unknown', 'cursor-invalid', 'not-acceptable', 'busy'],
  })
  @ApiRows(RESTORE_POINT_COLUMNS)
  restorePoints(
    @Caller() caller: Principal,
    @Query() query: RestorePointsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, {
      view: 'restoreSource',
      name: 'restore-points',
      columns: RESTORE_POINT_COLUMNS,
      complete: plain,
    });
  }

  @Get('charges')
  @Operation({
    id: 'listCharges',
    kind: 'read',
    summary: 'The charges',
    description:
      'What was charged to the mutation budgets, and what for; in log order, as a page or as a file.',
    refusals: ['study-unknown', 'run-unknown', 'cursor-invalid', 'not-acceptable', 'busy'],
  })
  @ApiRows(CHARGE_COLUMNS)
  charges(
    @Caller() caller: Principal,
    @Query() query: ChargesQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(caller, query, request, reply, {
      view: 'charges',
      name: 'charges',
      columns: CHARGE_COLUMNS,
      complete: (rows) => withPlanted(this.ledger, rows, ({ description }) => description),
    });
  }

  private async answer<View extends LedgerView>(
    caller: Principal,
    query: LedgerQuery,
    request: FastifyRequest,
    reply: FastifyReply,
    { view, name, columns, complete }: Shown<View>,
  ): Promise<StreamableFile | object> {
    if (query.study !== undefined) await visibleStudy(this.ledger, caller, query.study);
    if (query.run !== undefined) await visibleRun(this.ledger, caller, query.run);
    const { limit = DEFAULT_ROWS, cursor: _, format: asked, ...filter } = query;
    const format = formatOf(asked, request.headers.accept);
    if (format !== 'json') {
      refusePaging(request);
      const rows = rowsFor(this.ledger, caller, view, filter as FilterOf<View>);
      return sendExport(
        format,
        { name, columns, rows: complete(rows) },
        {
          slots: this.slots,
          subject: caller.subject,
          reply,
          stallMs: this.limits.streamStallMs,
        },
      );
    }
    const cursor = placeOf(request);
    const page = await pageFor(this.ledger, caller, view, {
      ...filter,
      limit,
      cursor,
    });
    return {
      rows: await Array.fromAsync(complete(page.rows), (row) => inOrder(columns, row)),
      next: linkNext(page.next, request, reply),
    };
  }
}

async function* plain<Row extends object>(
  rows: AsyncIterable<Row> | Iterable<Row>,
): AsyncGenerator<Row> {
  yield* rows;
}
