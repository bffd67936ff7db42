import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  activeTraceparent,
  inRunTrace,
  inTraceOf,
  spanIdOf,
  spanOfEvent,
  traceIdOf,
  traceparentOf,
} from './run-trace.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

const RUN = 'pay-1';
const EVENT = 'f0b3fb1c-7c55-5a3f-9d39-8f6f6b2e6f01';
let exporter: InMemorySpanExporter;
let telemetry: Telemetry;

beforeEach(async () => {
  exporter = new InMemorySpanExporter();
  telemetry = await startTelemetry({ service: 's', version: '1', otlpTracesUrl: null, exporter });
});
afterEach(() => telemetry.shutdown());

const only = (name: string): ReadableSpan => {
  const [span] = exporter.getFinishedSpans().filter((one) => one.name === name);
  if (span === undefined) throw new Error(`no span ${name}`);
  return span;
};

describe('the trace of a run', () => {
  it('is one trace in every process, named by the run, below the event that caused the work', async () => {
    await inRunTrace(RUN, EVENT, { name: 'train' }, async () => undefined);
    spanOfEvent(RUN, { id: EVENT, type: 'TrainingLaunched', causationId: 'other' });
    const [work, event] = [only('train'), only('TrainingLaunched')];
    expect(work.spanContext().traceId).toBe(traceIdOf(RUN));
    expect(event.spanContext()).toMatchObject({ traceId: traceIdOf(RUN), spanId: spanIdOf(EVENT) });
    expect(work.parentSpanContext?.spanId).toBe(event.spanContext().spanId);
    expect(event.parentSpanContext?.spanId).toBe(spanIdOf('other'));
    expect(traceparentOf(RUN, EVENT)).toBe(`00-${traceIdOf(RUN)}-${spanIdOf(EVENT)}-01`);
  });

  it('differs from run to run, and gives spans that name no event an id of their own', async () => {
    expect(traceIdOf('pay-2')).not.toBe(traceIdOf(RUN));
    spanOfEvent(RUN, { id: EVENT, type: 'A', causationId: 'x' });
    await inRunTrace(RUN, EVENT, { name: 'one' }, async () => undefined);
    await inRunTrace(RUN, EVENT, { name: 'two' }, async () => undefined);
    const ids = exporter.getFinishedSpans().map((span) => span.spanContext().spanId);
    expect(new Set(ids).size).toBe(3);
  });

  it('is handed on to another process, which goes on below', async () => {
    let handed: string | null = null;
    await inRunTrace(RUN, EVENT, { name: 'train' }, async () => {
      handed = activeTraceparent();
    });
    await inTraceOf(handed, { name: 'training' }, async () => undefined);
    const [train, training] = [only('train'), only('training')];
    expect(training.spanContext().traceId).toBe(traceIdOf(RUN));
    expect(training.parentSpanContext?.spanId).toBe(train.spanContext().spanId);
    expect(activeTraceparent()).toBeNull();
    await inTraceOf('nonsense', { name: 'alone' }, async () => undefined);
    expect(only('alone').spanContext().traceId).not.toBe(traceIdOf(RUN));
  });

  it('is linked with the request in whose trace it began, and holds what the work starts', async () => {
    const tracer = trace.getTracer('test');
    const request = tracer.startSpan('request');
    await context.with(trace.setSpan(context.active(), request), () =>
      inRunTrace(RUN, EVENT, { name: 'work' }, async () => {
        tracer.startSpan('inner').end();
      }),
    );
    request.end();
    expect(only('work').links[0]?.context.spanId).toBe(request.spanContext().spanId);
    expect(only('inner').parentSpanContext?.spanId).toBe(only('work').spanContext().spanId);
  });

  it('says that work failed, without what the error said', async () => {
    const secret = 'row 17 says so';
    const failing = inRunTrace(RUN, EVENT, { name: 'work' }, async () => {
      throw new RangeError(secret);
    });
    await expect(failing).rejects.toThrow(secret);
    const { status, events } = only('work');
    expect(JSON.stringify([status, events])).not.toContain(secret);
    expect(status.message).toBe('RangeError');
  });
});

describe('without an endpoint', () => {
  it('nothing is recorded, and the work is done', async () => {
    await telemetry.shutdown();
    telemetry = await startTelemetry({ service: 's', version: '1', otlpTracesUrl: null });
    expect(await inRunTrace(RUN, EVENT, { name: 'work' }, async (span) => span.isRecording())).toBe(
      false,
    );
  });
});
