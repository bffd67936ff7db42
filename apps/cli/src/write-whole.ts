import { randomUUID } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';

const isErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');

/**
 * Writes a file whole or not at all, and never over another one: under a name of its own first, linked when it is on
 * the disk. Throws where the disk can't take it.
 */
export const writeWhole = async (
  path: string,
  bytes: Uint8Array,
): Promise<Result<null, Refusal<'file-exists' | 'folder-missing'>>> => {
  const draft = join(dirname(path), `.${randomUUID()}.draft`);
  try {
    const handle = await open(draft, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, path);
    return ok(null);
  } catch (error) {
    if (isErrno(error, 'EEXIST'))
      return refused({
        code: 'file-exists',
        message: `found ${path} there already, expected a name that is free; delete it or choose another one`,
      });
    if (isErrno(error, 'ENOENT', 'ENOTDIR'))
      return refused({
        code: 'folder-missing',
        message: `found no folder ${dirname(path)}, expected one to write to; make it first`,
      });
    throw error;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};
