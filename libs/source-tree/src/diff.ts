import { ok } from '#libs/kernel';
import type { Result } from '#libs/kernel';
import { readEntries } from './object-store.ts';
import type { ReadObject } from './object-store.ts';
import type { ReadRefusal, Side, TreeChange, TreeFile } from './port.ts';
import { comparePaths, MODES } from './tree-format.ts';
import type { TreeEntry } from './tree-format.ts';

const join = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** All files below a tree, in git's order. */
export const listFiles = async (
  read: ReadObject,
  tree: string,
  folder = '',
): Promise<Result<readonly TreeFile[], ReadRefusal>> => {
  const entries = await readEntries(read, tree);
  if (!entries.ok) return entries;
  const files: TreeFile[] = [];
  for (const { name, mode, oid } of entries.value) {
    const path = join(folder, name);
    if (mode !== MODES.folder) {
      files.push({ path, mode, oid });
      continue;
    }
    const below = await listFiles(read, oid, path);
    if (!below.ok) return below;
    files.push(...below.value);
  }
  return ok(files);
};

const isRegular = (mode: string): boolean => mode.startsWith('100');

const kindOf = (before: Side | null, after: Side | null): TreeChange['kind'] => {
  if (before === null) return 'added';
  if (after === null) return 'deleted';
  const sameType = before.mode === after.mode || (isRegular(before.mode) && isRegular(after.mode));
  return sameType ? 'modified' : 'type-changed';
};

/** What differs between two trees; null stands for no tree at all. */
export const diffTrees = async (
  read: ReadObject,
  a: string | null,
  b: string | null,
): Promise<Result<readonly TreeChange[], ReadRefusal>> => {
  const changes: TreeChange[] = [];

  const entriesOf = async (
    tree: string | null,
  ): Promise<Result<ReadonlyMap<string, TreeEntry>, ReadRefusal>> => {
    if (tree === null) return ok(new Map());
    const entries = await readEntries(read, tree);
    return entries.ok ? ok(new Map(entries.value.map((entry) => [entry.name, entry]))) : entries;
  };

  const walk = async (
    folder: string,
    before: string | null,
    after: string | null,
  ): Promise<Result<null, ReadRefusal>> => {
    if (before === after) return ok(null);
    const old = await entriesOf(before);
    if (!old.ok) return old;
    const now = await entriesOf(after);
    if (!now.ok) return now;
    for (const name of new Set([...old.value.keys(), ...now.value.keys()])) {
      const path = join(folder, name);
      const left = old.value.get(name);
      const right = now.value.get(name);
      if (left?.oid === right?.oid && left?.mode === right?.mode) continue;
      const below = await walk(path, subtree(left), subtree(right));
      if (!below.ok) return below;
      const [was, is] = [leaf(left), leaf(right)];
      if (was !== null || is !== null) {
        changes.push({ path, kind: kindOf(was, is), before: was, after: is });
      }
    }
    return ok(null);
  };

  const walked = await walk('', a, b);
  if (!walked.ok) return walked;
  return ok(changes.sort((x, y) => comparePaths(x.path, y.path)));
};

const subtree = (entry: TreeEntry | undefined): string | null =>
  entry?.mode === MODES.folder ? entry.oid : null;

const leaf = (entry: TreeEntry | undefined): Side | null =>
  entry === undefined || entry.mode === MODES.folder ? null : { oid: entry.oid, mode: entry.mode };
