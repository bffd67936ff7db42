import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spanIdOf, startTelemetry, traceIdOf, type Telemetry } from '#libs/telemetry';
import { startTestServer, type TestServer } from '../testing/server.ts';

const CALLER = '0af7651916cd43dd8448eb211c80319c';

let exporter: InMemorySpanExporter;
let telemetry: Telemetry;
let server: TestServer;
beforeAll(async () => {
  exporter = new InMemorySpanExporter();
  telemetry = await startTelemetry({ service: 'api', version: '1', otlpTracesUrl: null, exporter });
  server = await startTestServer();
  await server.ledger.studies.send(
    'pay',
    { type: 'RegisterStudy', id: 'register', data: { studyId: 'pay', title: 'Pay' } },
    { role: 'researcher', id: 'r-1' },
  );
});
afterAll(async () => {
  await server.stop();
  await telemetry.shutdown();
});

describe('a command over HTTP', () => {
  it("is the first span of its run, linked with the request in its caller's trace", async () => {
    const token = await server.token('researcher');
    const send = () =>
      server.post(
        '/v1/studies/pay/runs',
        token,
        {},
        {
          'idempotency-key': 'k',
          traceparent: `00-${CALLER}-b7ad6b7169203331-01`,
        },
      );
    expect((await send()).status).toBe(202);
    expect((await send()).status).toBe(202);
    const spans = exporter.getFinishedSpans();
    const requests = spans.filter(({ name }) => name === 'POST /v1/studies/:studyId/runs');
    expect(requests.map((span) => span.spanContext().traceId)).toEqual([CALLER, CALLER]);
    expect(requests[0]?.attributes).toMatchObject({ 'http.response.status_code': 202 });
    // Said once: a repetition records nothing.
    const [first, ...more] = spans.filter(({ name }) => name === 'RunRequested');
    expect(more).toEqual([]);
    let eventId = '';
    for await (const { id, type } of server.ledger.log.readStream('study-pay'))
      if (type === 'RunRequested') eventId = id;
    expect(first?.spanContext()).toMatchObject({
      traceId: traceIdOf('pay-1'),
      spanId: spanIdOf(eventId),
    });
    expect(first?.links[0]?.context.spanId).toBe(requests[0]?.spanContext().spanId);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain(token);
  });
});
