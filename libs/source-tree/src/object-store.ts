import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import git from 'isomorphic-git';
import { ok, reasonOf, refused, toHex } from '#libs/kernel';
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

const HEADER = /^(blob|tree|commit|tag) (0|[1-9][0-9]*)\0/;

/** The bytes of a zlib stream that fills its file exactly; null for anything else. */
const inflateWhole = (file: Buffer): Buffer | null => {
  try {
    const inflated = inflateSync(file, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return inflated.engine.bytesWritten === file.length ? inflated.buffer : null;
  } catch {
    return null;
  }
};

const objectPath = (gitdir: string, oid: string): string =>
  join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2));

/** The text or bytes of a file that need not be there. */
const fileIfThere = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
    throw error;
  }
};

const corrupt = (oid: string, reason: string): StoredObject => ({ state: 'corrupt', oid, reason });

const readLoose = (oid: string, file: Buffer): StoredObject => {
  const whole = inflateWhole(file);
  if (whole === null) return corrupt(oid, 'the loose object is no whole zlib stream');
  const found = toHex(sha1(whole));
  if (found !== oid) return corrupt(oid, `the loose object hashes to ${found}`);
  const [header, type, length] = HEADER.exec(whole.toString('latin1', 0, 32)) ?? [];
  if (header === undefined || whole.length !== header.length + Number(length)) {
    return corrupt(oid, 'the loose object has no header that fits it');
  }
  const content = Uint8Array.from(whole.subarray(header.length));
  return { state: 'present', oid, type: type as ObjectType, content };
};

/**
 * Reads an object and hashes what it read. Loose objects are read and written here: isomorphic-git takes a zlib stream
 * that was cut off for a whole one, writes in place, and leaves a damaged file for good. Packs, which only git makes,
 * are read by isomorphic-git, which does not hash their objects.
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
  const file = fileIfThere(objectPath(gitdir, oid));
  if (file !== null) return readLoose(oid, file);
  try {
    const read = await git.readObject({
      fs: { promises: fs },
      gitdir,
      oid,
      format: 'content',
      cache,
    });
    const type = read.type as ObjectType;
    const content = Uint8Array.from(read.object as Uint8Array);
    const found = objectId(type, content, sha1);
    if (found === oid) return { state: 'present', oid, type, content };
    return corrupt(oid, `the packed ${type} hashes to ${found}`);
  } catch (error) {
    if (error instanceof git.Errors.NotFoundError) return { state: 'absent', oid };
    if (isSystemError(error)) throw error;
    const reason = reasonOf(error);
    return corrupt(oid, `the pack cannot be read: ${reason}`);
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

/**
 * Writes of one operation. Nothing is seen of them until the operation ends: then the objects come under their names
 * in the order in which they were put, and the refs after all of them. So put what is named before what names it.
 */
export interface Writer {
  /** Stores an object, unless it is there already and whole. Gives its name at once. */
  readonly put: (type: ObjectType, content: Uint8Array) => string;
  /** Points a ref at an object. */
  readonly setRef: (name: string, oid: string) => void;
}

export interface ObjectStore {
  /** A reader with a cache of its own. */
  readonly reader: () => ReadObject;
  /** Runs one operation's writes; when it returns they are on disk. */
  readonly write: <T>(writes: (writer: Writer) => T | Promise<T>) => Promise<T>;
  readonly readRef: (name: string) => string | null;
  /** All refs below `refs/holdfast/`, by name. */
  readonly listRefs: () => Promise<readonly Ref[]>;
  /** The ref that makes `name` impossible: git keeps refs as files and folders. */
  readonly conflictingRef: (name: string) => Promise<string | null>;
}

const prepare = async (gitdir: string, scratch: string): Promise<void> => {
  await fs.mkdir(scratch, { recursive: true });
  const durable = openDurableFs(scratch);
  await git.init({ fs: durable, dir: gitdir, bare: true });
  await durable.publish();
  // A kill between git.init's last two files leaves a config without HEAD, which init then takes for done.
  await fs.access(join(gitdir, 'HEAD')).catch(async () => {
    await durable.stage(join(gitdir, 'HEAD'), 'ref: refs/heads/master\n');
  });
  await durable.publish();
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

  /** A damaged object is written anew; only a whole one is left alone. */
  const stageObject = async (
    durable: DurableFs,
    oid: string,
    type: ObjectType,
    content: Uint8Array,
  ): Promise<void> => {
    const path = objectPath(gitdir, oid);
    const file = fileIfThere(path);
    if (file !== null && readLoose(oid, file).state === 'present') return;
    await durable.stage(path, deflateSync(wrapped(type, content)));
  };

  const write: ObjectStore['write'] = async (writes) => {
    const durable = openDurableFs(scratch);
    const staging: Promise<unknown>[] = [];
    const [objects, refs] = [new Set<string>(), new Set<string>()];
    const result = await writes({
      put: (type, content) => {
        const oid = objectId(type, content, sha1);
        const path = objectPath(gitdir, oid);
        if (!objects.has(path)) staging.push(stageObject(durable, oid, type, content));
        objects.add(path);
        return oid;
      },
      setRef: (name, oid) => {
        const path = join(gitdir, NAMESPACE, name);
        refs.add(path);
        staging.push(durable.stage(path, `${oid}\n`));
      },
    });
    const failed = (await Promise.allSettled(staging)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    await durable.publish([...objects]);
    await durable.publish([...refs]);
    return result;
  };

  /** The refs that git gc moved into one file; a loose ref of the same name outranks them. */
  const packedRefs = (): Map<string, string> => {
    const text = fileIfThere(join(gitdir, 'packed-refs'))?.toString('utf8') ?? '';
    const lines = text.matchAll(/^([0-9a-f]{40}) refs\/holdfast\/(.+)$/gm);
    return new Map(Array.from(lines, ([, oid = '', name = '']) => [name, oid]));
  };

  const readRef = (name: string): string | null => {
    const text = fileIfThere(join(gitdir, NAMESPACE, name))
      ?.toString('latin1')
      .trimEnd();
    if (text === undefined) return packedRefs().get(name) ?? null;
    return isOid(text) ? text : null;
  };

  return {
    reader: () => {
      const cache = {};
      return (oid) => readStoredObject(gitdir, oid, cache);
    },
    write,
    readRef,
    listRefs: async () => {
      const found = packedRefs();
      const entries = await fs
        .readdir(join(gitdir, NAMESPACE), { withFileTypes: true, recursive: true })
        .catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return [];
          throw error;
        });
      for (const entry of entries.filter((each) => each.isFile())) {
        const path = relative(join(gitdir, NAMESPACE), join(entry.parentPath, entry.name));
        const name = path.split(sep).join('/');
        const oid = isRefName(name) ? readRef(name) : null;
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
        if (readRef(above) !== null) return above;
      }
      const below = await fs.readdir(join(gitdir, NAMESPACE, name)).catch(() => []);
      if (below.length > 0) return `${name}/${below[0]}`;
      const packed = packedRefs();
      return [...packed.keys()].find((each) => each.startsWith(`${name}/`)) ?? null;
    },
  };
};
