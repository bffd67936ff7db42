import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdtemp, open, realpath, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import { ok, type Result } from '#libs/kernel';
import { refuse, type VaultRefusal } from './refusals.ts';

/** Opens the data file for reading: a regular file that lies within the study's folder, links resolved. */
export const openSource = async (
  studyFolder: string,
  path: string,
): Promise<Result<FileHandle, VaultRefusal>> => {
  const unsafe = (found: string) =>
    refuse(
      'unsafe-path',
      `found the data path ${JSON.stringify(path)}, ${found}; expected a regular file within the study's folder: move the data there`,
    );
  if (isAbsolute(path)) return unsafe('which is absolute');
  if (path.includes('\0')) return unsafe('which has a zero byte');
  if (path.split(/[/\\]/).includes('..')) return unsafe('which leads upwards');
  try {
    const real = await realpath(join(studyFolder, path));
    const inside = relative(await realpath(studyFolder), real);
    if (inside.split(sep)[0] === '..' || isAbsolute(inside)) {
      return unsafe('a link that leads out of it');
    }
    // NONBLOCK, so that a pipe in the file's place can't hold the harness up.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if ((await file.stat()).isFile()) return ok(file);
    await file.close();
    return unsafe('which is no regular file');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return refuse(
        'missing-data',
        `found no file at the data path ${JSON.stringify(path)}; expected it within the study's folder`,
      );
    }
    if (code === 'ELOOP') return unsafe('a link that leads to itself');
    throw error;
  }
};

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(1 << 20);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * SHA-256 (lower-case hex) of a study's data file, as a run pins it.
 *
 * @param path relative to `studyFolder`
 */
export const dataDigest = async (
  studyFolder: string,
  path: string,
): Promise<Result<string, VaultRefusal>> => {
  const source = await openSource(studyFolder, path);
  if (!source.ok) return source;
  await using file = source.value;
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(file)) hash.update(chunk);
  return ok(hash.digest('hex'));
};

export interface PrivateCopy extends AsyncDisposable {
  /** Where this process, and nobody without its rights, can read the copy. */
  readonly path: string;
  readonly sha256: string;
}

/**
 * Copies the file while its digest is taken, so that the bytes that were counted are the bytes that are read
 * later, whatever happens to the file meanwhile. The copy's name is gone before its first byte is written: a
 * process that is killed leaves nobody's data behind.
 */
export const copyPrivately = async (source: FileHandle): Promise<PrivateCopy> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-vault-'));
  const copy = await open(join(folder, 'data'), 'wx+', 0o600);
  try {
    await rm(folder, { recursive: true });
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(source)) {
      hash.update(chunk);
      await copy.writeFile(chunk);
    }
    return {
      path: `/dev/fd/${copy.fd}`,
      sha256: hash.digest('hex'),
      [Symbol.asyncDispose]: () => copy.close(),
    };
  } catch (error) {
    await copy.close();
    throw error;
  }
};
