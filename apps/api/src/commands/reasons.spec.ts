import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseBody } from '#libs/event-log';
import { storedEvents } from '../../../../libs/payloads/src/testing/golden.ts';
import { startTestServer, type TestServer } from '../testing/server.ts';

let server: TestServer;

/** The first events of a stream of a golden log, as if they had been recorded here. */
const recorded = async (stream: string, count: number): Promise<void> => {
  const events = storedEvents('v2-pay.jsonl')
    .map(({ canonical }) => parseBody(canonical))
    .filter((body) => body.stream === stream)
    .slice(0, count)
    .map(({ id, type, data, metadata: { prev: _, ...metadata } }) => ({
      ...{ id, type, data, metadata },
    }));
  const appended = await server.ledger.log.append(stream, 'no-stream', events);
  if (!appended.ok) throw new Error(appended.error.message);
};

beforeAll(async () => {
  server = await startTestServer();
  await recorded('study-pay', 1);
  await recorded('run-pay-1', 1);
  await recorded('finding-pay-1-f1', 2);
});
afterAll(() => server.stop());

it.each([
  ['/v1/findings/pay-1-f1/review', 'reviewer', { decision: 'rejected' }, 'finding-pay-1-f1@2'],
  ['/v1/runs/pay-1/halt', 'operator', {}, 'run-pay-1@1'],
] as const)(
  'answers a repetition of %s with the reason that was recorded, not with another one',
  async (path, role, body, place) => {
    const token = await server.token(role);
    const send = async (reason: string): Promise<object> => {
      const headers = { 'idempotency-key': 'once' };
      const answer = await server.post(path, token, { ...body, reason }, headers);
      expect(answer.status).toBe(200);
      return (await answer.json()) as object;
    };
    const first = await send('the data were replaced');
    expect(first).toMatchObject({ ...body, reason: 'the data were replaced' });
    expect(await send('something else')).toEqual(first);
    const [stream = '', revision] = place.split('@');
    const erased = await server.post('/v1/erasures', await server.token('operator'), {
      ...{ stream, revision: Number(revision) },
    });
    expect(erased.status).toBe(200);
    expect(await send('the data were replaced')).toEqual({ ...first, reason: '(erased)' });
  },
);
