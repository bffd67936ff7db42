import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * The file system as isomorphic-git wants it, except that a file is never seen half written: its bytes go to a
 * scratch file, to the disk, and only then under their name. isomorphic-git writes in place and takes any file that
 * exists for a whole one, so a kill in the middle of a write would leave a truncated object for good.
 */
export interface DurableFs {
  readonly promises: typeof fs;
  /** Makes the names themselves durable: until then a power cut can forget a rename. */
  readonly settle: () => Promise<void>;
}

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** @param scratch - a folder on the same file system as everything that is written */
export const openDurableFs = (scratch: string): DurableFs => {
  const touched = new Set<string>();

  const makeFolder = async (folder: string): Promise<void> => {
    const first = await fs.mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) {
      touched.add(dirname(made));
    }
  };

  const moveTo = async (part: string, path: string): Promise<void> => {
    try {
      await fs.rename(part, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await makeFolder(dirname(path));
      await fs.rename(part, path);
    }
  };

  const writeFile: typeof fs.writeFile = async (path, data, options) => {
    const part = join(scratch, randomUUID());
    try {
      const handle = await fs.open(part, 'wx');
      try {
        await handle.writeFile(data, options);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await moveTo(part, String(path));
    } catch (error) {
      await fs.rm(part, { force: true });
      throw error;
    }
    touched.add(dirname(String(path)));
  };

  return {
    promises: { ...fs, writeFile },
    settle: async () => {
      const folders = [...touched];
      touched.clear();
      await Promise.all(folders.map(syncFolder));
    },
  };
};
