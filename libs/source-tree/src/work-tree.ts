import type { Dirent, Stats } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import git from 'isomorphic-git';
import { sha1 } from './object-store.ts';
import type { IndexEntry } from './git-index.ts';
import type { PathProblem } from './paths.ts';
import type { TreeFile } from './port.ts';
import type { StudyRepository } from './study-repository.ts';
import { comparePaths, MODES, objectId } from './tree-format.ts';

const dirty = (path: string, code: string, message: string): PathProblem => ({
  path,
  code,
  message: `${path}: ${message}`,
});

const lstat = async (path: string): Promise<Stats | null> =>
  fs.lstat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  });

/** CRLF as autocrlf would undo it. */
const withoutCarriageReturns = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');

/** How one committed file differs from the file on disk, compared raw: what was committed is what will run. */
const compareFile = async (
  repository: StudyRepository,
  committed: TreeFile,
): Promise<readonly PathProblem[]> => {
  const { path, oid, mode } = committed;
  const onDisk = join(repository.root, path);
  const stat = await lstat(onDisk);
  if (stat === null) return [dirty(path, 'deleted', 'committed, but not in the work tree')];
  if (!stat.isFile()) return [dirty(path, 'modified', 'no regular file in the work tree any more')];
  const problems: PathProblem[] = [];
  const bytes = await fs.readFile(onDisk);
  if (objectId('blob', bytes, sha1) !== oid) {
    const onlyLineEnds = objectId('blob', withoutCarriageReturns(bytes), sha1) === oid;
    problems.push(
      onlyLineEnds
        ? dirty(
            path,
            'line-endings',
            'differs from the commit in line endings only; check it out with core.autocrlf=false',
          )
        : dirty(
            path,
            'modified',
            'differs from what is committed (a checkout filter, e.g. LFS, counts as a difference)',
          ),
    );
  }
  const executable = (stat.mode & 0o100) !== 0;
  if (repository.fileMode && executable !== (mode === MODES.executable)) {
    problems.push(
      dirty(path, 'mode-changed', `committed as ${mode}, and the executable bit differs`),
    );
  }
  return problems;
};

/** Files below a folder that the commit does not have and no ignore rule of the repository covers. */
const untracked = async (
  repository: StudyRepository,
  folder: string,
  tracked: ReadonlySet<string>,
  trackedFolders: ReadonlySet<string>,
): Promise<readonly PathProblem[]> => {
  const isIgnored = (filepath: string): Promise<boolean> =>
    git.isIgnored({
      fs: { promises: fs },
      dir: repository.root,
      gitdir: repository.commonDir,
      filepath,
    });
  const entries: Dirent[] = await fs
    .readdir(join(repository.root, folder), { withFileTypes: true })
    .catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
  const problems: PathProblem[] = [];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (tracked.has(path)) continue;
    if (entry.name === '.git') {
      problems.push(
        dirty(
          path,
          'nested-repository',
          'another repository begins here; keep it out of the program',
        ),
      );
    } else if (entry.isDirectory()) {
      // The slash at the end tells a rule for folders; a folder without tracked files is then skipped whole.
      if (!trackedFolders.has(path) && (await isIgnored(`${path}/`))) continue;
      problems.push(...(await untracked(repository, path, tracked, trackedFolders)));
    } else if (!(await isIgnored(path))) {
      problems.push(
        dirty(path, 'untracked', 'not committed; commit it, delete it or have git ignore it'),
      );
    }
  }
  return problems;
};

/** How the index differs from the commit: changes that were staged, or a merge that is not resolved. */
const staged = (
  index: readonly IndexEntry[],
  committed: readonly TreeFile[],
  covers: (path: string) => boolean,
): readonly PathProblem[] => {
  const entries = new Map(
    index.filter(({ path }) => covers(path)).map((entry) => [entry.path, entry]),
  );
  const problems: PathProblem[] = [];
  for (const { path, oid, mode } of committed) {
    const entry = entries.get(path);
    entries.delete(path);
    if (entry === undefined) problems.push(dirty(path, 'staged', 'its deletion is staged'));
    else if (entry.stage !== 0) problems.push(dirty(path, 'unmerged', 'a merge is not resolved'));
    else if (entry.oid !== oid || entry.mode !== mode) {
      problems.push(dirty(path, 'staged', 'a change is staged and not committed'));
    }
  }
  for (const { path } of entries.values()) {
    problems.push(dirty(path, 'staged', 'added to the index and not committed'));
  }
  return problems;
};

/**
 * Everything in which the work tree and the index differ from the commit, within the program's folder and among the
 * further paths. One path can stand more than once, with different codes.
 *
 * @param committed - the files that the commit holds there
 */
export const findDirt = async (
  repository: StudyRepository,
  index: readonly IndexEntry[],
  programPath: string,
  also: readonly string[],
  committed: readonly TreeFile[],
): Promise<readonly PathProblem[]> => {
  const tracked = new Set(committed.map(({ path }) => path));
  const trackedFolders = new Set<string>();
  for (const path of tracked) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      trackedFolders.add(path.slice(0, at));
    }
  }
  const covers = (path: string): boolean =>
    path.startsWith(`${programPath}/`) || also.includes(path);

  const problems: PathProblem[] = [];
  const parts = programPath.split('/');
  for (const depth of parts.keys()) {
    const folder = parts.slice(0, depth + 1).join('/');
    const stat = await lstat(join(repository.root, folder));
    if (stat?.isSymbolicLink() === true) {
      problems.push(dirty(folder, 'modified', 'committed as a folder, and now a symlink'));
    }
  }
  for (const file of committed) problems.push(...(await compareFile(repository, file)));
  problems.push(...(await untracked(repository, programPath, tracked, trackedFolders)));
  for (const path of also.filter((each) => !tracked.has(each))) {
    const there = (await lstat(join(repository.root, path))) !== null;
    problems.push(
      there
        ? dirty(path, 'untracked', 'not committed; commit it')
        : dirty(path, 'missing', 'neither committed nor in the work tree'),
    );
  }
  problems.push(...staged(index, committed, covers));
  return problems.sort((a, b) => comparePaths(a.path, b.path));
};
