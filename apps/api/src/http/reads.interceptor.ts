import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import type { Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import { principalOf } from '../access/access.guard.ts';
import { ProblemFound } from '../problems/problems.ts';
import { LEDGER } from '../tokens.ts';
import { cardOf } from './operation.ts';

type Asked = Readonly<Record<string, string | number | boolean | null>>;

/** Several reads of one auditor at once race for the end of the same stream. */
const ATTEMPTS = 50;

/**
 * Records what an auditor reads, before the answer is made: what was asked for stands in the log even where the
 * answer never arrives. A read that can't be recorded is not answered.
 */
@Injectable()
export class ReadsInterceptor implements NestInterceptor {
  private readonly ledger: Ledger;
  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.ledger = ledger;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { kind, id } = cardOf(context.getHandler());
    const principal = principalOf(request);
    // A command tells an auditor something as well: a verdict is read by asking for one.
    if (kind !== 'plain' && principal?.role === 'auditor')
      await this.record(principal, id, askedIn(request));
    return next.handle();
  }

  private async record(principal: Principal, operation: string, asked: Asked): Promise<void> {
    // A read is made once: who asks again reads again.
    const id = randomUUID();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const sent = await this.ledger.reads.send(
        principal.subject,
        { type: 'RecordRead', id, data: { operation, asked } },
        { role: principal.role, id: principal.subject },
      );
      if (sent.ok) return;
    }
    throw new ProblemFound(
      'unavailable',
      'this read could not be recorded, so it is not answered; try again',
    );
  }
}

/** The names in the path and the query, as they were understood. */
const askedIn = ({ params, query, headers }: FastifyRequest): Asked => {
  const asked: Record<string, string | number | boolean | null> = {};
  for (const part of [params, query] as Record<string, unknown>[])
    for (const [name, value] of Object.entries(part))
      if (typeof value === 'string' || typeof value === 'number') asked[name] = value;
  const format = headers.accept;
  if (asked['format'] === undefined && format !== undefined && format !== '*/*')
    asked['accept'] = format.slice(0, 200);
  return asked;
};
