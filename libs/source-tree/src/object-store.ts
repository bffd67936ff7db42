import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { inflateSync } from 'node:zlib';
import git from 'isomorphic-git';
import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { openDurableFs } from './durable-fs.ts';
import type { DurableFs } from './durable-fs.ts';
import { isRefName } from './paths.ts';
import type { ReadRefusal, Ref, StoredObject } from './port.ts';
import { comparePaths, decodeUtf8, isOid, objectId, parseTree, wrapped } from './tree-format.ts';
import type { ObjectType, Sha1, TreeEntry } from './tree-format.ts';

const NAMESPACE = 'refs/holdfast/';

/** Scratch files that are older than this belong to a process that died. */
const STALE_MS = 60 * 60 * 1000;

export const sha1: Sha1 = (bytes) => createHash('sha1').update(bytes).digest();

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/**
 * Reads an object and hashes what it read, which isomorphic-git leaves out for packed ones.
 *
 * @param cache - isomorphic-git keeps opened packs in it; give each operation its own, so that it never outlives
 *   what is on disk
 */
export const readStoredObject = async (
  gitdir: string,
  oid: string,
  cache: object,
): Promise<StoredObject> => {
  if (!isOid(oid)) return { state: 'absent', oid };
  try {
    const read = await git.readObject({
      fs: { promises: fs },
      gitdir,
      oid,
      format: 'content',
      cache,
    });
    const type = read.type as ObjectType;
    const bytes = read.object as Uint8Array;
    const content = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = objectId(type, content, sha1);
    if (found === oid) return { state: 'present', oid, type, content };
    return { state: 'corrupt', oid, reason: `the stored ${type} hashes to ${found}` };
  } catch (error) {
    if (error instanceof git.Errors.NotFoundError) return { state: 'absent', oid };
    if (isSystemError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { state: 'corrupt', oid, reason: `the stored bytes cannot be read: ${reason}` };
  }
};

/** Reads one object; an operation passes its own reader around. */
export type ReadObject = (oid: string) => Promise<StoredObject>;

/** The content of an object of the wanted type. */
export const readTyped = async (
  read: ReadObject,
  oid: string,
  type: ObjectType,
): Promise<Result<Uint8Array, ReadRefusal>> => {
  const found = await read(oid);
  if (found.state === 'absent') {
    return refused({
      code: 'object-absent',
      message: `the ${type} ${oid} is not in the repository`,
    });
  }
  if (found.state === 'corrupt') {
    return refused({
      code: 'object-corrupt',
      message: `the ${type} ${oid} is damaged: ${found.reason}`,
    });
  }
  if (found.type !== type) {
    return refused({
      code: 'wrong-type',
      message: `${oid} is a ${found.type}, expected a ${type}`,
    });
  }
  return ok(found.content);
};

/** The entries of one tree, all with names that are UTF-8. */
export const readEntries = async (
  read: ReadObject,
  tree: string,
): Promise<Result<readonly TreeEntry[], ReadRefusal>> => {
  const content = await readTyped(read, tree, 'tree');
  if (!content.ok) return content;
  const parsed = parseTree(content.value);
  if (!parsed.ok) {
    return refused({
      code: 'bad-tree',
      message: `the tree ${tree} cannot be read: ${parsed.error}`,
    });
  }
  const entries: TreeEntry[] = [];
  for (const { name, mode, oid } of parsed.value) {
    if (name === null) {
      return refused({
        code: 'bad-tree',
        message: `the tree ${tree} holds a name that is not UTF-8; rename that file`,
      });
    }
    entries.push({ name, mode, oid });
  }
  return ok(entries);
};

export const readText = async (
  read: ReadObject,
  oid: string,
): Promise<Result<string, ReadRefusal>> => {
  const content = await readTyped(read, oid, 'blob');
  if (!content.ok) return content;
  const text = decodeUtf8(content.value);
  return text === null
    ? refused({ code: 'not-text', message: `the blob ${oid} is not UTF-8` })
    : ok(text);
};

/** Writes of one operation. Objects first, the ones that others name before those; the ref last. */
export interface Writer {
  /** Stores an object under its name, unless it is there already and whole. */
  readonly put: (type: ObjectType, content: Uint8Array) => Promise<string>;
  /** Points a ref at an object, after everything put so far is on disk. */
  readonly setRef: (name: string, oid: string) => Promise<void>;
}

export interface ObjectStore {
  /** A reader with a cache of its own. */
  readonly reader: () => ReadObject;
  /** Runs one operation's writes; when it returns they are on disk. */
  readonly write: <T>(writes: (writer: Writer) => Promise<T>) => Promise<T>;
  readonly readRef: (name: string) => Promise<string | null>;
  /** All refs below `refs/holdfast/`, by name. */
  readonly listRefs: () => Promise<readonly Ref[]>;
  /** The ref that makes `name` impossible: git keeps refs as files and folders. */
  readonly conflictingRef: (name: string) => Promise<string | null>;
}

const prepare = async (gitdir: string, scratch: string): Promise<void> => {
  await fs.mkdir(scratch, { recursive: true });
  const durable = openDurableFs(scratch);
  await git.init({ fs: durable, dir: gitdir, bare: true });
  // A kill between git.init's last two files leaves a config without HEAD, which init then takes for done.
  await fs.access(join(gitdir, 'HEAD')).catch(async () => {
    await durable.promises.writeFile(join(gitdir, 'HEAD'), 'ref: refs/heads/master\n');
  });
  await durable.settle();
  const oldest = Date.now() - STALE_MS;
  for (const name of await fs.readdir(scratch)) {
    const part = join(scratch, name);
    const stat = await fs.stat(part).catch(() => null);
    if (stat !== null && stat.mtimeMs < oldest) await fs.rm(part, { force: true });
  }
};

/** Opens the bare repository at `gitdir`, making it when it is not there. */
export const openObjectStore = async (gitdir: string): Promise<ObjectStore> => {
  const scratch = join(gitdir, 'holdfast-scratch');
  await prepare(gitdir, scratch);

  /** isomorphic-git leaves any existing file alone, so a damaged one has to go first. */
  const isStored = async (oid: string, whole: Uint8Array): Promise<boolean> => {
    const path = join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2));
    const file = await fs.readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return false;
    try {
      if (inflateSync(file).equals(whole)) return true;
    } catch {
      // Not a zlib stream: damaged as well.
    }
    await fs.rm(path, { force: true });
    return false;
  };

  const openWriter = (durable: DurableFs): Writer => ({
    put: async (type, content) => {
      const oid = objectId(type, content, sha1);
      if (await isStored(oid, wrapped(type, content))) return oid;
      return git.writeObject({ fs: durable, gitdir, type, object: content, format: 'content' });
    },
    setRef: async (name, oid) => {
      await durable.settle();
      await git.writeRef({ fs: durable, gitdir, ref: NAMESPACE + name, value: oid, force: true });
    },
  });

  const readRef = async (name: string): Promise<string | null> => {
    try {
      return await git.resolveRef({ fs: { promises: fs }, gitdir, ref: NAMESPACE + name });
    } catch (error) {
      if (isSystemError(error)) throw error;
      return null;
    }
  };

  /** The refs that git gc moved into one file; a loose ref of the same name outranks them. */
  const packedRefs = async (): Promise<Map<string, string>> => {
    const text = await fs
      .readFile(join(gitdir, 'packed-refs'), 'utf8')
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
    const lines = text.matchAll(/^([0-9a-f]{40}) refs\/holdfast\/(.+)$/gm);
    return new Map(Array.from(lines, ([, oid = '', name = '']) => [name, oid]));
  };

  return {
    reader: () => {
      const cache = {};
      return (oid) => readStoredObject(gitdir, oid, cache);
    },
    write: async (writes) => {
      const durable = openDurableFs(scratch);
      const result = await writes(openWriter(durable));
      await durable.settle();
      return result;
    },
    readRef,
    listRefs: async () => {
      const found = await packedRefs();
      const entries = await fs
        .readdir(join(gitdir, NAMESPACE), { withFileTypes: true, recursive: true })
        .catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return [];
          throw error;
        });
      for (const entry of entries.filter((each) => each.isFile())) {
        const path = relative(join(gitdir, NAMESPACE), join(entry.parentPath, entry.name));
        const name = path.split(sep).join('/');
        const oid = isRefName(name) ? await readRef(name) : null;
        if (oid !== null) found.set(name, oid);
      }
      return [...found]
        .map(([name, oid]) => ({ name, oid }))
        .sort((x, y) => comparePaths(x.name, y.name));
    },
    conflictingRef: async (name) => {
      const parts = name.split('/');
      for (let depth = 1; depth < parts.length; depth++) {
        const above = parts.slice(0, depth).join('/');
        if ((await readRef(above)) !== null) return above;
      }
      const below = await fs.readdir(join(gitdir, NAMESPACE, name)).catch(() => []);
      if (below.length > 0) return `${name}/${below[0]}`;
      const packed = await packedRefs();
      return [...packed.keys()].find((each) => each.startsWith(`${name}/`)) ?? null;
    },
  };
};
