import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/server.ts';
import { formatOf } from './formats.ts';

describe('the format that is asked for', () => {
  it.each([
    [undefined, undefined, 'json'],
    [undefined, '', 'json'],
    [undefined, '*/*', 'json'],
    [undefined, 'text/*', 'csv'],
    [undefined, 'TEXT/CSV; charset=utf-8', 'csv'],
    [undefined, 'text/csv;q=0.1, application/x-ndjson;q=0.9', 'jsonl'],
    [undefined, 'image/png, application/vnd.apache.parquet;q=0.2', 'parquet'],
    ['csv', 'application/json', 'csv'],
  ] as const)('by name %j and Accept %j is %s', (name, accept, format) => {
    expect(formatOf(name, accept)).toBe(format);
  });

  it.each(['image/png', 'text/csv;q=0', ';;,'])('is none of ours for %j', (accept) => {
    expect(() => formatOf(undefined, accept)).toThrow('found no format');
  });
});

describe('a place for an export', () => {
  let server: TestServer;
  let token: string;
  beforeAll(async () => {
    server = await startTestServer({ limits: { heavyWork: 1 } });
    token = await server.token('reviewer');
  });
  afterAll(() => server.stop());

  it.each(['csv', 'jsonl', 'parquet'])(
    'is given back when %s was read, and when it was not',
    async (format) => {
      const path = `/v1/charges?format=${format}`;
      for (let n = 0; n < 3; n += 1) {
        const read = await server.get(path, token);
        expect(read.status).toBe(200);
        await read.arrayBuffer();
        const left = new AbortController();
        const answered = await fetch(`${server.api.url}${path}`, {
          signal: left.signal,
          headers: { authorization: `Bearer ${token}` },
        });
        left.abort();
        await answered.arrayBuffer().catch(() => undefined);
        // The server sees that somebody has left a moment later.
        await expect
          .poll(async () => {
            const again = await server.get(path, token);
            await again.arrayBuffer();
            return again.status;
          })
          .toBe(200);
      }
    },
  );
});
