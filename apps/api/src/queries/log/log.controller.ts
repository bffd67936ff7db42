import { Controller, Get, Inject, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { publishedCheckpoint, publishedTile, type Ledger } from '#apps/runner';
import { parseTilePath } from '#libs/merkle';
import { principalOf } from '../../access/access.guard.ts';
import { Operation } from '../../http/operation.ts';
import { inSlot, type Slots } from '../../http/slots.ts';
import { problemOf, ProblemFound } from '../../problems/problems.ts';
import { HEAVY_WORK, LEDGER } from '../../tokens.ts';

/** What stands behind `/tile/`; the router names it so. */
export class TilePath {
  @IsString() '*'!: string;
}

/** Those who need no token share the places of one who has one; no token's holder is called so. */
const ANYBODY = '(anybody)';

const FOLLOW =
  'To those who read the ledger, or to anybody where the server is told so (`HOLDFAST_PUBLIC_LOG`); no read of it is recorded.';

/** The log as a whole, as C2SP tlog-tiles has it: hashes and sizes, and nothing of what was recorded. */
@ApiTags('log')
@Controller()
export class LogController {
  private readonly ledger: Ledger;
  private readonly slots: Slots;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(HEAVY_WORK) slots: Slots) {
    this.ledger = ledger;
    this.slots = slots;
  }

  // Not recorded, whoever asks: a log that grew by each look at it would be signed anew for each.
  @Get('checkpoint')
  @Operation({
    id: 'getCheckpoint',
    kind: 'plain',
    summary: 'The newest checkpoint of the log',
    description: `The signed note (C2SP tlog-checkpoint), with the cosignatures of the witnesses that hold it. It verifies with the log's key, and is what \`holdfast verify --seen\` takes. ${FOLLOW}`,
    refusals: ['not-signed'],
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  async checkpoint(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const published = await publishedCheckpoint(this.ledger);
    if (!published.ok) throw problemOf(published.error);
    void reply.headers({
      'cache-control': 'max-age=5',
      'content-type': 'text/plain; charset=utf-8',
      vary: 'Authorization',
    });
    return published.value;
  }

  @Get('tile/*')
  @Operation({
    id: 'getTile',
    kind: 'plain',
    summary: 'Hashes of the log, or its entries',
    description: `A tile of the Merkle tree that the newest checkpoint signs, or the entries beneath one (C2SP tlog-tiles): \`tile/<L>/<N>\`, \`tile/entries/<N>\`, partial ones with \`.p/<W>\`. An entry is the 32 bytes of an event's chain hash. ${FOLLOW}`,
    refusals: ['not-signed', 'tile-unknown', 'ledger-damaged', 'busy'],
  })
  @ApiParam({
    name: 'path',
    description: '`<L>/<N>` or `entries/<N>`, with `.p/<W>` where it is partial',
    schema: { type: 'string' },
    example: '0/x001/x234/067',
  })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({
    description: 'Hashes of 32 bytes each; of entries each with its length before it (uint16)',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  async tile(
    @Param() { '*': path }: TilePath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const asked = parseTilePath(`tile/${path}`);
    if (asked === null)
      throw new ProblemFound(
        'tile-unknown',
        `found no tile's path, expected <L>/<N> or entries/<N>, with .p/<W> where it is partial: 0/x001/x234/067.p/12`,
      );
    const give = () => publishedTile(this.ledger, asked);
    // Entries are read from the log, hashes from the tree's files.
    const published =
      asked.level === 'entries'
        ? await inSlot(this.slots, principalOf(request)?.subject ?? ANYBODY, give)
        : await give();
    if (!published.ok) throw problemOf(published.error);
    // What was signed once stays so, partial tiles too.
    void reply.headers({ 'cache-control': 'max-age=31536000, immutable', vary: 'Authorization' });
    return new StreamableFile(published.value, { type: 'application/octet-stream' });
  }
}
