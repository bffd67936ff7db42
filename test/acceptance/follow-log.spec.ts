import { execFile } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOG_TREE } from '#apps/runner';
import { deriveId } from '#libs/kernel';
import { startTestServer, type TestServer } from '../../apps/api/src/testing/server.ts';
import { good } from '../support/results.ts';
import { sealAlone } from '../support/sealing.ts';

const MONITOR = new URL('../second-verifier/monitor.py', import.meta.url).pathname;
const PATIENCE = 60_000;

let server: TestServer;
let key: string;
let size = 0;

/** So many events more, signed. */
const grow = async (count: number): Promise<void> => {
  const { ledger } = server;
  for (let at = 0; at < count; at += 1) {
    size += 1;
    const data = { operation: 'getRun', asked: { runId: `pay-${size}` } };
    const command = { type: 'RecordRead', id: deriveId('read', size), data } as const;
    good(await ledger.reads.send('u-1', command, { role: 'auditor', id: 'u-1' }));
  }
  key = good(await sealAlone(ledger)).verifierKey;
};

interface Followed {
  readonly exitCode: number;
  readonly said: Readonly<Record<string, unknown>>;
}

/** The monitor, which knows an address, a key and what it saw before, and none of our code. */
const followAt = async (url: string, ...args: readonly string[]): Promise<Followed> => {
  const run = promisify(execFile);
  const { stdout, stderr, exitCode } = await run('python3', [
    ...['-B', MONITOR, url, '--key', key],
    ...args,
  ]).then(
    (done) => ({ ...done, exitCode: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => ({
      ...error,
      exitCode: error.code,
    }),
  );
  expect(stderr).toBe('');
  return { exitCode, said: JSON.parse(stdout) as Followed['said'] };
};
const follow = (...args: readonly string[]): Promise<Followed> => followAt(server.api.url, ...args);

/** What stands where a log should: a double of a server that is down, lies, or is something else. */
const served = async <T>(answer: RequestListener, use: (url: string) => Promise<T>): Promise<T> => {
  const double = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((listening) => double.once('listening', listening));
  try {
    return await use(`http://127.0.0.1:${(double.address() as AddressInfo).port}`);
  } finally {
    double.closeAllConnections();
    double.close();
  }
};

beforeAll(async () => {
  server = await startTestServer({ publicLog: true });
}, PATIENCE);
afterAll(() => server.stop());

it(
  'a monitor of another making follows the log over its address, and sees that it takes nothing back',
  async () => {
    await grow(300);
    expect(await follow()).toMatchObject({ exitCode: 0, said: { size: 300, levels: 2 } });
    const seen = join(server.ledger.folder, '..', 'seen.txt');
    await writeFile(seen, await (await server.get('/checkpoint')).text());
    await grow(230);
    expect(await follow('--seen', seen)).toMatchObject({ exitCode: 0, said: { size: 530 } });
    // Somebody with another idea of what this log was is told.
    const other = (await readFile(seen, 'utf8')).replace('\n300\n', '\n301\n');
    await writeFile(seen, other);
    expect((await follow('--seen', seen)).exitCode).toBe(1);
  },
  PATIENCE,
);

it(
  'sees that a server gives other hashes than those of the entries',
  async () => {
    const lying: RequestListener = ({ url = '' }, response) => {
      void server.get(url).then(async (answer) => {
        const bytes = Buffer.from(await answer.arrayBuffer());
        if (url.startsWith('/tile/1/')) bytes[0]! ^= 1;
        response.writeHead(answer.status).end(bytes);
      });
    };
    expect(await served(lying, followAt)).toMatchObject({
      exitCode: 1,
      said: { broken: 'found tiles of level 1 that are not those of the entries' },
    });
  },
  PATIENCE,
);

it.each([
  [
    'nobody',
    'found nobody who answers',
    () =>
      served(
        () => undefined,
        async (url) => url,
      ),
  ],
  ['no such host', 'found no host of the name', async () => 'http://nowhere.invalid'],
  ['no TLS', 'found no TLS to trust', async () => server.api.url.replace('http:', 'https:')],
  ['no address', 'found an address or a token', async () => 'localhost'],
])(
  'says what to do where it reaches %s',
  async (_, found, address) => {
    const { exitCode, said } = await followAt(await address());
    expect([exitCode, said]).toEqual([2, { unchecked: expect.stringContaining(found) }]);
  },
  PATIENCE,
);

const status =
  (code: number, body: string | Buffer = ''): RequestListener =>
  (_, response) => {
    response.writeHead(code).end(body);
  };
it.each<[string, string, RequestListener]>([
  ['no answer', 'within 0.5 seconds; try again later', () => undefined],
  ['an answer that breaks off', 'found no whole answer', (_, response) => response.destroy()],
  ['the need for a token', 'found the answer 401 for checkpoint', status(401)],
  ['no log', 'give the address that the log is served under', status(404)],
  ['an error', 'ask who runs it', status(500)],
  ['a page', 'found no checkpoint in http', status(200, '<html>hello</html>')],
  ['no text', 'found no checkpoint in http', status(200, Buffer.from([0xff]))],
])(
  'says what to do where it is given %s',
  async (_, found, answer) => {
    const { exitCode, said } = await served(answer, (url) => followAt(url, '--timeout', '0.5'));
    expect([exitCode, said]).toEqual([2, { unchecked: expect.stringContaining(found) }]);
  },
  PATIENCE,
);

it(
  'tries again where the server is busy, and not for ever',
  async () => {
    let asked = 0;
    const busy = (times: number): RequestListener => {
      asked = 0;
      return (_, response) => {
        asked += 1;
        response.writeHead(asked <= times ? 503 : 404).end();
      };
    };
    expect((await served(busy(1), followAt)).said['unchecked']).toContain('404');
    expect((await served(busy(9), followAt)).said['unchecked']).toContain('is busy');
    expect(asked).toBe(3);
  },
  PATIENCE,
);

it(
  'says what to do where it is given no key, or nothing that was seen',
  async () => {
    expect(await follow('--key', 'x')).toMatchObject({
      exitCode: 2,
      said: { unchecked: expect.stringContaining('found no key') as string },
    });
    for (const seen of [join(server.ledger.folder, 'nothing'), MONITOR])
      expect(await follow('--seen', seen)).toMatchObject({
        exitCode: 2,
        said: { unchecked: expect.stringContaining(`found no checkpoint in ${seen}`) as string },
      });
  },
  PATIENCE,
);

it(
  'is given no hash that was changed in the files of the tree',
  async () => {
    const file = await open(join(server.ledger.folder, LOG_TREE, 'level-1'), 'r+');
    await file.write(Buffer.alloc(32), 0, 32, 0);
    await file.close();
    const { exitCode, said } = await follow();
    expect([exitCode, said]).toEqual([
      2,
      { unchecked: expect.stringContaining('found the answer 500 for tile/entries/000') },
    ]);
  },
  PATIENCE,
);
