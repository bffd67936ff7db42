import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  access,
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isHeld, thisHolder } from './holder.ts';
import type { ReadOnlyMount, SandboxFacts } from './types.ts';

/*
 * Why staging: a harness that is root gives programs another user id, and bubblewrap, under that id, must reach
 * what it mounts. Checkouts and work folders of root often lie behind 0700 folders (/root, mkdtemp). What anyone
 * can read is mounted as it lies; the rest is copied to a folder that only root and the program's group can
 * enter. Binding by descriptor is no way out (bubblewrap resolves it to the path again), and opening root's
 * folders up would change the host.
 */

const digests = new Map<string, Promise<string>>();

/**
 * SHA-256 (lower-case hex) of a file's content, computed once for the same path, size and modification time.
 * Meant for runtimes: large files that many trainings pin. Throws when the file can't be read.
 */
export const runtimeDigest = async (path: string): Promise<string> => {
  const { size, mtimeMs } = await stat(path);
  const key = JSON.stringify([path, size, mtimeMs]);
  const known = digests.get(key);
  if (known !== undefined) return known;
  const computed = digestOf(path);
  digests.set(key, computed);
  // A failed read is not remembered.
  computed.catch(() => digests.delete(key));
  return computed;
};

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
};

const ENTER = 0o001;
const READ = 0o004;

/** Whether every folder from the root down to `path` lets anyone through. */
const reachable = async (path: string): Promise<boolean> => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

/** Whether anyone can read everything at and below `path`. Symlinks below are shown as they are. */
const readable = async (path: string): Promise<boolean> => {
  const entry = await lstat(path);
  if (entry.isSymbolicLink()) return true;
  if ((entry.mode & READ) === 0) return false;
  if (!entry.isDirectory()) return true;
  if ((entry.mode & ENTER) === 0) return false;
  for (const name of await readdir(path)) {
    if (!(await readable(join(path, name)))) return false;
  }
  return true;
};

/**
 * Copies regular files, folders and symlinks (unresolved) so that anyone can read them; anything else has no place
 * in a mounted tree, and throws.
 */
export const copyTree = async (from: string, to: string): Promise<void> => {
  const entry = await lstat(from);
  if (entry.isSymbolicLink()) {
    await symlink(await readlink(from), to);
  } else if (entry.isDirectory()) {
    await mkdir(to);
    await chmod(to, 0o755);
    for (const name of await readdir(from)) await copyTree(join(from, name), join(to, name));
  } else if (entry.isFile()) {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await chmod(to, entry.mode & 0o111 ? 0o755 : 0o644);
  } else {
    throw new Error(`${from} is neither a regular file, a folder nor a symlink: take it away`);
  }
};

/** Removes what killed harnesses left. */
const removeStale = async (base: string): Promise<void> => {
  for (const name of await readdir(base)) {
    const holder = /^job-(\d+-\d+-\d+)-/.exec(name)?.[1];
    if (holder === undefined) continue;
    const folder = join(base, name);
    if (!isHeld(holder, (await stat(folder)).mtimeMs))
      await rm(folder, { recursive: true, force: true });
  }
};

/** A folder that root owns and anyone can pass: the system's cache, else a temporary folder. */
const stagingBase = async (parents: readonly string[]): Promise<string> => {
  for (const parent of parents) {
    const base = join(parent, 'holdfast-sandbox');
    try {
      await mkdir(base, { mode: 0o711 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') continue;
    }
    // In a shared temporary folder somebody else may have been here first.
    const found = await lstat(base);
    if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) continue;
    if (!(await reachable(base))) continue;
    await chmod(base, 0o711);
    return base;
  }
  throw new Error(
    `no folder to stage programs in: tried ${parents.join(', ')}; one of them must be root's to write and everyone's to pass`,
  );
};

/** Mounts that the program's user can reach, and how to give up what was copied for them. */
export interface Staged {
  readonly mounts: readonly ReadOnlyMount[];
  readonly release: () => Promise<void>;
}

export type Staging = (mounts: readonly ReadOnlyMount[]) => Promise<Staged>;

const NOTHING_TO_RELEASE = () => Promise.resolve();

/** Stages nothing for an ordinary user: programs have the harness's own user id. */
export const openStaging = async (
  facts: Pick<SandboxFacts, 'changesUser' | 'group'>,
  parents: readonly string[] = ['/var/cache', tmpdir(), '/tmp', '/var/tmp'],
): Promise<Staging> => {
  const resolve = async ({ from, to }: ReadOnlyMount) => ({ from: await realpath(from), to });
  if (!facts.changesUser) {
    return async (mounts) => ({
      mounts: await Promise.all(mounts.map(resolve)),
      release: NOTHING_TO_RELEASE,
    });
  }

  const base = await stagingBase(parents);
  const holder = thisHolder();
  await removeStale(base);

  /** An executable that many jobs share is copied once, and found again by its digest. */
  const cachedExecutable = async (from: string): Promise<string> => {
    const folder = join(base, 'runtime', await runtimeDigest(from));
    const path = join(folder, basename(from));
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
    await mkdir(folder, { recursive: true });
    for (const made of [dirname(folder), folder]) await chmod(made, 0o755);
    const temporary = await mkdtemp(join(base, `job-${holder}-`));
    await copyTree(from, join(temporary, 'copy'));
    await rename(join(temporary, 'copy'), path);
    await rm(temporary, { recursive: true });
    return path;
  };

  return async (mounts) => {
    let folder: string | null = null;
    const release = async () => {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    };
    try {
      const staged: ReadOnlyMount[] = [];
      for (const mount of mounts) {
        const { from, to } = await resolve(mount);
        const entry = await stat(from);
        if ((await reachable(from)) && (await readable(from))) {
          staged.push({ from, to });
        } else if (entry.isFile() && entry.mode & 0o111) {
          staged.push({ from: await cachedExecutable(from), to });
        } else {
          if (folder === null) {
            folder = await mkdtemp(join(base, `job-${holder}-`));
            await chown(folder, 0, facts.group);
            await chmod(folder, 0o750);
          }
          const copy = join(folder, String(staged.length));
          await copyTree(from, copy);
          staged.push({ from: copy, to });
        }
      }
      return { mounts: staged, release };
    } catch (error) {
      await release();
      throw error;
    }
  };
};
