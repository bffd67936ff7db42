import { FOLDER, treeEntries } from './git-objects.ts';
import type { Inspect, TreeEntry } from './git-objects.ts';

interface Leaf {
  readonly mode: string;
  readonly oid: string;
}

/** A file that two trees don't have in common. */
export interface TreeChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted' | 'type-changed';
  readonly before: Leaf | null;
  readonly after: Leaf | null;
}

/** What differs between two trees; throws, saying why, where a tree on the way can't be followed. */
export type CompareTrees = (before: string, after: string) => Promise<readonly TreeChange[]>;

/** Trees kept in memory: an attempt's base is mostly that of the one before it. */
const REMEMBERED = 256;
/** Trees that one comparison may open, so that trees made to be endless come to an end. */
const MOST_TREES = 10_000;

const leafOf = (entry: TreeEntry | undefined): Leaf | null =>
  entry === undefined || entry.mode === FOLDER ? null : { mode: entry.mode, oid: entry.oid };
const folderOf = (entry: TreeEntry | undefined): string | null =>
  entry?.mode === FOLDER ? entry.oid : null;

const isRegular = (mode: string): boolean => mode.startsWith('100');

const kindOf = (before: Leaf | null, after: Leaf | null): TreeChange['kind'] => {
  if (before === null) return 'added';
  if (after === null) return 'deleted';
  const sameType = before.mode === after.mode || (isRegular(before.mode) && isRegular(after.mode));
  return sameType ? 'modified' : 'type-changed';
};

/** Compares trees by their objects, each hashed anew. Folders that are the same are not opened. */
export const compareTrees = (inspect: Inspect): CompareTrees => {
  const known = new Map<string, ReadonlyMap<string, TreeEntry>>();

  const entriesOf = async (oid: string | null): Promise<ReadonlyMap<string, TreeEntry>> => {
    if (oid === null) return new Map();
    const remembered = known.get(oid);
    if (remembered !== undefined) return remembered;
    const tree = await inspect('tree', oid, 'a tree');
    if (!tree.ok) throw new Error(tree.fault);
    const entries = treeEntries(tree.content);
    const byName = new Map((entries ?? []).map((entry) => [entry.name, entry]));
    // A name that stands twice, or holds a path, would hide a file from this comparison.
    if (byName.size !== entries?.length || entries.some(({ name }) => name.includes('/')))
      throw new Error(`the tree ${oid} is none that git writes`);
    if (known.size >= REMEMBERED) known.clear();
    known.set(oid, byName);
    return byName;
  };

  return async (from, to) => {
    const changes: TreeChange[] = [];
    let opened = 0;
    const walk = async (
      folder: string,
      before: string | null,
      after: string | null,
    ): Promise<void> => {
      if (before === after) return;
      opened += 1;
      if (opened > MOST_TREES)
        throw new Error(`the trees ${from} and ${to} differ in more than ${MOST_TREES} folders`);
      const old = await entriesOf(before);
      const now = await entriesOf(after);
      for (const name of new Set([...old.keys(), ...now.keys()])) {
        const [left, right] = [old.get(name), now.get(name)];
        if (left?.oid === right?.oid && left?.mode === right?.mode) continue;
        const path = `${folder}${name}`;
        await walk(`${path}/`, folderOf(left), folderOf(right));
        const [was, is] = [leafOf(left), leafOf(right)];
        if (was !== null || is !== null)
          changes.push({ path, kind: kindOf(was, is), before: was, after: is });
      }
    };
    await walk('', from, to);
    return changes;
  };
};
