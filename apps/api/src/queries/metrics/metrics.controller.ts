import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../http/operation.ts';
import type { Metrics } from '../../observing/metrics.ts';
import { METRICS } from '../../tokens.ts';

@ApiTags('server')
@Controller('metrics')
export class MetricsController {
  private readonly metrics: Metrics;
  constructor(@Inject(METRICS) metrics: Metrics) {
    this.metrics = metrics;
  }

  @Get()
  @Operation({
    id: 'getMetrics',
    kind: 'plain',
    summary: 'Measurements for Prometheus',
    description:
      'In the text format of Prometheus: requests by route and status, events recorded, how far the views are behind, runs by status, this release. Give Prometheus a token of an operator who sees no project.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
