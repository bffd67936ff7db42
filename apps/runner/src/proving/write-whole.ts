import { randomUUID } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';

/** Bytes gathered before they are written: lines are short, and each write is a call of the file system. */
const GATHERED = 1024 * 1024;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * Writes a file whole or not at all: under another name first, synced, then under its own. Refuses to write over one
 * that is there, unless `force`. Throws where the disk can't take it.
 *
 * @returns how many bytes it has
 */
export const writeWhole = async (
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  force = false,
): Promise<Result<number, Refusal<'file-exists' | 'folder-missing'>>> => {
  const draft = join(dirname(path), `.${randomUUID()}.part`);
  const file = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
    throw error;
  });
  if (file === null)
    return refused({
      code: 'folder-missing',
      message: `found no folder ${dirname(path)}, expected one to write to; make it first`,
    });
  let bytes = 0;
  try {
    try {
      let gathered: Uint8Array[] = [];
      let size = 0;
      const flush = async (): Promise<void> => {
        if (size > 0) await file.writeFile(Buffer.concat(gathered));
        bytes += size;
        [gathered, size] = [[], 0];
      };
      for await (const part of content instanceof Uint8Array ? [content] : content) {
        gathered.push(part);
        size += part.length;
        if (size >= GATHERED) await flush();
      }
      await flush();
      await file.sync();
    } finally {
      await file.close();
    }
    await (force ? rename(draft, path) : link(draft, path));
    return ok(bytes);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return refused({
      code: 'file-exists',
      message: `found ${path} there already, expected a name that is free; delete it or name another one`,
    });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};
