import { createHash } from 'node:crypto';
import {
  Injectable,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { cardOf } from './operation.ts';

/**
 * An entity tag for every answer that somebody may poll (RFC 9110, section 8.8.3): of the answer itself, so that it is
 * the same exactly as long as the answer is, whatever it was made of. Who holds it is told 304.
 */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const { kind, streams } = cardOf(context.getHandler());
    if (kind !== 'read' || streams === true || request.method !== 'GET') return next.handle();
    return next.handle().pipe(
      map((answer: unknown) => {
        // A file says itself what it is.
        if (answer instanceof StreamableFile || answer === undefined) return answer;
        const reply = http.getResponse<FastifyReply>();
        const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
        const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
        void reply.headers({
          etag,
          'cache-control': 'private, no-cache',
          vary: 'Authorization, Accept',
        });
        if (!matches(request.headers['if-none-match'], etag)) {
          // Made once: what was hashed is what is sent.
          if (typeof answer !== 'string') void reply.type('application/json; charset=utf-8');
          return body;
        }
        void reply.code(304);
        return undefined;
      }),
    );
  }
}

/** Weak comparison (section 13.1.2): a proxy may have made the tag a weak one. */
export const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' ||
    header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag));
