import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiProperty,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { principalOf } from '../../access/access.guard.ts';
import { Operation } from '../../http/operation.ts';
import { READINESS } from '../../tokens.ts';
import type { Readiness } from './readiness.ts';

export class Liveness {
  @ApiProperty({ enum: ['ok'] }) status!: 'ok';
}

export class DependencyCheck {
  @ApiProperty({ example: 'event-log' }) name!: string;
  @ApiProperty({ enum: ['ok', 'failed'] }) status!: 'ok' | 'failed';
  @ApiProperty({ description: 'How long the check took', example: 1.2 }) milliseconds!: number;
  @ApiProperty({ type: 'string', nullable: true, description: 'What was found' })
  found!: string | null;
}

export class ReadinessAnswer {
  @ApiProperty({ enum: ['ok', 'not-ready'] }) status!: 'ok' | 'not-ready';
  @ApiProperty({
    type: () => DependencyCheck,
    isArray: true,
    required: false,
    description: 'Each dependency; told to an operator only',
  })
  checks?: readonly DependencyCheck[];
}

@ApiTags('server')
@Controller('health')
export class HealthController {
  private readonly readiness: Readiness;
  constructor(@Inject(READINESS) readiness: Readiness) {
    this.readiness = readiness;
  }

  @Get('live')
  @Operation({
    id: 'getLiveness',
    kind: 'plain',
    summary: 'Whether the process answers',
    description: 'Looks at nothing but itself: one that fails should be started anew.',
  })
  @ApiOkResponse({ type: Liveness })
  live(): Liveness {
    return { status: 'ok' };
  }

  @Get('ready')
  @Operation({
    id: 'getReadiness',
    kind: 'plain',
    summary: 'Whether what is needed can be reached',
    description:
      'Looks at the event log, the views and the repository, each with a bound. Without a token it says ok or not; an operator is told of each dependency.',
  })
  @ApiOkResponse({ type: ReadinessAnswer })
  @ApiServiceUnavailableResponse({ type: ReadinessAnswer })
  async ready(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadinessAnswer> {
    const { ready, checks } = await this.readiness();
    if (!ready) void reply.code(503).header('retry-after', '2');
    return {
      status: ready ? 'ok' : 'not-ready',
      ...(principalOf(request)?.role === 'operator' && { checks }),
    };
  }
}
