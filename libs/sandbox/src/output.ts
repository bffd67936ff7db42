import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
} from 'node:fs';
import type { OutputFiles } from './types.ts';

/** What was taken from an output folder. */
export interface Collected {
  readonly files: { path: string; content: Uint8Array }[];
  readonly refusedFiles: { path: string; why: string }[];
  /** More files or bytes than allowed; then nothing is taken. */
  readonly tooLarge: boolean;
}

const MOST_REFUSALS = 100;
const SET_ID_BITS = 0o6000;

/** Reads `size` bytes (fewer when the file ends before). */
const readBounded = (file: number, size: number): Uint8Array => {
  const content = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const got = readSync(file, content, at, size - at, at);
    if (got === 0) break;
    at += got;
  }
  return content.subarray(0, at);
};

const nameProblem = (name: string, names: readonly string[] | undefined): string | null => {
  if (name.includes('\uFFFD')) return 'its name is not UTF-8';
  if (/[\p{Cc}\\/]/u.test(name)) return 'its name holds control characters or slashes';
  if (names !== undefined && !names.includes(name)) return `not one of ${names.join(', ')}`;
  return null;
};

const kindProblem = (entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  readonly mode: number;
}): string | null => {
  if (entry.isSymbolicLink()) return 'a symlink: it is not followed';
  if (entry.isDirectory()) return 'a folder: files must lie directly in /out';
  if (!entry.isFile()) return 'not a regular file';
  if (entry.mode & SET_ID_BITS) return 'it has a set-user-id or set-group-id bit';
  return null;
};

/**
 * Takes the regular files lying directly in `folder`, a path that ends in an open descriptor of the folder.
 * The program is dead by now, but what it left is hostile: nothing is followed, nothing blocks, sizes are
 * checked before a byte is read.
 */
export const collect = (folder: string, spec: OutputFiles): Collected => {
  const files: Collected['files'] = [];
  const refusedFiles: Collected['refusedFiles'] = [];
  const refuse = (path: string, why: string) => {
    if (refusedFiles.length < MOST_REFUSALS) refusedFiles.push({ path, why });
  };
  const names = readdirSync(folder).toSorted();
  if (names.length > spec.maxFiles) {
    refuse('.', `${names.length} entries, at most ${spec.maxFiles} allowed`);
    return { files: [], refusedFiles, tooLarge: true };
  }
  let total = 0;
  for (const name of names) {
    const path = `${folder}/${name}`;
    const problem = nameProblem(name, spec.names) ?? kindProblem(lstatSync(path));
    if (problem !== null) {
      refuse(name, problem);
      continue;
    }
    let file: number;
    try {
      file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      refuse(name, `could not be opened: ${(error as NodeJS.ErrnoException).code}`);
      continue;
    }
    try {
      const entry = fstatSync(file);
      const changed = kindProblem(entry);
      if (changed !== null) {
        refuse(name, changed);
        continue;
      }
      total += entry.size;
      if (total > spec.maxBytes) {
        refuse(name, `more than ${spec.maxBytes} bytes in all`);
        return { files: [], refusedFiles, tooLarge: true };
      }
      files.push({ path: name, content: readBounded(file, entry.size) });
    } finally {
      closeSync(file);
    }
  }
  return { files, refusedFiles, tooLarge: false };
};
