import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IsolationReport } from '#libs/sandbox';
import { executionRecord } from './execution-record.ts';
import { lockFileOf } from './lock-file.ts';

const RUNTIME = { name: 'node', version: 'v24.21.0', sha256: 'ab'.repeat(32) };
const REPORT: IsolationReport & { scratchBytes: number } = {
  kind: 'bubblewrap',
  network: 'none',
  scratchBytes: 4096,
  layers: ['no-network', 'seccomp'],
  limits: {
    seconds: 1,
    memoryMb: 2,
    processes: 3,
    openFiles: 4,
    logBytes: 5,
    outputFiles: 6,
    outputBytes: 7,
  },
};

describe('what a result says of how its program ran', () => {
  it('is flat, and null where there is nothing', () => {
    const executor = { kind: 'sandbox', runtime: RUNTIME, device: null } as const;
    expect(executionRecord(executor, REPORT, null)).toEqual({
      kind: 'bubblewrap',
      network: 'none',
      scratchBytes: 4096,
      layers: 'no-network seccomp',
      limit_seconds: 1,
      limit_memoryMb: 2,
      limit_processes: 3,
      limit_openFiles: 4,
      limit_logBytes: 5,
      limit_outputFiles: 6,
      limit_outputBytes: 7,
      executor: 'sandbox',
      runtime_name: 'node',
      runtime_version: 'v24.21.0',
      runtime_sha256: RUNTIME.sha256,
      device: null,
      device_index: null,
      device_name: null,
      device_memory_mb: null,
      device_driver: null,
      lockfile: null,
      lockfile_name: null,
    });
  });

  it('names the device and the lock file', () => {
    const device = { index: 2, uuid: 'GPU-x', name: 'NVIDIA L4', memoryMb: null, driver: '550' };
    const record = executionRecord(
      { kind: 'docker', runtime: { ...RUNTIME, name: 'oci-image' }, device },
      { ...REPORT, kind: 'docker', limits: null },
      { name: 'uv.lock', sha256: 'cd'.repeat(32) },
    );
    expect(record).toMatchObject({
      executor: 'docker',
      device: 'GPU-x',
      device_index: 2,
      device_name: 'NVIDIA L4',
      device_memory_mb: null,
      device_driver: '550',
      lockfile: 'cd'.repeat(32),
      lockfile_name: 'uv.lock',
    });
    expect(Object.keys(record).filter((name) => name.startsWith('limit_'))).toEqual([]);
  });

  it.each([
    ['a list', []],
    ['nothing', undefined],
    ['no number', Number.NaN],
  ])('is refused with %s for a value', (_, value) => {
    const executor = { kind: 'sandbox', runtime: RUNTIME, device: null } as const;
    const odd = { ...REPORT, odd: value };
    expect(() => executionRecord(executor, odd, null)).toThrow(/odd of an isolation report/);
  });
});

describe('the lock file of a program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-file-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const program = async (files: Readonly<Record<string, string>>) => {
    const place = await mkdtemp(join(folder, 'program-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
    return lockFileOf(place);
  };
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  it('is the first of the known names, by its bytes', async () => {
    expect(await program({ 'poetry.lock': 'p', 'uv.lock': 'u' })).toEqual({
      name: 'uv.lock',
      sha256: sha256('u'),
    });
    expect(await program({ 'train.js': '', 'yarn.lock': 'y' })).toBeNull();
  });

  it('is requirements.txt only where that pins by hashes', async () => {
    expect(await program({ 'requirements.txt': 'numpy==2.1.0\n' })).toBeNull();
    const pinned = `numpy==2.1.0 --hash=sha256:${'a'.repeat(64)}\n`;
    expect(await program({ 'requirements.txt': pinned })).toEqual({
      name: 'requirements.txt',
      sha256: sha256(pinned),
    });
  });

  it('throws for one that can not be read', async () => {
    const place = await mkdtemp(join(folder, 'program-'));
    await mkdir(join(place, 'package-lock.json'));
    await expect(lockFileOf(place)).rejects.toThrow(/EISDIR/);
  });
});
