import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that pins what a program depends on, by its content. */
export interface LockFile {
  readonly name: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * The names looked for at the root of a program, the first one there is taken. `requirements.txt` counts only with
 * hashes: without them it pins nothing.
 */
export const LOCK_FILES = [
  'package-lock.json',
  'uv.lock',
  'poetry.lock',
  'conda-lock.yml',
  'requirements.txt',
] as const;

/** The lock file of a program's folder, or null. Throws when one is there and can't be read. */
export const lockFileOf = async (program: string): Promise<LockFile | null> => {
  for (const name of LOCK_FILES) {
    const content = await readIfThere(join(program, name));
    if (content === null) continue;
    if (name === 'requirements.txt' && !content.includes('--hash=sha256:')) continue;
    return { name, sha256: createHash('sha256').update(content).digest('hex') };
  }
  return null;
};

const readIfThere = async (path: string): Promise<Buffer | null> => {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};
