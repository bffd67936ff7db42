import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe('the server', () => {
  it('says that it lives and is ready, without details to whoever asks', async () => {
    const live = await server.get('/health/live');
    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await server.get('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok' }]);
    const told = await server.get('/health/ready', await server.token('operator'));
    expect(await told.json()).toMatchObject({
      checks: [
        { name: 'event-log', status: 'ok' },
        { name: 'views', status: 'ok' },
        { name: 'repository', status: 'ok' },
      ],
    });
  });
  it('shows', async () => {
    console.log(
      JSON.stringify(await (await server.get('/openapi.json')).json(), null, 1).slice(0, 6000),
    );
    for (const path of ['/nope', '/metrics', '/health/live?x=1&y=2']) {
      const r = await server.get(path);
      console.log(r.status, [...r.headers], await r.text());
    }
    const m = await server.get('/metrics', await server.token('operator'));
    console.log(
      m.status,
      [...m.headers],
      (await m.text())
        .split('\n')
        .filter((l) => /^holdfast/.test(l))
        .join('\n')
        .slice(0, 1500),
    );
    console.log(server.lines.join(''));
  });
});
