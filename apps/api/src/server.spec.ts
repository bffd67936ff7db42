import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLedger, type Ledger } from '#apps/runner';
import { EventLogUnavailable, type EventLog } from '#libs/event-log';
import { startTestServer, type TestServer } from './testing/server.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIMITS = {
  bodyBytes: 2000,
  headerBytes: 4000,
  headerCount: 20,
  urlBytes: 500,
  queryCount: 8,
};

let server: TestServer;
let researcher: string;
let operator: string;
beforeAll(async () => {
  server = await startTestServer({ limits: LIMITS });
  researcher = await server.token('researcher');
  operator = await server.token('operator');
});
afterAll(() => server.stop());

/** Sends bytes as they are, and gives the answer's. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(server.api.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.once('close', () => {
      resolve(text);
    });
    socket.once('error', reject);
    setTimeout(() => socket.end(), 500).unref();
  });

describe('a server', () => {
  it('says that it lives and is ready, and what it found to an operator only', async () => {
    const live = await server.get('/health/live');
    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    for (const token of [null, researcher])
      expect(await (await server.get('/health/ready', token)).json()).toEqual({ status: 'ok' });
    expect(await (await server.get('/health/ready', operator)).json()).toMatchObject({
      status: 'ok',
      checks: ['event-log', 'views', 'repository'].map((name) => ({ name, status: 'ok' })),
    });
  });

  it('measures itself, by route and not by what stood in it', async () => {
    await server.get('/v1/studies/some-study', researcher);
    const metrics = await (await server.get('/metrics', operator)).text();
    expect(metrics).toMatch(
      /holdfast_http_request_duration_seconds_count\{method="GET",route="\/v1\/studies\/:studyId",status="404"\} 1/,
    );
    expect(metrics).toMatch(/holdfast_build_info\{version="[^"]+",node="v[^"]+"\} 1/);
    for (const name of ['log_position', 'views_lag', 'runs', 'http_event_streams'])
      expect(metrics).toContain(`# TYPE holdfast_${name} gauge`);
    expect(metrics).not.toContain('some-study');
  });

  it('refuses to speak plain HTTP beyond this machine', async () => {
    const started = startTestServer({ host: '0.0.0.0' }, server.ledger);
    await expect(started).rejects.toThrow('tokens would be overheard');
  });
});

describe('a problem', () => {
  it('says what it is, where, and under which id the log says more', async () => {
    const answered = await server.get('/v1/runs/nope-1?x=1', researcher, {
      'x-request-id': 'my-request.7',
    });
    expect(answered.headers.get('content-type')).toBe('application/problem+json');
    expect(answered.headers.get('x-request-id')).toBe('my-request.7');
    expect(await answered.json()).toEqual({
      type: 'urn:holdfast:problem:request-invalid',
      title: 'The request is not valid',
      status: 400,
      detail: 'the request has a problem; nothing was done',
      instance: '/v1/runs/nope-1',
      correlationId: 'my-request.7',
      errors: [{ parameter: 'x', detail: 'is not known here' }],
    });
    expect(server.lines.join('')).toContain('"correlationId":"my-request.7"');
  });

  it('takes its id from a trace, and makes one where what is sent is no id', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traced = await server.get('/health/live', null, {
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    expect(traced.headers.get('x-request-id')).toBe(trace);
    const made = await server.get('/health/live', null, { 'x-request-id': 'a b"c' });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('names everything that is wrong at once: path, query, header and body', async () => {
    const answered = await server.post(
      '/v1/studies/a%20b/runs?extra=1',
      researcher,
      { seed: -1, agent: 'x y', more: [] },
      { 'idempotency-key': 'with blank' },
    );
    const { status, errors } = (await answered.json()) as {
      status: number;
      errors: { parameter?: string; pointer?: string }[];
    };
    expect(status).toBe(400);
    expect(errors.map(({ parameter, pointer }) => parameter ?? pointer).toSorted()).toEqual(
      ['/agent', '/more', '/seed', 'Idempotency-Key', 'extra', 'studyId'].toSorted(),
    );
  });

  it.each([
    ['no JSON', '{"seed":', 'application/json', 400, 'request-invalid'],
    ['a list', '[]', 'application/json', 400, 'request-invalid'],
    ['nothing', 'null', 'application/json', 400, 'request-invalid'],
    ['a number', '7', 'application/json', 400, 'request-invalid'],
    ['a prototype', '{"__proto__":{"seed":1}}', 'application/json', 400, 'request-invalid'],
    ['a form', 'seed=1', 'application/x-www-form-urlencoded', 415, 'content-type-unsupported'],
    ['plain text', '{}', 'text/plain', 415, 'content-type-unsupported'],
    [
      'too much',
      JSON.stringify({ x: 'x'.repeat(3000) }),
      'application/json',
      413,
      'body-too-large',
    ],
  ])('is what %s in a body is', async (_, body, type, status, code) => {
    const answered = await server.post('/v1/studies/pay/runs', researcher, body, {
      'content-type': type,
    });
    expect(await answered.json()).toMatchObject({ status, type: `urn:holdfast:problem:${code}` });
  });

  it('is what names of Object and half characters in a request are, nothing unexpected', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      const asked = await server.get(`/v1/charges?${name}=1`, researcher);
      expect([asked.status, await asked.json()], name).toMatchObject([
        400,
        { errors: [{ parameter: name, detail: 'is not known here' }] },
      ]);
      const said = await server.post('/v1/studies/pay/runs', researcher, { [name]: 1 });
      expect([said.status, await said.json()], name).toMatchObject([
        400,
        { errors: [{ pointer: `/${name}` }] },
      ]);
    }
    for (const [body, pointer] of [
      ['{"project":"p","folder":"\\ud800"}', '/folder'],
      ['{"project":"p","folder":"x","\\ud800":1}', ''],
    ]) {
      const said = await server.post('/v1/studies', researcher, body);
      expect([said.status, await said.json()]).toMatchObject([400, { errors: [{ pointer }] }]);
    }
  });

  it('is a URL, a query or headers that are too much', async () => {
    const long = await server.get(`/v1/runs/${'x'.repeat(600)}`, researcher);
    expect(long.status).toBe(414);
    const name = await server.get(`/v1/runs/${'x'.repeat(200)}`, researcher);
    expect([404, 414]).toContain(name.status);
    const many = Array.from({ length: 9 }, (_, n) => `a${n}=1`).join('&');
    expect((await server.get(`/v1/runs?${many}`, researcher)).status).toBe(400);
    expect((await server.get('/v1/runs?limit=1&limit=2', researcher)).status).toBe(400);
    const headers = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`x-a${n}`, '1']));
    expect((await server.get('/health/live', null, headers)).status).toBe(431);
    const large = await raw(
      `GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: ${'x'.repeat(5000)}\r\n\r\n`,
    );
    expect(large).toMatch(/^HTTP\/1.1 431 [^]*urn:holdfast:problem:headers-too-large/);
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*problem:request-invalid/);
  });

  it('is a method or a path that is not there, with or without a token', async () => {
    expect((await server.get('/v2/runs')).status).toBe(404);
    const unreadable = await server.get('/v1/studies/%', null, { 'x-request-id': 'mine' });
    expect([unreadable.status, unreadable.headers.get('x-request-id')]).toEqual([400, 'mine']);
    expect(await unreadable.json()).toMatchObject({
      type: 'urn:holdfast:problem:request-invalid',
      correlationId: 'mine',
    });
    const deleted = await fetch(`${server.api.url}/v1/runs`, { method: 'DELETE' });
    expect(deleted.status).toBe(404);
    expect(deleted.headers.get('content-type')).toBe('application/problem+json');
    expect((await fetch(`${server.api.url}/v1/runs`, { method: 'HEAD' })).status).toBe(404);
  });

  it('of a limit, a time or a cursor is said by name', async () => {
    for (const [query, parameter] of [
      ['limit=0', 'limit'],
      ['limit=1001', 'limit'],
      ['limit=1e3', 'limit'],
      ['limit=', 'limit'],
      ['from=2026-02-30T00:00:00Z', 'from'],
      ['from=2026-11-23', 'from'],
      ['from=2026-11-23T08:00:00', 'from'],
      ['cursor=WzEsIngiXQ', 'cursor'],
      ['cursor=%00', 'cursor'],
      ['order=up', 'order'],
    ]) {
      const answered = await server.get(`/v1/charges?${query ?? ''}`, researcher);
      expect(answered.status, query).toBe(400);
      expect(await answered.json(), query).toMatchObject({ errors: [{ parameter }] });
    }
    const cursor = (place: number, path: string) =>
      Buffer.from(
        JSON.stringify([
          place,
          createHash('sha256').update(`["${path}",{}]`).digest('base64url').slice(0, 12),
        ]),
      ).toString('base64url');
    for (const [list, given, status] of [
      ['charges', cursor(3, '/v1/charges'), 200],
      ['charges', cursor(3, '/v1/runs'), 400],
      ['charges', cursor(-3, '/v1/charges'), 400],
      ['charges', cursor(1.5, '/v1/charges'), 400],
    ] as const)
      expect((await server.get(`/v1/${list}?cursor=${given}`, researcher)).status).toBe(status);
    const zoned = await server.get('/v1/charges?from=2026-11-23T08:00:00.5%2B02:00', researcher);
    expect(zoned.status).toBe(200);
  });
});

describe('a body within the limit of bytes', () => {
  it('can not hold the process, by its members or by its levels', async () => {
    const roomy = await startTestServer({}, server.ledger);
    try {
      const token = await roomy.token('agent');
      const many = Array.from({ length: 150_000 }, (_, n) => [`k${n}`, 1]);
      for (const body of [
        JSON.stringify(Object.fromEntries(many)),
        JSON.stringify({ edits: many.map(() => ({})) }),
        `{"edits":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
        `{"x":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`,
      ]) {
        const begun = performance.now();
        const answered = await roomy.post('/v1/agent/runs/pay-1/mutations', token, body);
        expect([answered.status, await answered.json()]).toMatchObject([
          400,
          { type: 'urn:holdfast:problem:request-invalid' },
        ]);
        expect(performance.now() - begun).toBeLessThan(5_000);
      }
    } finally {
      await roomy.stop();
    }
  });
});

describe('the log', () => {
  it('holds no token, wherever one stood', async () => {
    const secret = await server.token('auditor');
    await server.get('/v1/runs', secret);
    await server.get(`/v1/runs/${secret}`, secret);
    await server.get(`/v1/runs?token=${secret}`, null);
    await server.post('/v1/studies', secret, { token: secret });
    await server.get('/v1/runs', `${secret}x`);
    await server.get('/v1/runs', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl');
    await raw(`GET /v1/runs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${secret}\r\nbad\r\n\r\n`);
    expect(server.lines.length).toBeGreaterThan(5);
    const log = server.lines.join('');
    expect(log.includes(secret.slice(3))).toBe(false);
    expect(log.includes('eyJ')).toBe(false);
  });
});

/** A ledger of its own, whose log a test can break or hold up. */
const brokenLedger = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-broken-'));
  const fault: { on: ((method: keyof EventLog) => Promise<void>) | null } = { on: null };
  const through = (log: EventLog): EventLog => ({
    ...log,
    append: async (...request) => {
      await fault.on?.('append');
      return log.append(...request);
    },
    readStream: (stream, options) => after('readStream', () => log.readStream(stream, options)),
    readStored: (options) => after('readStored', () => log.readStored(options)),
  });
  async function* after<T>(
    method: keyof EventLog,
    events: () => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    await fault.on?.(method);
    yield* events();
  }
  const opened = await openLedger({ folder: join(folder, 'home'), throughLog: through });
  if (!opened.ok) throw new Error(opened.error.message);
  const ledger: Ledger = opened.value;
  return {
    ledger,
    fault,
    remove: async () => {
      await ledger.close();
      await rm(folder, { recursive: true });
    },
  };
};

describe('on broken ground', () => {
  let broken: Awaited<ReturnType<typeof brokenLedger>>;
  let api: TestServer;
  const start = async (limits = {}) => {
    broken = await brokenLedger();
    api = await startTestServer({ limits }, broken.ledger);
  };
  afterEach(async () => {
    broken.fault.on = null;
    await api.stop();
    await broken.remove();
  });

  it('the server says that it is not ready, and asks to be tried again', async () => {
    await start();
    const token = await api.token('operator');
    broken.fault.on = async () => {
      throw new EventLogUnavailable('disk /secret/place is full');
    };
    const answered = await api.get('/v1/studies/pay', token);
    expect([answered.status, answered.headers.get('retry-after')]).toEqual([503, '2']);
    const body = await answered.text();
    expect(body).toContain('urn:holdfast:problem:unavailable');
    expect(body).not.toContain('secret');
    const ready = await api.get('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not-ready' }]);
    const told = await (await api.get('/health/ready', token)).json();
    expect(told).toMatchObject({
      checks: [{ status: 'failed', found: 'EventLogUnavailable' }, {}, {}],
    });
    expect((await api.get('/health/live')).status).toBe(200);
  });

  it('the log is told no password, and of an error what it says only', async () => {
    await start();
    broken.fault.on = async () => {
      const error = new TypeError('no answer of postgres://holdfast:open%20sesame@db:5432/x');
      throw Object.assign(error, { config: { password: 'open sesame' } });
    };
    await api.get('/v1/studies/pay', await api.token('operator'));
    const log = api.lines.join('');
    expect(log).toContain('no answer of postgres://[secret]db:5432/x');
    expect(log).not.toContain('sesame');
  });

  it('a bug is answered without what is inside', async () => {
    await start();
    broken.fault.on = async () => {
      throw new TypeError('x of secret is undefined');
    };
    const answered = await api.get('/v1/studies/pay', await api.token('operator'));
    const body = await answered.text();
    expect(answered.status).toBe(500);
    expect(body).not.toMatch(/secret|TypeError|\.ts/);
    expect(api.lines.join('')).toContain('x of secret is undefined');
  });

  it('an auditor is not answered what can not be recorded, and everybody else is', async () => {
    await start();
    broken.fault.on = async (method) => {
      if (method === 'append') throw new EventLogUnavailable('read-only');
    };
    expect((await api.get('/v1/ledger', await api.token('auditor'))).status).toBe(503);
    expect((await api.get('/v1/ledger', await api.token('reviewer'))).status).toBe(200);
  });

  it('an answer that does not come is said not to come', async () => {
    await start({ answerMs: 200 });
    broken.fault.on = () => sleep(5_000);
    const answered = await api.get('/v1/studies/pay', await api.token('operator'));
    expect(await answered.json()).toMatchObject({
      status: 503,
      type: 'urn:holdfast:problem:took-too-long',
    });
  });

  it('files that nobody waits for any more hold no place', async () => {
    await start({ answerMs: 100, heavyWork: 1 });
    const token = await api.token('operator');
    await broken.ledger.studies.send(
      'pay',
      { type: 'RegisterStudy', id: 'register', data: { studyId: 'pay', title: 'Pay' } },
      { role: 'researcher', id: 'r-1' },
    );
    broken.fault.on = () => sleep(150);
    const late = await api.get('/v1/charges?study=pay&format=csv', token);
    expect(late.status).toBe(503);
    await sleep(400);
    broken.fault.on = null;
    const answered = await api.get('/v1/charges?study=pay&format=csv', token);
    expect([answered.status, await answered.text()]).toMatchObject([
      200,
      expect.stringMatching(/^position,/),
    ]);
  });

  it('what is under way when the server stops is finished, and nothing more is taken', async () => {
    await start();
    const token = await api.token('reviewer');
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let reached: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (reached = resolve));
    broken.fault.on = () => {
      reached();
      return held;
    };
    const answered = api.get('/v1/studies/pay', token);
    await arrived;
    const begun = performance.now();
    const closed = api.api.close();
    await expect(api.get('/health/live')).rejects.toThrow();
    broken.fault.on = null;
    goOn();
    expect((await answered).status).toBe(404);
    await closed;
    await api.api.ended;
    // No bound had to be waited for.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('what does not end within the bound is cut off', async () => {
    await start({ shutdownMs: 200 });
    broken.fault.on = () => sleep(3_000);
    const answered = api.get('/v1/studies/pay', await api.token('reviewer')).catch(() => 'cut off');
    await sleep(100);
    const begun = performance.now();
    await api.api.close();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await answered).toBe('cut off');
  });
});
