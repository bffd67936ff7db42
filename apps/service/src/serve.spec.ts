import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readServiceConfig } from '#libs/config';
import { serve, type ServeOptions } from './serve.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-serve-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = (env: Readonly<Record<string, string>>): ServeOptions => {
  const config = readServiceConfig(env);
  if (!config.ok) throw new Error(config.error.message);
  return {
    parts: ['api', 'runner'],
    folder: join(folder, 'home'),
    config: config.value,
    logTo: { write: () => undefined },
  };
};

/** Timers that keep this process from ending. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

it('leaves nothing running when the API can not be started', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const before = timers();
  await expect(serve(options({ HOLDFAST_PORT: String(port) }))).rejects.toThrow('EADDRINUSE');
  await sleep(200);
  expect(timers()).toBeLessThanOrEqual(before);
  taken.close();
});

it('serves, and ends all of it', async () => {
  const before = timers();
  const served = await serve(options({ HOLDFAST_PORT: '0' }));
  if (!served.ok) throw new Error(served.error.message);
  const { url } = served.value;
  expect((await fetch(`${url ?? ''}/health/ready`)).status).toBe(200);
  await served.value.close();
  await expect(fetch(`${url ?? ''}/health/live`)).rejects.toThrow();
  await sleep(200);
  expect(timers()).toBeLessThanOrEqual(before);
});
