import { hash, randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BundlePorts, BundleSource } from '#libs/bundle';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { sha256 } from '#libs/log-tree';
import { verifyBeside, verifyRaw } from '#libs/signatures';

/** What the bundle's verifier needs, as Node has it. */
export const BUNDLE_PORTS: BundlePorts = {
  sha256: (bytes) => hash('sha256', bytes, 'hex'),
  // Git's objects are named by SHA-1.
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  sha256Bytes: sha256,
  verifySignature: verifyBeside,
  verifyEd25519: verifyRaw,
};

export interface BundleFile {
  readonly source: BundleSource;
  readonly close: () => void;
}

/**
 * A bundle on the disk, read where it lies. Reads block: objects are many and small, and waiting for a thread to fetch
 * each would take most of the time. @throws what the file system throws
 */
export const openBundleFile = (path: string): BundleFile => {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  return {
    source: {
      size,
      read: (offset, length) => {
        // Every byte is read over: nothing need be zeroed before. Objects are small, and many share a piece of memory.
        const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
        let at = 0;
        while (at < bytes.length) {
          const got = readSync(file, bytes, at, bytes.length - at, offset + at);
          if (got === 0) throw new Error(`${path} became shorter while it was read`);
          at += got;
        }
        return Promise.resolve(bytes);
      },
    },
    close: () => {
      closeSync(file);
    },
  };
};

/** Bytes gathered before they are written: lines are short, and each write is a call of the file system. */
const GATHERED = 1024 * 1024;

/**
 * Writes a file whole or not at all: under another name first, synced, then under its own. Refuses to write over one
 * that is there, unless `force`.
 *
 * @returns how many bytes it has
 */
export const writeWhole = async (
  path: string,
  parts: AsyncIterable<Uint8Array>,
  force: boolean,
): Promise<Result<number, Refusal<'file-exists'>>> => {
  const draft = join(dirname(path), `.${randomUUID()}.part`);
  const file = await open(draft, 'wx', 0o600);
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
      for await (const part of parts) {
        gathered.push(part);
        size += part.length;
        if (size >= GATHERED) await flush();
      }
      await flush();
      await file.sync();
    } finally {
      await file.close();
    }
    if (force) {
      await rename(draft, path);
      return ok(bytes);
    }
    await link(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return refused({
      code: 'file-exists',
      message: `found ${path}, expected a name that is free; name another one with --out, or write over it with --force`,
    });
  }
  await unlink(draft);
  return ok(bytes);
};
