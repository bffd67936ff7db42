import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, opendir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  collect,
  copyTree,
  PROGRAM_USER,
  type Collected,
  type OutputFiles,
  type ReadOnlyMount,
} from '#libs/sandbox';

/** Who programs are, in a container: never root. A worker that is not root gives them its own user. */
export const programUser = (): { readonly user: number; readonly group: number } => {
  const user = process.geteuid?.() ?? 0;
  return user === 0
    ? { user: PROGRAM_USER, group: PROGRAM_USER }
    : { user, group: process.getegid?.() ?? user };
};

/** Short, plain and the same for ever: for folders and for labels that allow no free text. */
export const shortName = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 20);

/** What one run reads and writes, on a disk that the worker and the containers share. */
export interface RunFolder {
  /** Copies that the program's user can read; `path` is relative to the workers' common folder. */
  readonly inputs: readonly { readonly from: string; readonly path: string; readonly to: string }[];
  readonly output: { readonly from: string; readonly path: string };
  /** Bytes on disk and entries, whole tree; `entries` stops counting past `enough`. */
  use(enough: number): Promise<{ readonly bytes: number; readonly entries: number }>;
  /** Takes what a dead program left. */
  collect(spec: OutputFiles): Collected;
  remove(): Promise<void>;
}

export interface RunFolders {
  lay(id: string, mounts: readonly ReadOnlyMount[]): Promise<RunFolder>;
}

/**
 * The folders of one worker's runs below `root`. Opening removes what an earlier life of the same worker left, so
 * that its name must be no other worker's.
 *
 * Throws when the folder is somebody else's, or others may write in it.
 */
export const openRunFolders = async (root: string, worker: string): Promise<RunFolders> => {
  const { user, group } = programUser();
  const own = `holdfast-worker-${shortName(worker)}`;
  const base = join(root, own);
  await mkdir(base, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(base);
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${base} is not a folder of this user alone: take it away, or name another`);
  // An engine or a kubelet that is not root here has to pass through.
  await chmod(base, 0o711);
  for (const name of await readdir(base)) await removeTree(join(base, name));

  return {
    lay: async (id, mounts) => {
      const folder = join(base, id);
      const remove = () => removeTree(folder);
      try {
        await mkdir(join(folder, 'in'), { recursive: true });
        for (const path of [folder, join(folder, 'in')]) await chmod(path, 0o711);
        const inputs: RunFolder['inputs'][number][] = [];
        for (const { from, to } of mounts) {
          const name = String(inputs.length);
          const copy = join(folder, 'in', name);
          await copyTree(from, copy);
          inputs.push({ from: copy, path: `${own}/${id}/in/${name}`, to });
        }
        const out = join(folder, 'out');
        await mkdir(out);
        await chmod(out, 0o700);
        if (found.uid !== user) await chown(out, user, group);
        // Held open: what is read at the end is this folder, whatever lies at its path by then.
        const held = await open(
          out,
          constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
        );
        return {
          inputs,
          output: { from: out, path: `${own}/${id}/out` },
          use: (enough) => usage(`/proc/self/fd/${held.fd}`, enough),
          collect: (spec) => collect(`/proc/self/fd/${held.fd}`, spec),
          remove: async () => {
            await held.close();
            await remove();
          },
        };
      } catch (error) {
        await remove();
        throw error;
      }
    },
  };
};

/** Entries come and go while they are counted; what is gone counts nothing. */
const usage = async (folder: string, enough: number) => {
  let bytes = 0;
  let entries = 0;
  const walk = async (path: string): Promise<void> => {
    const listing = await opendir(path).catch(() => null);
    if (listing === null) return;
    for await (const { name } of listing) {
      entries += 1;
      if (entries > enough) return;
      const entry = await lstat(join(path, name)).catch(() => null);
      bytes += (entry?.blocks ?? 0) * 512;
      if (entry?.isDirectory() === true) await walk(join(path, name));
    }
  };
  await walk(folder);
  return { bytes, entries };
};

/** Removes a tree in which a program may have shut its own folders: whoever owns them can open them again. */
export const removeTree = async (path: string): Promise<void> => {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
};

const openUp = async (path: string): Promise<void> => {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openUp(join(path, name));
};
