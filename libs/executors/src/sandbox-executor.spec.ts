import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSandbox, type Sandbox, type SandboxJob } from '#libs/sandbox';
import type { Device } from './devices.ts';
import { executorContract } from './executor.contract.ts';
import { sandboxExecutor } from './sandbox-executor.ts';

const sandbox = async (): Promise<Sandbox> => {
  const opened = await openSandbox();
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const NODE = { node: process.execPath, version: process.version };

executorContract(
  'the sandbox of this machine',
  async () => {
    const opened = await sandboxExecutor({ sandbox: await sandbox(), ...NODE });
    if (!opened.ok) throw new Error(opened.error.message);
    return {
      executor: opened.value,
      leftovers: () => Promise.resolve([]),
      close: () => Promise.resolve(),
    };
  },
  { streams: 'apart', slackMs: 500, sameMachine: true },
);

const GPU: Device = {
  index: 1,
  uuid: 'GPU-5a0c1f3e-0000-4bcd-8f11-1234567890ab',
  name: 'NVIDIA L4',
  memoryMb: 23_034,
  driver: '550.90.07',
};

/*
 * There is no GPU here: the driver's own account is written by the test in its form, and /dev/zero, /dev/null and
 * /dev/full, shown by symlinks, stand for the nodes. What CUDA makes of it all was not tried.
 */
describe('a sandbox executor with a GPU', () => {
  let folder: string;
  let places: { dev: string; gpus: string };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-executor-gpu-'));
    // The program's user looks the stand-ins up itself.
    await chmod(folder, 0o755);
    places = { dev: '/dev', gpus: join(folder, 'gpus') };
    const account = (uuid: string, minor: number) =>
      `Model: \t\t NVIDIA L4\nIRQ:   \t\t 42\nGPU UUID: \t ${uuid}\nBus Location: \t 0000:00:04.0\nDevice Minor: \t ${minor}\nGPU Excluded:\t No\n`;
    for (const [bus, uuid, minor] of [
      ['0000:00:03.0', 'GPU-00000000-0000-0000-0000-000000000000', 0],
      ['0000:00:04.0', GPU.uuid, 7],
    ] as const) {
      await mkdir(join(places.gpus, bus), { recursive: true });
      await writeFile(join(places.gpus, bus, 'information'), account(uuid, minor));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('shows the node of its uuid and the shared ones, and names it to CUDA by uuid', async () => {
    const dev = join(folder, 'dev');
    await mkdir(dev);
    await symlink('/dev/zero', join(dev, 'nvidia7'));
    await symlink('/dev/full', join(dev, 'nvidia0'));
    await symlink('/dev/null', join(dev, 'nvidiactl'));
    await symlink('/dev/null', join(dev, 'nvidia-uvm'));
    const real = await sandbox();
    const jobs: SandboxJob[] = [];
    const opened = await sandboxExecutor({
      sandbox: {
        ...real,
        run: (job) => {
          jobs.push(job);
          return real.run(job);
        },
      },
      ...NODE,
      device: GPU,
      driverPlaces: { ...places, dev },
    });
    if (!opened.ok) throw new Error(opened.error.message);
    const program = join(folder, 'program');
    await mkdir(program);
    await writeFile(
      join(program, 'train.mjs'),
      `import { readdirSync, openSync, readSync } from 'node:fs';
       const bytes = Buffer.alloc(2, 9); readSync(openSync('/dev/nvidia7'), bytes);
       const { CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER } = process.env;
       console.log(JSON.stringify({ read: [...bytes], nodes: readdirSync('/dev').filter((name) => name.startsWith('nvidia')).sort(), CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER }));`,
    );
    const outcome = await opened.value.run({
      entry: 'train.mjs',
      readOnly: [{ from: program, to: '/program' }],
      owner: { runId: 'r', trainingId: 't' },
      outputFiles: { maxFiles: 1, maxBytes: 1000 },
      limits: { seconds: 10, memoryMb: 300, processes: 32, openFiles: 128, logBytes: 10_000 },
    });
    expect(outcome, outcome.stderr).toMatchObject({ ended: 'exited', exitCode: 0 });
    expect(JSON.parse(outcome.stdout)).toEqual({
      read: [0, 0],
      nodes: ['nvidia-uvm', 'nvidia7', 'nvidiactl'],
      CUDA_VISIBLE_DEVICES: GPU.uuid,
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    });
    expect(outcome.isolation).toMatchObject({
      memoryBound: 'polled',
      deviceNodes: '/dev/nvidia7 /dev/nvidiactl /dev/nvidia-uvm',
      limits: { openFiles: 4096 },
    });
    expect(jobs[0]?.device?.dataLimit).toBe(false);
  });

  it.each([
    ['the driver does not know its uuid', { ...GPU, uuid: 'GPU-1' }, /found no GPU GPU-1/],
    ['its node is not there', GPU, /found no \/dev\/nvidia7/],
  ])('is refused when %s', async (_, device, message) => {
    const opened = await sandboxExecutor({
      sandbox: await sandbox(),
      ...NODE,
      device,
      driverPlaces: places,
    });
    expect(opened).toMatchObject({ ok: false, error: { code: 'device-not-usable' } });
    if (!opened.ok) expect(opened.error.message).toMatch(message);
  });

  it('is refused when what lies there is no device that everybody may use', async () => {
    const dev = join(folder, 'other-dev');
    await mkdir(dev);
    await writeFile(join(dev, 'nvidia7'), '');
    const opened = await sandboxExecutor({
      sandbox: await sandbox(),
      ...NODE,
      device: GPU,
      driverPlaces: { ...places, dev },
    });
    expect(opened).toMatchObject({ ok: false, error: { code: 'device-not-usable' } });
  });
});
