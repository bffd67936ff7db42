import fs from 'node:fs';
import git from 'isomorphic-git';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { openSourceTree, type SourceTree } from '#libs/source-tree';
import type { JobParcel } from './job-parcel.ts';

interface Entry {
  readonly parts: readonly string[];
  readonly mode: string;
  readonly oid: string;
}

/** Null where a name is a file's and a folder's: no tree of git's can be that. */
const writeTree = async (gitdir: string, entries: readonly Entry[]): Promise<string | null> => {
  const tree: Parameters<typeof git.writeTree>[0]['tree'] = [];
  for (const [name, group] of Map.groupBy(entries, ({ parts }) => parts[0] ?? '')) {
    const [first] = group;
    if (first === undefined) continue;
    if (group.length === 1 && first.parts.length === 1) {
      tree.push({ mode: first.mode, path: name, oid: first.oid, type: 'blob' });
      continue;
    }
    if (group.some(({ parts }) => parts.length === 1)) return null;
    const oid = await writeTree(
      gitdir,
      group.map((entry) => ({ ...entry, parts: entry.parts.slice(1) })),
    );
    if (oid === null) return null;
    tree.push({ mode: '040000', path: name, oid, type: 'tree' });
  }
  return git.writeTree({ fs, gitdir, tree });
};

/**
 * A repository that holds one parcel and nothing else, in an empty folder. Names of objects are computed here: refused
 * unless the files are the tree, the table and the cells that the job names.
 */
export const openScratch = async (
  gitdir: string,
  { job, files, table, cells }: JobParcel,
): Promise<Result<SourceTree, Refusal<'other-content'>>> => {
  const sourceTree = await openSourceTree({ dir: gitdir });
  const writeBlob = (content: string): Promise<string> =>
    git.writeBlob({ fs, gitdir, blob: Buffer.from(content, 'base64') });
  const entries: Entry[] = [];
  for (const { path, mode, content } of files)
    entries.push({ parts: path.split('/'), mode, oid: await writeBlob(content) });
  const found = {
    tree: await writeTree(gitdir, entries),
    table: await writeBlob(table),
    cells: await writeBlob(cells),
  };
  for (const name of ['tree', 'table', 'cells'] as const)
    if (found[name] !== job[name])
      return refused({
        code: 'other-content',
        message: `found the ${name} ${found[name] ?? 'that git knows no form of'} in the job, expected ${job[name]}: it was altered on its way`,
      });
  return ok(sourceTree);
};
