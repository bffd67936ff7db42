import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { temporaryFolder } from './prepared.ts';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'ignore' });
};

/** A disk of so many kilobytes, mounted at `folder`. */
export const mountDisk = async (folder: string, kilobytes: number): Promise<void> => {
  await mkdir(folder, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'none', folder);
};

export const giveRoom = (folder: string): void => {
  run('mount', '-o', 'remount,size=32m', folder);
};

export const unmountDisk = (folder: string): void => {
  run('umount', folder);
};

/** A small disk needs the right to mount one, which tests have where they run as root, and not everywhere then. */
export const canMount = async (): Promise<boolean> => {
  const folder = await temporaryFolder();
  try {
    await mountDisk(folder, 64);
    unmountDisk(folder);
    return true;
  } catch {
    return false;
  }
};
