import {
  Catch,
  HttpException,
  Inject,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiLogger } from '../observing/logger.ts';
import { LOGGER } from '../tokens.ts';
import { isBroken, isDamaged } from './broken.ts';
import {
  ProblemFound,
  PROBLEMS,
  problemType,
  RETRY_AFTER_SECONDS,
  type Problem,
  type ProblemCode,
} from './problems.ts';

/** What the framework refuses by itself, by status. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'request-invalid',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'url-too-long',
  415: 'content-type-unsupported',
  431: 'headers-too-large',
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  'request-invalid': 'the request could not be read: its body must be JSON, its URL well formed',
  'not-found': 'found no such path; /openapi.json lists all that there are',
  'content-type-unsupported': 'expected Content-Type: application/json',
  'body-too-large': 'the body is larger than this server takes',
  'url-too-long': 'the URL, or a part of it, is longer than this server takes',
};

const LATER = "try again a little later; the server's log says more under this correlation id";

/** Any error as a problem: nothing of what is inside the server is told. */
export const toProblem = (error: unknown): ProblemFound => {
  if (error instanceof ProblemFound) return error;
  if (isBroken(error)) return new ProblemFound('unavailable', LATER);
  if (isDamaged(error))
    return new ProblemFound(
      'ledger-damaged',
      'what is stored is not what was written; the operator verifies the log and restores it from a copy',
    );
  const status = statusOf(error);
  const code = status === null ? undefined : BY_STATUS[status];
  return code === undefined
    ? new ProblemFound('unexpected', LATER)
    : new ProblemFound(code, DETAILS[code] ?? PROBLEMS[code].title);
};

const statusOf = (error: unknown): number | null => {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : null;
};

export const problemBody = (problem: ProblemFound, instance: string, id: string): Problem => {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: problemType(problem.code),
    title,
    status,
    detail: problem.message,
    // The path alone: a query may hold what belongs in no log that keeps answers.
    instance: instance.split('?')[0] ?? '',
    correlationId: id,
    ...(problem.errors.length > 0 && { errors: problem.errors }),
  };
};

export const sendProblem = (
  problem: ProblemFound,
  request: FastifyRequest,
  reply: FastifyReply,
): void => {
  const body = problemBody(problem, request.url, request.id);
  void reply
    .code(body.status)
    .headers({
      ...(body.status === 503 && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
      ...problem.headers,
      'cache-control': 'no-store',
    })
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(body);
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger: ApiLogger;
  constructor(@Inject(LOGGER) logger: ApiLogger) {
    this.logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = toProblem(error);
    this.logger.problem(request, problem, error);
    // Headers are out: all that is left to say is that the answer is not whole.
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendProblem(problem, request, reply);
  }
}
