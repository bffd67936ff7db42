import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverDevices, parseDevices } from './devices.ts';

/*
 * There is no GPU here. The lines have the form that nvidia-smi prints with this query (its manual, and the columns'
 * notes "N/A" and "Not Supported"); a shell script in its place says them.
 */

const A = 'GPU-5a0c1f3e-1111-4bcd-8f11-1234567890ab';
const B = 'GPU-5a0c1f3e-2222-4bcd-8f11-1234567890ab';

describe('the lines of nvidia-smi', () => {
  it('are GPUs', () => {
    const text = `0, ${A}, NVIDIA L4, 23034, 550.90.07, [N/A]\n1, ${B}, NVIDIA A100-SXM4-80GB, 81920, 550.90.07, Disabled\n`;
    expect(parseDevices(text)).toEqual({
      ok: true,
      value: {
        devices: [
          { index: 0, uuid: A, name: 'NVIDIA L4', memoryMb: 23034, driver: '550.90.07' },
          {
            index: 1,
            uuid: B,
            name: 'NVIDIA A100-SXM4-80GB',
            memoryMb: 81920,
            driver: '550.90.07',
          },
        ],
        leftOut: [],
      },
    });
  });

  it('may have commas in a name, and no memory of their own', () => {
    const text = `0, ${A}, NVIDIA Odd, Very Odd, [N/A], 580.65.06, [Not Supported]`;
    expect(parseDevices(text)).toMatchObject({
      value: { devices: [{ name: 'NVIDIA Odd, Very Odd', memoryMb: null, driver: '580.65.06' }] },
    });
  });

  it('name a GPU in slices, which is left out with the reason', () => {
    const text = `0, ${A}, NVIDIA H100 PCIe, 81559, 550.90.07, Enabled\n1, ${B}, NVIDIA H100 PCIe, 81559, 550.90.07, Disabled`;
    expect(parseDevices(text)).toMatchObject({
      value: {
        devices: [{ uuid: B }],
        leftOut: [{ device: { uuid: A }, why: expect.stringContaining('MIG') as string }],
      },
    });
  });

  it.each([
    ['a warning among them', `WARNING: infoROM is corrupted at gpu 0000:04:00.0`],
    ['a column too few', `0, ${A}, NVIDIA L4, 550.90.07, Disabled`],
    ['no uuid', `0, [N/A], NVIDIA L4, 23034, 550.90.07, Disabled`],
    ['a GPU that failed', `0, ${A}, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]`],
    ['an index that is none', `-1, ${A}, NVIDIA L4, 23034, 550.90.07, Disabled`],
    ['memory with its unit', `0, ${A}, NVIDIA L4, 23034 MiB, 550.90.07, Disabled`],
    [
      'the same twice',
      `0, ${A}, NVIDIA L4, 23034, 550.90.07, Disabled\n1, ${A}, NVIDIA L4, 23034, 550.90.07, Disabled`,
    ],
    ['nothing', ''],
  ])('are refused whole with %s', (_, text) => {
    expect(parseDevices(text)).toMatchObject({ ok: false, error: { code: 'devices-unreadable' } });
  });
});

describe('discovering devices', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-devices-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const saying = async (script: string) => {
    const path = join(folder, 'nvidia-smi');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return discoverDevices(path);
  };

  it('asks for what is recorded, and finds the program on the path', async () => {
    const script = `[ "$1" = --query-gpu=index,uuid,name,memory.total,driver_version,mig.mode.current ] && [ "$2" = --format=csv,noheader,nounits ] && echo "0, ${A}, NVIDIA L4, 23034, 550.90.07, [N/A]"`;
    expect(await saying(script)).toMatchObject({ value: { devices: [{ uuid: A }] } });
    const path = process.env.PATH;
    process.env.PATH = `${folder}:${path ?? ''}`;
    try {
      expect(await discoverDevices()).toMatchObject({ value: { devices: [{ uuid: A }] } });
    } finally {
      process.env.PATH = path;
    }
  });

  it('finds none where there is no such program, or no GPU', async () => {
    const none = { ok: true, value: { devices: [], leftOut: [] } };
    expect(await discoverDevices(join(folder, 'not-there'))).toEqual(none);
    expect(await saying('echo No devices were found; exit 6')).toEqual(none);
    expect(await saying('echo No devices were found')).toEqual(none);
  });

  it.each([
    [
      'a driver that does not answer',
      `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."; echo; exit 9`,
      /ended with 9: NVIDIA-SMI has failed because it couldn't communicate/,
    ],
    [
      'a GPU off the bus',
      `echo "Unable to determine the device handle for GPU 0000:04:00.0: Unknown Error" >&2; exit 15`,
      /ended with 15: Unable to determine/,
    ],
    [
      'an older driver',
      `echo "Field \\"mig.mode.current\\" is not a valid field to query."; exit 2`,
      /not a valid field/,
    ],
    ['a kill', 'kill -9 $$', /ended with SIGKILL/],
    ['too many words', 'yes | head -c 1000000', /ended with ERR_CHILD_PROCESS_STDIO_MAXBUFFER/],
  ])('reports %s, and never takes it for a host without GPUs', async (_, script, message) => {
    const found = await saying(script);
    expect(found).toMatchObject({ ok: false, error: { code: 'devices-unreadable' } });
    if (!found.ok) expect(found.error.message).toMatch(message);
  });

  it('waits ten seconds for it and no longer', async () => {
    const begun = performance.now();
    expect(await saying('exec sleep 60')).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('did not end within 10 s') as string },
    });
    expect(performance.now() - begun).toBeLessThan(12_000);
  });
});
