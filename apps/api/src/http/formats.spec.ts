import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { a } from '#libs/exports';
import { formatOf, sendExport } from './formats.ts';
import { slotsOf } from './slots.ts';

const COLUMNS = { text: a.text('A text') };
const ROW = { text: 'x'.repeat(1000) };
/** More than the buffers between here and there hold. */
const MANY = 60_000;

let app: FastifyInstance;
afterEach(() => app.close());

/** A server of one long file, with one place for it. */
const serve = async (stallMs: number): Promise<{ readonly port: number }> => {
  const slots = slotsOf(1, 1);
  app = fastify();
  app.setErrorHandler((_, __, reply) => reply.code(503).send());
  app.get('/', (_, reply) => {
    const rows = (async function* () {
      for (let n = 0; n < MANY; n += 1) yield ROW;
    })();
    const file = sendExport(
      'jsonl',
      { name: 'x', columns: COLUMNS, rows },
      { slots, subject: 's', reply, stallMs },
    );
    return reply.send(file.getStream());
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address() as AddressInfo;
};

it('frees the place of a reader who does not read, and no other', async () => {
  const { port } = await serve(400);
  const slow = connect(port, '127.0.0.1');
  slow.on('error', () => undefined);
  slow.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  slow.pause();
  await sleep(200);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  await sleep(1_000);
  const answered = await fetch(`http://127.0.0.1:${port}/`);
  expect(answered.status).toBe(200);
  // Slower than the bound as a whole, and never without a read for so long.
  let bytes = 0;
  for await (const chunk of answered.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (Math.random() < 0.02) await sleep(20);
  }
  expect(bytes).toBe(MANY * (ROW.text.length + '{"text":""}\n'.length));
  slow.destroy();
});

it('gives nobody all the places', () => {
  const slots = slotsOf(3, 2);
  const leave = slots.take('one');
  slots.take('one');
  expect(() => slots.take('one')).toThrow('found 2 exports');
  slots.take('two');
  expect(() => slots.take('three')).toThrow('0 places free');
  leave();
  // Twice is once.
  leave();
  slots.take('one');
  expect(() => slots.take('three')).toThrow('0 places free');
});

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
