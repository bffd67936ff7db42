import { execFile } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
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
const follow = async (...args: readonly string[]): Promise<Followed> => {
  const run = promisify(execFile);
  const { stdout, exitCode } = await run('python3', [
    ...['-B', MONITOR, server.api.url, '--key', key],
    ...args,
  ]).then(
    ({ stdout: text }) => ({ stdout: text, exitCode: 0 }),
    (error: { stdout: string; code: number }) => ({ stdout: error.stdout, exitCode: error.code }),
  );
  return { exitCode, said: JSON.parse(stdout) as Followed['said'] };
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
  'sees a hash that was changed in the files of the tree',
  async () => {
    const file = await open(join(server.ledger.folder, LOG_TREE, 'level-1'), 'r+');
    await file.write(Buffer.alloc(32), 0, 32, 0);
    await file.close();
    expect(await follow()).toMatchObject({
      exitCode: 1,
      said: { broken: 'found tiles of level 1 that are not those of the entries' },
    });
  },
  PATIENCE,
);
