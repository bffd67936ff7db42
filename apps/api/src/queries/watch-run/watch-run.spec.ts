import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveId, type Actor } from '#libs/kernel';
import { startTestServer, type TestServer } from '../../testing/server.ts';

const RESEARCHER: Actor = { role: 'researcher', id: 'r-1' };

let server: TestServer;
let token: string;

const start = async (limits = {}): Promise<void> => {
  server = await startTestServer({ limits, heartbeatMs: 30 });
  token = await server.token('researcher', { subject: 'r-1' });
  const { studies } = server.ledger;
  await studies.send(
    'pay',
    { type: 'RegisterStudy', id: 'register', data: { studyId: 'pay', title: 'Pay' } },
    RESEARCHER,
  );
  await studies.send(
    'pay',
    { type: 'RequestRun', id: 'run', data: { runId: 'pay-1', seed: 1, agent: null } },
    RESEARCHER,
  );
};
afterEach(() => server.stop());

const refuse = (runId: string, id: string) =>
  server.ledger.studies.send(
    'pay',
    { type: 'RefuseRun', id, data: { runId, code: 'no', reason: 'no sandbox' } },
    { role: 'harness', id: 'harness' },
  );

const reading = async (answered: Response): Promise<() => Promise<string>> => {
  const reader = answered.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  const decoder = new TextDecoder();
  return async () => decoder.decode((await reader.read()).value);
};

describe('a stream of events', () => {
  beforeEach(() => start({ streamsEach: 2 }));

  it('begins with how long to wait before coming back, and says that it lives', async () => {
    const answered = await server.get('/v1/runs/pay-1/watch', token);
    const next = await reading(answered);
    let text = '';
    while (!text.includes(': alive')) text += await next();
    expect(text).toMatch(
      /^retry: 3000\n\nid: 2\nevent: RunRequested\ndata: \{[^]*\}\n\n: alive\n\n/,
    );
    await refuse('pay-1', 'refuse');
    while (!text.includes('event: end')) text += await next();
    expect(text).toContain('event: RunRefused');
  });

  it('is one of a few that one holder may have open', async () => {
    const [first, second] = await Promise.all([
      server.get('/v1/runs/pay-1/watch', token),
      server.get('/v1/runs/pay-1/watch', token),
    ]);
    const third = await server.get('/v1/runs/pay-1/watch', token);
    expect(await third.json()).toMatchObject({
      status: 429,
      type: 'urn:holdfast:problem:too-many-streams',
    });
    await first.body?.cancel();
    await sleep(100);
    const again = await server.get('/v1/runs/pay-1/watch', token);
    expect(again.status).toBe(200);
    for (const answered of [again, second]) await answered.body?.cancel();
  });

  it('tells its reader to come back when the server stops', async () => {
    const answered = await server.get('/v1/runs/pay-1/watch', token);
    const text = answered.text();
    await sleep(100);
    await server.api.close();
    expect(await text).toMatch(/retry: 1000\n: the server stops; come back\n\n$/);
  });
});

/** Events about the run that take more bytes than the buffers between here and there hold. */
const MANY = 40_000;
const BATCH = 1_000;

const recordMany = async (): Promise<void> => {
  for (let first = 0; first < MANY; first += BATCH) {
    const appended = await server.ledger.log.append(
      'finding-pay-1-f1',
      first === 0 ? 'no-stream' : first - 1,
      Array.from({ length: BATCH }, (_, n) => ({
        id: deriveId('many', first + n),
        type: 'VerificationRequested',
        data: { findingId: 'pay-1-f1' },
        metadata: {
          correlationId: 'pay-1',
          causationId: 'test',
          actor: RESEARCHER,
          time: '2026-11-23T08:00:00.000Z',
          schemaVersion: 1,
        },
      })),
    );
    if (!appended.ok) throw new Error(appended.error.message);
  }
  await refuse('pay-1', 'refuse');
};

describe('a reader who does not read', () => {
  it('is dropped, and those who read are not kept waiting', async () => {
    await start({ streamStallMs: 500 });
    await recordMany();
    const slow: Socket = connect(server.api.port, '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write(
      `GET /v1/runs/pay-1/watch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    slow.pause();
    const whole = await (await server.get('/v1/runs/pay-1/watch', token)).text();
    expect(whole.split('event: VerificationRequested')).toHaveLength(MANY + 1);
    expect(whole).toContain('event: end');
    const operator = await server.token('operator');
    let open = '';
    for (let tries = 0; tries < 100 && open !== '0'; tries += 1) {
      await sleep(100);
      const metrics = await (await server.get('/metrics', operator)).text();
      open = /^holdfast_http_event_streams (\d+)$/m.exec(metrics)?.[1] ?? '';
    }
    expect(open).toBe('0');
    expect(server.lines.join('')).toContain('dropped a slow reader');
    slow.destroy();
  });
});
