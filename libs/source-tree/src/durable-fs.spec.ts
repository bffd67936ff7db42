import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDurableFs } from './durable-fs.ts';
import { temporaryFolder } from './testing.ts';

let home: ReturnType<typeof temporaryFolder>;
let scratch: string;

beforeEach(() => {
  home = temporaryFolder();
  scratch = join(home.path, 'scratch');
  mkdirSync(scratch);
});
afterEach(() => home.remove());

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('durable files', () => {
  it('come under their name whole, when they are published and not before', async () => {
    const path = join(home.path, 'a/b/file');
    const durable = openDurableFs(scratch);
    await durable.stage(path, 'content');
    expect(existsSync(path)).toBe(false);
    await durable.publish();
    expect(readFileSync(path, 'utf8')).toBe('content');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('are written a few at a time, and closed', async () => {
    const durable = openDurableFs(scratch);
    const before = descriptors();
    const all = Array.from({ length: 100 }, (_, i) => durable.stage(join(home.path, `${i}`), 'x'));
    await Promise.resolve();
    expect(descriptors() - before).toBeLessThan(20);
    await Promise.all(all);
    await durable.publish();
    expect(descriptors()).toBeLessThanOrEqual(before + 1);
    expect(readdirSync(home.path)).toHaveLength(101);
  });

  it('leave nothing under their name when the disk refuses', async () => {
    const durable = openDurableFs(join(home.path, 'nowhere'));
    await expect(durable.stage(join(home.path, 'file'), 'x')).rejects.toThrow('ENOENT');
    await durable.publish();
    expect(existsSync(join(home.path, 'file'))).toBe(false);
  });
});
