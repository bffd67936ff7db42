import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { VERSION, type Ledger } from '#apps/runner';
import { Operation } from '../../http/operation.ts';
import { sourcesOf } from '../../observing/sources.ts';
import { LEDGER } from '../../tokens.ts';

export class LogState {
  @ApiProperty({ type: 'integer', description: 'Position of the last event; 0 of an empty log' })
  position!: number;
}

export class ViewsState {
  @ApiProperty({ type: 'integer', nullable: true, description: 'Last event that they show' })
  position!: number | null;
  @ApiProperty({ type: 'integer', description: 'Events that they do not show yet' })
  lag!: number;
  @ApiProperty({ description: 'Whether there are more than could be counted' })
  more!: boolean;
}

export class Versions {
  @ApiProperty() holdfast!: string;
  @ApiProperty() node!: string;
}

export class LedgerState {
  @ApiProperty({ type: () => LogState }) log!: LogState;
  @ApiProperty({ type: () => ViewsState }) views!: ViewsState;
  @ApiProperty({ type: () => Versions }) versions!: Versions;
}

@ApiTags('ledgers')
@Controller('v1/ledger')
export class LedgerStateController {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  @Get()
  @Operation({
    id: 'getLedger',
    kind: 'read',
    summary: 'The state of the ledger',
    description: 'How far the log goes, and how far the views are behind it.',
  })
  @ApiOkResponse({ type: LedgerState })
  async show(): Promise<LedgerState> {
    const sources = sourcesOf(this.ledger);
    const position = await this.ledger.views.position();
    const { lag, more } = await sources.viewsLag();
    return {
      log: { position: await sources.logPosition() },
      views: { position, lag, more },
      versions: { holdfast: VERSION, node: process.version },
    };
  }
}
