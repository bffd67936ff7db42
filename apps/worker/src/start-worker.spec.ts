import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '#libs/jobs';
import { refused } from '#libs/kernel';
import type { Sandbox, SandboxJob } from '#libs/sandbox';
import { openKey } from '#libs/signatures';
import { onDevice } from './on-device.ts';
import { startWorker } from './start-worker.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-worker-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Nobody listens there: a worker that is refused must not even have tried. */
const options = () => ({
  connection: { host: '127.0.0.1', port: 1 },
  ...{ keyFolder: join(folder, 'keys'), label: 'host', version: '0' },
});

describe('a worker does not start', () => {
  it('without a sandbox', async () => {
    const none = refused({ code: 'sandbox-missing', message: 'found no bwrap' });
    expect(await startWorker({ ...options(), sandbox: () => Promise.resolve(none) })).toEqual(none);
  });

  it('with a key that others can read', async () => {
    await openKey(join(folder, 'keys'), 'worker');
    await chmod(join(folder, 'keys/worker.pem'), 0o644);
    expect(await startWorker(options())).toMatchObject({ error: { code: 'key-exposed' } });
  });
});

describe('a training on a device', () => {
  const gpu: Device = {
    ...{ index: 1, uuid: 'GPU-7f', name: 'L4', memoryMb: 23034, driver: '550.54' },
  };
  const runtime = { name: 'node', version: 'v24.0.0', sha256: 'ab'.repeat(32) };
  const jobs: SandboxJob[] = [];
  const double = {
    report: { kind: 'double' },
    run: (job: SandboxJob) => {
      jobs.push(job);
      return Promise.resolve({ ended: 'exited', isolation: { kind: 'double' } });
    },
  } as unknown as Sandbox;
  const { signal } = new AbortController();

  it('sees that one alone, and its result says so', async () => {
    const outcome = await onDevice(double, runtime, gpu, signal).run({} as SandboxJob);
    expect(jobs.at(-1)).toMatchObject({
      signal,
      environment: { CUDA_VISIBLE_DEVICES: 'GPU-7f', HOME: '/tmp', PATH: '/usr/bin:/bin' },
    });
    expect(outcome.isolation).toEqual({
      kind: 'double',
      ...{ runtime_name: 'node', runtime_version: 'v24.0.0', runtime_sha256: 'ab'.repeat(32) },
      ...{ device_uuid: 'GPU-7f', device_name: 'L4', device_memory_mb: 23034 },
      device_driver: '550.54',
    });
  });

  it('or on none keeps the environment that the sandbox gives', async () => {
    await onDevice(double, runtime, null, signal).run({} as SandboxJob);
    expect(jobs.at(-1)).not.toHaveProperty('environment');
  });
});
