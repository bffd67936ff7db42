import { createHash } from 'node:crypto';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { withSpanId } from './span-ids.ts';

/**
 * One trace a run, whoever works on it: its id derives from the run's, and the span of an event from the event's id.
 * So an API, a runner and a worker in three processes write one trace without telling each other anything, and a
 * job that is taken up again after a crash goes on in the trace in which it began.
 */

const TRACER = 'holdfast';

/** An id of the W3C's trace context is so many hex digits, never all zeros (w3.org/TR/trace-context). */
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

const digits = (length: number, ...parts: readonly string[]): string => {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);
  return /^0+$/.test(hex) ? hex.replace(/0$/, '1') : hex;
};

/** The trace of a run. */
export const traceIdOf = (runId: string): string => digits(TRACE_DIGITS, 'trace', runId);

/** The span that stands for an event. */
export const spanIdOf = (eventId: string): string => digits(SPAN_DIGITS, 'span', eventId);

const contextOf = (runId: string, eventId: string): SpanContext => ({
  traceId: traceIdOf(runId),
  spanId: spanIdOf(eventId),
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

/** The `traceparent` header (W3C trace context) that names an event of a run: for a job or a request that it causes. */
export const traceparentOf = (runId: string, eventId: string): string =>
  `00-${traceIdOf(runId)}-${spanIdOf(eventId)}-01`;

export interface RunSpan {
  readonly name: string;
  readonly attributes?: Attributes;
}

/**
 * Does `work` within a span of the run's trace, below the event that caused it. A span that was active already (an
 * HTTP request's, which is in its caller's trace) is linked. What `work` throws is noted by its name alone, and thrown.
 */
export const inRunTrace = <T>(
  runId: string,
  causeEventId: string,
  { name, attributes = {} }: RunSpan,
  work: (span: Span) => Promise<T>,
): Promise<T> =>
  within(
    trace.setSpanContext(ROOT_CONTEXT, contextOf(runId, causeEventId)),
    { name, attributes: { 'holdfast.run': runId, ...attributes } },
    work,
  );

/** The `traceparent` of the work under way here, for a job that it hands on; null where nothing is traced. */
export const activeTraceparent = (): string | null => {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'] ?? null;
};

/** Does `work` within a span below the one that another process handed on. */
export const inTraceOf = <T>(
  traceparent: string | null,
  span: RunSpan,
  work: (span: Span) => Promise<T>,
): Promise<T> =>
  within(
    traceparent === null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent }),
    span,
    work,
  );

const within = async <T>(
  parent: Context,
  { name, attributes = {} }: RunSpan,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const span = trace.getTracer(TRACER).startSpan(name, { attributes, links: links() }, parent);
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    // A message may quote what has no place in a trace.
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.name : 'unknown',
    });
    throw error;
  } finally {
    span.end();
  }
};

/**
 * Writes the span of an event that was appended, below the event that caused it: what is done because of it finds its
 * parent there.
 */
export const spanOfEvent = (
  runId: string,
  event: { readonly id: string; readonly type: string; readonly causationId: string },
): void => {
  const parent = trace.setSpanContext(ROOT_CONTEXT, contextOf(runId, event.causationId));
  withSpanId(spanIdOf(event.id), () =>
    trace
      .getTracer(TRACER)
      .startSpan(
        event.type,
        { attributes: { 'holdfast.run': runId, 'holdfast.event': event.id }, links: links() },
        parent,
      ),
  ).end();
};

const links = (): Link[] => {
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined ? [] : [{ context: active }];
};
