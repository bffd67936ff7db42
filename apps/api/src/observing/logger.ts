import type { LoggerService } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pino, type DestinationStream, type Logger } from 'pino';
import { principalOf } from '../access/access.guard.ts';
import { PROBLEMS, type ProblemFound } from '../problems/problems.ts';

/** JSON lines about requests: never a body, a query, a header or a token. */
export interface ApiLogger {
  readonly log: Logger;
  answered(request: FastifyRequest, reply: FastifyReply, milliseconds: number): void;
  problem(request: FastifyRequest, problem: ProblemFound, error: unknown): void;
  /** What Nest itself has to say. */
  readonly nest: LoggerService;
}

/**
 * What a token or an address with a password looks like, wherever one turns up: in an error's message, in a library's.
 */
const SECRETS =
  /\bhf_[A-Za-z0-9_-]{20,}|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\bBearer [^\s"\\]+|(?<=:\/\/)[^\s"\\/?#]{0,200}:[^\s"\\]{0,500}@/gi;

const plainError = (error: unknown): object =>
  error instanceof Error
    ? { type: error.name, message: error.message, stack: error.stack }
    : { message: String(error) };

export const apiLogger = (to: DestinationStream): ApiLogger => {
  const log = pino(
    {
      base: { service: 'holdfast-api' },
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: {
        paths: ['authorization', 'token', '*.authorization', '*.token'],
        censor: '[secret]',
      },
      // Errors of clients may carry what they were configured with; what they say, and where, is enough.
      serializers: { err: plainError },
      hooks: { streamWrite: (line) => line.replace(SECRETS, '[secret]') },
    },
    to,
  );
  return {
    log,
    answered: (request, reply, milliseconds) => {
      const principal = principalOf(request);
      log.info(
        {
          correlationId: request.id,
          method: request.method,
          route: routeOf(request),
          status: reply.statusCode,
          milliseconds: Math.round(milliseconds * 10) / 10,
          role: principal?.role ?? null,
          subject: principal?.subject ?? null,
        },
        'answered',
      );
    },
    problem: (request, problem, error) => {
      const { status } = PROBLEMS[problem.code];
      const about = {
        correlationId: request.id,
        route: routeOf(request),
        code: problem.code,
        because: problem.because,
      };
      if (status < 500) log.info(about, 'refused');
      else log.error({ ...about, err: error }, 'failed');
    },
    nest: {
      log: () => undefined,
      warn: (message: unknown) => {
        log.warn(String(message));
      },
      error: (message: unknown) => {
        log.error(message instanceof Error ? { err: message } : { said: String(message) }, 'nest');
      },
      fatal: (message: unknown) => {
        log.fatal(String(message));
      },
    },
  };
};

/** The route's pattern: names in a path would make a metric of each, and a line that says more than it should. */
export const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? '(none)';
