import { chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { removeStaleFolders } from './training-worker.ts';

/** Above the largest process id that Linux gives (2^22): nobody's. */
const NOBODY = 4_194_305;

const made: string[] = [];
afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

const folderOf = async (pid: number): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), `holdfast-training-${pid}-`));
  await mkdir(join(path, 'data'));
  made.push(path);
  return path;
};

const isThere = async (path: string): Promise<boolean> =>
  readdir(path).then(
    () => true,
    () => false,
  );

it('removes what a killed process left, and nothing of one that lives', async () => {
  const [left, own] = [await folderOf(NOBODY), await folderOf(process.pid)];
  await removeStaleFolders();
  expect([await isThere(left), await isThere(own)]).toEqual([false, true]);
});

it.skipIf(process.getuid?.() !== 0)(
  "lets other users' folders be (skipped unless root)",
  async () => {
    const theirs = await folderOf(NOBODY);
    await chown(theirs, 65_534, 65_534);
    await removeStaleFolders();
    expect(await isThere(theirs)).toBe(true);
  },
);
