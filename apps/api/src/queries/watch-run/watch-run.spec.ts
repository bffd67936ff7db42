import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedger, type Ledger } from '#apps/runner';
import { localTokens } from '#libs/access';
import { deriveId, systemClock, type Actor } from '#libs/kernel';
import { startTestServer, type TestServer } from '../../testing/server.ts';

const RESEARCHER: Actor = { role: 'researcher', id: 'r-1' };

let server: TestServer;
let token: string;

const start = async (limits = {}, ledger: Ledger | null = null): Promise<void> => {
  server = await startTestServer({ limits, heartbeatMs: 30 }, ledger);
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

describe('a stream whose token is no longer good', () => {
  it.each([
    ['was revoked', (id: string) => localTokens(server.ledger.folder, systemClock).revoke(id)],
    [
      'does not see the study any more',
      () =>
        server.ledger.studies.send(
          'pay',
          {
            type: 'PlaceStudy',
            id: 'place',
            data: { project: 'elsewhere', folder: 'pay', priority: 5 },
          },
          RESEARCHER,
        ),
    ],
  ])('ends soon after it %s', async (_, change) => {
    await start({ streamCheckMs: 50 });
    const issued = await localTokens(server.ledger.folder, systemClock).issue({
      ...{ role: 'auditor', projects: ['default'], days: 1 },
    });
    if (!issued.ok) throw new Error(issued.error.message);
    const answered = await server.get('/v1/runs/pay-1/watch', issued.value.token);
    const others = await server.get('/v1/runs/pay-1/watch', token);
    const text = answered.text();
    await sleep(200);
    await change(issued.value.kept.id);
    expect(await text).toMatch(/: the token is no longer good for this run\n\n$/);
    const next = await reading(others);
    expect(await next()).toContain('retry');
    await refuse('pay-1', 'refuse');
    let rest = '';
    while (!rest.includes('event: end')) rest += await next();
  });
});

describe('a client that is gone before its stream is open', () => {
  it('holds no place', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-slow-'));
    const opened = await openLedger({
      folder: join(folder, 'home'),
      throughLog: (log) => ({
        ...log,
        readStream: async function* (stream, options) {
          await sleep(50);
          yield* log.readStream(stream, options);
        },
      }),
    });
    if (!opened.ok) throw new Error(opened.error.message);
    await start({ streams: 3, streamsEach: 3 }, opened.value);
    for (let n = 0; n < 4; n += 1) {
      const socket = connect(server.api.port, '127.0.0.1');
      socket.write(
        `GET /v1/runs/pay-1/watch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`,
      );
      await sleep(30);
      socket.destroy();
    }
    await sleep(500);
    const answered = await server.get('/v1/runs/pay-1/watch', token);
    expect(answered.status).toBe(200);
    await answered.body?.cancel();
    await server.stop();
    await opened.value.close();
    await rm(folder, { recursive: true });
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
