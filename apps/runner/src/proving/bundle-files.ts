import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BundlePorts, BundleSource } from '#libs/bundle';
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
