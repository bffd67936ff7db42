import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Writes files so that none is ever seen half written: the bytes go to a scratch file and to the disk, and come under
 * their name only when they are published. A kill leaves a scratch file, never a truncated object.
 *
 * Only the syncs leave the thread: the other calls take microseconds, and a trip to the pool takes longer than that.
 */
export interface DurableFs {
  /** Writes a scratch file for `path` and waits until its bytes are on disk. */
  readonly stage: (path: string, content: string | Uint8Array) => Promise<void>;
  /**
   * Gives staged files their names in the order stated (default: in which they were staged), and returns when the
   * names are on disk. Paths that were not staged are skipped.
   */
  readonly publish: (paths?: readonly string[]) => Promise<void>;
  /** For isomorphic-git: the usual functions, with a `writeFile` that stages. */
  readonly promises: typeof fs;
}

/** Files that one operation writes at a time: a disk gains nothing from more, and descriptors are scarce. */
const LANES = 8;

const [dataToDisk, toDisk] = [promisify(fdatasync), promisify(fsync)];

const syncFolder = async (folder: string): Promise<void> => {
  const descriptor = openSync(folder, 'r');
  try {
    await toDisk(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** @param scratch - a folder on the same file system as everything that is written */
export const openDurableFs = (scratch: string): DurableFs => {
  /** Scratch files by the path that they are for. */
  const staged = new Map<string, string>();

  const lanes = Array.from({ length: LANES }, () => Promise.resolve());
  let turn = 0;

  const writePart = async (path: string, content: string | Uint8Array): Promise<void> => {
    const part = staged.get(path) ?? join(scratch, randomUUID());
    const descriptor = openSync(part, 'w');
    try {
      writeFileSync(descriptor, content);
      await dataToDisk(descriptor);
    } finally {
      closeSync(descriptor);
    }
    staged.set(path, part);
  };

  const stage = (path: string, content: string | Uint8Array): Promise<void> => {
    const lane = turn++ % LANES;
    const written = (lanes[lane] ?? Promise.resolve()).then(() => writePart(path, content));
    // The caller sees the failure; the lane goes on.
    lanes[lane] = written.catch(() => undefined);
    return written;
  };

  /** Makes a folder with those above it; gives the folders that have a new entry. */
  const makeFolder = (folder: string): readonly string[] => {
    const first = mkdirSync(folder, { recursive: true });
    const changed: string[] = [];
    if (first === undefined) return changed;
    for (let made = folder; made.length >= first.length; made = dirname(made)) {
      changed.push(dirname(made));
    }
    return changed;
  };

  const publish = async (paths: readonly string[] = [...staged.keys()]): Promise<void> => {
    const touched = new Set<string>();
    for (const path of paths) {
      const part = staged.get(path);
      if (part === undefined) continue;
      const folder = dirname(path);
      for (const changed of makeFolder(folder)) touched.add(changed);
      renameSync(part, path);
      staged.delete(path);
      touched.add(folder);
    }
    await Promise.all([...touched].map(syncFolder));
  };

  const writeFile = (path: string, content: string | Uint8Array): Promise<void> =>
    stage(path, content);
  return { stage, publish, promises: { ...fs, writeFile: writeFile as typeof fs.writeFile } };
};
