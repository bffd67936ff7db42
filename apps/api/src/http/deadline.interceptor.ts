import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { throwError, timeout, type Observable } from 'rxjs';
import type { Limits } from '../config.ts';
import { ProblemFound } from '../problems/problems.ts';
import { LIMITS_IN_FORCE } from '../tokens.ts';
import { cardOf } from './operation.ts';

/**
 * Answers in time, if only that there is no answer yet. A command that goes on meanwhile is not lost: whoever sends
 * it again under its key is given what it became.
 */
@Injectable()
export class DeadlineInterceptor implements NestInterceptor {
  private readonly limits: Limits;
  constructor(@Inject(LIMITS_IN_FORCE) limits: Limits) {
    this.limits = limits;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (cardOf(context.getHandler()).streams === true) return next.handle();
    return next.handle().pipe(
      timeout({
        first: this.limits.answerMs,
        with: () =>
          throwError(
            () =>
              new ProblemFound(
                'took-too-long',
                `found no answer within ${this.limits.answerMs / 1000} s; send the request again, a command under the same key`,
              ),
          ),
      }),
    );
  }
}
