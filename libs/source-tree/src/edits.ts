import { ok, refused } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { readEntries, sha1 } from './object-store.ts';
import type { ReadObject } from './object-store.ts';
import { checkPath, collisions, newPathProblems } from './paths.ts';
import type { PathProblem } from './paths.ts';
import type { Edit, ReadRefusal } from './port.ts';
import { MODES, objectId, serialiseTree } from './tree-format.ts';
import type { ObjectType, TreeEntry } from './tree-format.ts';

/** An object that is still to be stored. */
export interface NewObject {
  readonly type: ObjectType;
  readonly content: Uint8Array;
}

/** A tree that is still to be stored; objects stand after those that they name. */
export interface NewTree {
  readonly tree: string;
  readonly objects: readonly NewObject[];
}

interface Leaf {
  readonly mode: string;
  readonly oid: string;
  readonly content: Uint8Array | null;
}

interface Folder {
  /** The stored tree, until the folder is opened. */
  readonly tree: string | null;
  children: Map<string, Leaf | Folder> | null;
}

const isFolder = (node: Leaf | Folder): node is Folder => 'children' in node;

const isEmpty = (node: Leaf | Folder): boolean =>
  isFolder(node) && node.children !== null && [...node.children.values()].every(isEmpty);

const isRegular = (leaf: Leaf): boolean =>
  leaf.mode === MODES.file || leaf.mode === MODES.executable;

const bytesOf = (content: string | Uint8Array): Uint8Array | null => {
  if (typeof content !== 'string') return content;
  return content.isWellFormed() ? new TextEncoder().encode(content) : null;
};

const problem = (path: string, code: string, message: string): PathProblem => ({
  path,
  code,
  message: `${JSON.stringify(path)}: ${message}`,
});

/**
 * The tree that edits make of `base` (null: of nothing), or every reason why they don't apply. Deletions go first, so
 * that a file can make room for a folder and the reverse. Nothing is written.
 */
export const applyEdits = async (
  read: ReadObject,
  base: string | null,
  edits: readonly Edit[],
  maxFileBytes: number,
): Promise<Result<NewTree, ReadRefusal | readonly PathProblem[]>> => {
  const root: Folder = { tree: base, children: base === null ? new Map() : null };
  const problems: PathProblem[] = [];

  const open = async (folder: Folder): Promise<Result<Map<string, Leaf | Folder>, ReadRefusal>> => {
    if (folder.children !== null) return ok(folder.children);
    const children = new Map<string, Leaf | Folder>();
    const entries = await readEntries(read, folder.tree ?? '');
    if (!entries.ok) return entries;
    for (const { name, mode, oid } of entries.value) {
      const folderOrLeaf =
        mode === MODES.folder ? { tree: oid, children: null } : { mode, oid, content: null };
      children.set(name, folderOrLeaf);
    }
    folder.children = children;
    return ok(children);
  };

  /** The folder that holds the path's last part; null when the way there is barred (a problem then stands). */
  const parentOf = async (
    path: string,
    make: boolean,
  ): Promise<Result<Map<string, Leaf | Folder> | null, ReadRefusal>> => {
    let here = await open(root);
    const names = path.split('/').slice(0, -1);
    for (const [depth, name] of names.entries()) {
      if (!here.ok) return here;
      let next = here.value.get(name);
      if (next === undefined && make) {
        next = { tree: null, children: new Map() };
        here.value.set(name, next);
      }
      if (next === undefined) return ok(null);
      if (!isFolder(next)) {
        const barrier = names.slice(0, depth + 1).join('/');
        problems.push(
          problem(path, 'not-a-folder', `${barrier} is a file (mode ${next.mode}), not a folder`),
        );
        return ok(null);
      }
      here = await open(next);
    }
    return here;
  };

  const remove = async ({ path }: Edit): Promise<Result<null, ReadRefusal>> => {
    const before = problems.length;
    const parent = await parentOf(path, false);
    if (!parent.ok) return parent;
    if (problems.length > before) return ok(null);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const there = parent.value?.get(name);
    if (there === undefined) {
      problems.push(problem(path, 'nothing-to-delete', 'there is no such file to delete'));
    } else if (isFolder(there)) {
      problems.push(
        problem(path, 'is-a-folder', 'it is a folder; delete its files by their own paths'),
      );
    } else if (!isRegular(there)) {
      problems.push(
        problem(path, 'special-entry', `it has mode ${there.mode}; only regular files can change`),
      );
    } else {
      parent.value?.delete(name);
    }
    return ok(null);
  };

  const put = async (path: string, content: Uint8Array): Promise<Result<null, ReadRefusal>> => {
    const parent = await parentOf(path, true);
    if (!parent.ok) return parent;
    if (parent.value === null) return ok(null);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const there = parent.value.get(name);
    if (there === undefined)
      problems.push(...newPathProblems(path).map((message) => problem(path, 'bad-path', message)));
    if (there !== undefined && isFolder(there) && !isEmpty(there)) {
      problems.push(
        problem(path, 'is-a-folder', 'it is a folder, and a file cannot take its place'),
      );
    } else if (there !== undefined && !isFolder(there) && !isRegular(there)) {
      problems.push(
        problem(path, 'special-entry', `it has mode ${there.mode}; only regular files can change`),
      );
    } else {
      const mode = there === undefined || isFolder(there) ? MODES.file : there.mode;
      parent.value.set(name, { mode, oid: objectId('blob', content, sha1), content });
    }
    return ok(null);
  };

  const seen = new Set<string>();
  const good = edits.filter((edit) => {
    const found = [...checkPath(edit.path)];
    if (seen.has(edit.path))
      found.push(problem(edit.path, 'duplicate', 'it is edited twice; send one edit'));
    seen.add(edit.path);
    const bytes = edit.content === null ? null : bytesOf(edit.content);
    if (edit.content !== null && bytes === null) {
      found.push(
        problem(
          edit.path,
          'bad-content',
          'its text holds a lone surrogate, which UTF-8 cannot carry',
        ),
      );
    }
    if (bytes !== null && bytes.length > maxFileBytes) {
      found.push(
        problem(
          edit.path,
          'too-large',
          `it has ${bytes.length} bytes, at most ${maxFileBytes} are allowed`,
        ),
      );
    }
    problems.push(...found);
    return found.length === 0;
  });

  for (const edit of good.filter(({ content }) => content === null)) {
    const removed = await remove(edit);
    if (!removed.ok) return removed;
  }
  for (const { path, content } of good) {
    const bytes = content === null ? null : bytesOf(content);
    if (bytes === null) continue;
    const done = await put(path, bytes);
    if (!done.ok) return done;
  }

  const blobs: NewObject[] = [];
  const trees: NewObject[] = [];
  const close = (folder: Folder, path: string): string => {
    if (folder.children === null) return folder.tree ?? '';
    const entries: TreeEntry[] = [];
    for (const [name, node] of folder.children) {
      if (isEmpty(node)) continue;
      if (isFolder(node)) {
        const oid = close(node, path === '' ? name : `${path}/${name}`);
        entries.push({ name, mode: MODES.folder, oid });
        continue;
      }
      if (node.content !== null) blobs.push({ type: 'blob', content: node.content });
      entries.push({ name, mode: node.mode, oid: node.oid });
    }
    problems.push(
      ...collisions(
        path,
        entries.map(({ name }) => name),
      ),
    );
    const content = serialiseTree(entries);
    const oid = objectId('tree', content, sha1);
    if (oid !== folder.tree) trees.push({ type: 'tree', content });
    return oid;
  };
  const tree = close(root, '');
  return problems.length > 0 ? refused(problems) : ok({ tree, objects: [...blobs, ...trees] });
};
