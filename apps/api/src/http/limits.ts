import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Limits } from '../config.ts';
import { problemBody, sendProblem } from '../problems/problem.filter.ts';
import { ProblemFound } from '../problems/problems.ts';

/** A correlation id that a client or a proxy may choose. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** W3C trace context: the second field is the trace's id. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's own, else its trace's, else a new one. */
export const correlationIdOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string => {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
  const { traceparent } = headers;
  const trace = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return trace ?? randomUUID();
};

/** What keeps a request from being looked at any further, whatever it asks for. */
const tooMuch = (url: string, headers: number, limits: Limits): ProblemFound | null => {
  if (Buffer.byteLength(url) > limits.urlBytes)
    return new ProblemFound('url-too-long', `the URL has more than ${limits.urlBytes} bytes`);
  if (headers > limits.headerCount)
    return new ProblemFound(
      'headers-too-large',
      `found ${headers} headers, expected at most ${limits.headerCount}`,
    );
  const query = url.split('?')[1] ?? '';
  if (query !== '' && query.split('&').length > limits.queryCount)
    return new ProblemFound(
      'request-invalid',
      `found more than ${limits.queryCount} query parameters`,
    );
  return null;
};

/** What every answer has. */
export const headersOf = ({ id }: FastifyRequest): Readonly<Record<string, string>> => ({
  'x-request-id': id,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});

/** Guards every request, those for no route at all included. */
export const guardRequests = (
  fastify: FastifyInstance,
  limits: Limits,
  stopping: AbortSignal,
): void => {
  takeJsonOnly(fastify);
  fastify.server.maxConnections = limits.connections;
  fastify.server.maxHeadersCount = 0;
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headersOf(request));
    const problem = stopping.aborted
      ? new ProblemFound('stopping', 'this server is stopping; send the request again', {
          headers: { connection: 'close' },
        })
      : tooMuch(request.url, request.raw.rawHeaders.length / 2, limits);
    if (problem === null) done();
    else sendProblem(problem, request, reply);
  });
  // Connections that are kept would keep a server that stops.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping.aborted) void reply.header('connection', 'close');
    done();
  });
};

/** No other type is a body here; an empty one says as much as `{}`, for commands that need no words. */
const takeJsonOnly = (fastify: FastifyInstance): void => {
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else void parse(request, body.toString(), done);
  });
};

/** What Node's parser refuses before there is a request (nodejs.org/api/http.html#event-clienterror). */
const UNREADABLE: Readonly<Record<string, ['request-timeout' | 'headers-too-large', string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'the headers take more bytes than this server reads'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'the request did not arrive in time'],
};

/** Answers what is no HTTP, or too much of it, in the same form as everything else. */
export const answerUnreadable = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = UNREADABLE[error.code ?? ''] ?? [
    'request-invalid' as const,
    'this is no HTTP request that can be read',
  ];
  const body = JSON.stringify(problemBody(new ProblemFound(code, detail), '', randomUUID()));
  const { status, title } = JSON.parse(body) as { status: number; title: string };
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};
