import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { routeOf, type ApiLogger } from './logger.ts';
import type { Metrics } from './metrics.ts';

const TRACER = 'holdfast-api';

/** One line, one measurement and one span a request, whatever became of it. */
export const observeRequests = (
  fastify: FastifyInstance,
  { logger, metrics }: { readonly logger: ApiLogger; readonly metrics: Metrics },
): void => {
  const begun = new WeakMap<FastifyRequest, number>();
  fastify.addHook('onRequest', (request, reply, done) => {
    begun.set(request, performance.now());
    const span = trace.getTracer(TRACER).startSpan(
      `${request.method} ${routeOf(request)}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': request.method,
          'http.route': routeOf(request),
          'holdfast.correlation': request.id,
        },
      },
      propagation.extract(context.active(), request.headers),
    );
    reply.raw.once('close', () => {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    // Everything that this request makes happen is within its span.
    context.with(trace.setSpan(context.active(), span), done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const milliseconds = performance.now() - (begun.get(request) ?? performance.now());
    logger.answered(request, reply, milliseconds);
    metrics.answered(request.method, routeOf(request), reply.statusCode, milliseconds / 1000);
    done();
  });
};
