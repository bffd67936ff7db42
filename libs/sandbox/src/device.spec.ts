import { beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from './arguments.ts';
import { detectSandbox } from './detect.ts';
import { sandboxOn } from './sandbox.ts';
import type { Sandbox, SandboxDevice, SandboxFacts, SandboxJob } from './types.ts';

/*
 * There is no GPU to test on: what is shown here is that device nodes, and the bounds that a driver needs, reach the
 * program. /dev/zero and /dev/full stand in for the nodes of a GPU: they are real ones, and can be told apart.
 */

const DEVICE: SandboxDevice = {
  nodes: [
    { from: '/dev/zero', to: '/dev/nvidia3' },
    { from: '/dev/full', to: '/dev/nvidiactl' },
  ],
  information: ['/sys/devices/system/cpu', '/sys/module/nvidia-is-not-there'],
  dataLimit: false,
  lockedLimit: false,
  scratchBytes: 96 * 1024 * 1024,
};

const JOB: SandboxJob = {
  command: ['/bin/true'],
  readOnly: [],
  outputFiles: { maxFiles: 1, maxBytes: 1000 },
  limits: { seconds: 10, memoryMb: 256, processes: 32, openFiles: 256, logBytes: 20_000 },
};

let facts: SandboxFacts;
let sandbox: Sandbox;
beforeAll(async () => {
  const detected = await detectSandbox();
  if (!detected.ok) throw new Error(detected.error.message);
  facts = detected.value;
  sandbox = await sandboxOn(facts);
});

const shell = async (script: string, device?: SandboxDevice): Promise<string> => {
  const outcome = await sandbox.run({
    ...JOB,
    command: ['/bin/sh', '-c', script],
    ...(device && { device }),
  });
  expect(outcome, outcome.stderr).toMatchObject({ ended: 'exited', exitCode: 0 });
  return outcome.stdout.trim();
};

const has = (line: readonly string[], ...part: readonly string[]): boolean =>
  line.some((_, at) => part.every((word, n) => line[at + n] === word));

describe('the command line of a job with a device', () => {
  it('binds its nodes after the fresh /dev and before that is closed', () => {
    const line = commandLine(facts, { ...JOB, device: DEVICE }, []);
    expect(has(line, '--dev-bind', '/dev/zero', '/dev/nvidia3')).toBe(true);
    expect(line.indexOf('--dev-bind')).toBeGreaterThan(line.indexOf('--dev'));
    expect(line.lastIndexOf('--dev-bind')).toBeLessThan(line.indexOf('--remount-ro'));
    expect(has(line, '--ro-bind-try', '/sys/devices/system/cpu', '/sys/devices/system/cpu')).toBe(
      true,
    );
  });

  it('limits neither address space nor locked memory, and data only where the driver bears it', () => {
    const withDevice = commandLine(facts, { ...JOB, device: DEVICE }, []);
    expect(withDevice.filter((word) => /^--(?:data|as|memlock)=/.test(word))).toEqual([]);
    const bearing = commandLine(facts, { ...JOB, device: { ...DEVICE, dataLimit: true } }, []);
    expect(bearing.filter((word) => word.startsWith('--data='))).toHaveLength(1);
  });

  it('is as ever without one', () => {
    const line = commandLine(facts, JOB, []);
    expect(line).not.toContain('--dev-bind');
    expect(line.filter((word) => /^--(?:data|memlock)=/.test(word))).toEqual([
      `--data=${(256 * 1.5 + 512) * 1024 * 1024}`,
      '--memlock=65536',
    ]);
  });
});

describe('a program with a device', () => {
  it('can use its nodes, and sees no others', async () => {
    const script =
      'ls /dev; head -c 4 /dev/nvidia3 | od -An -tx1; echo x > /dev/nvidiactl || echo full';
    const shown = await shell(script, DEVICE);
    expect(shown).toContain('00 00 00 00');
    expect(shown).toContain('full');
    const nodes = shown.split('\n').filter((name) => name.startsWith('nvidia'));
    expect(nodes).toEqual(['nvidia3', 'nvidiactl']);
    expect(await shell('ls /dev; ls /sys 2>&1; true')).not.toContain('nvidia');
  });

  it('reads what it must of /sys and no more, writes nothing there', async () => {
    const script =
      'ls /sys /sys/devices; touch /sys/devices/system/cpu/x 2>&1; touch /dev/x 2>&1; true';
    const shown = await shell(script, DEVICE);
    expect(shown).toMatch(/^\/sys:\ndevices\n\n\/sys\/devices:\nsystem\n/);
    expect(shown.match(/Read-only file system/g)).toHaveLength(2);
  });

  it('may reserve what the data limit would refuse, and gets a larger /tmp', async () => {
    const script = 'ulimit -d; stat -f -c "%b %S" /tmp';
    expect(await shell(script, DEVICE)).toBe('unlimited\n24576 4096');
    expect(await shell(script)).toBe('917504\n16384 4096');
  });

  it('is reported', async () => {
    const { isolation } = await sandbox.run({ ...JOB, device: DEVICE });
    expect(isolation).toMatchObject({
      memoryBound: 'polled',
      scratchBytes: 96 * 1024 * 1024,
      deviceNodes: '/dev/nvidia3 /dev/nvidiactl',
    });
    expect((await sandbox.run(JOB)).isolation).toMatchObject({
      memoryBound: 'rlimit-data-and-polled',
      deviceNodes: '',
    });
  });

  it.each<[string, Partial<SandboxDevice>]>([
    ['a node outside /dev', { nodes: [{ from: '/dev/zero', to: '/usr/zero' }] }],
    ['a node outside by dots', { nodes: [{ from: '/dev/zero', to: '/dev/../usr/zero' }] }],
    ['information from elsewhere', { information: ['/etc'] }],
    ['a scratch size that is none', { scratchBytes: 1 }],
  ])('is refused %s', async (_, change) => {
    await expect(sandbox.run({ ...JOB, device: { ...DEVICE, ...change } })).rejects.toThrow(
      TypeError,
    );
  });
});
