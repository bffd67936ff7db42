import fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import git from 'isomorphic-git';
import { ok, refused } from '#libs/kernel';
import type { Refusal, Result } from '#libs/kernel';
import { parseIndex } from './git-index.ts';
import type { IndexEntry } from './git-index.ts';
import { readStoredObject } from './object-store.ts';
import type { ReadObject } from './object-store.ts';
import type { PinRefusalCode } from './port.ts';
import { isOid } from './tree-format.ts';

/** A study's own repository, read and never written. */
export interface StudyRepository {
  /** The top of the work tree. */
  readonly root: string;
  /** What belongs to this work tree: HEAD and index. */
  readonly gitdir: string;
  /** What its work trees share: objects, refs, config. The same folder unless the work tree is a linked one. */
  readonly commonDir: string;
  /** False where git was told not to trust executable bits. */
  readonly fileMode: boolean;
  readonly read: ReadObject;
}

type Refused = Refusal<PinRefusalCode>;

const textOf = async (path: string): Promise<string | null> => {
  try {
    return await fs.readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
    throw error;
  }
};

const unsupported = (root: string, what: string): { ok: false; error: Refused } =>
  refused({
    code: 'unsupported-repository',
    message: `the repository at ${root} ${what}; pin the study from a clone without that`,
  });

/** Climbs from a folder to the nearest one that holds `.git`. */
const findDotGit = async (folder: string): Promise<string | null> => {
  for (let here = folder; ; here = dirname(here)) {
    const dotGit = join(here, '.git');
    if ((await fs.stat(dotGit).catch(() => null)) !== null) return dotGit;
    if (here === dirname(here)) return null;
  }
};

/** A linked work tree and a submodule have a file `.git` that says where the git folder is. */
const resolveDotGit = async (dotGit: string): Promise<string | null> => {
  if ((await fs.stat(dotGit)).isDirectory()) return dotGit;
  const target = /^gitdir: (.+?)\s*$/.exec((await textOf(dotGit)) ?? '')?.[1];
  return target === undefined ? null : resolve(dirname(dotGit), target);
};

/** The git folders whose objects this one borrows (git clone --shared, --reference). */
const alternatesOf = async (gitdir: string, depth = 0): Promise<readonly string[]> => {
  const text = await textOf(join(gitdir, 'objects', 'info', 'alternates'));
  if (text === null || depth > 4) return [];
  const found: string[] = [];
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const objects = resolve(gitdir, 'objects', line);
    if (basename(objects) !== 'objects') continue;
    const other = dirname(objects);
    found.push(other, ...(await alternatesOf(other, depth + 1)));
  }
  return found;
};

/** Finds and opens the repository that a folder lies in. */
export const openStudyRepository = async (
  folder: string,
): Promise<Result<StudyRepository, Refused>> => {
  const dotGit = await findDotGit(folder);
  if (dotGit === null) {
    return refused({
      code: 'not-a-repository',
      message: `${folder} is in no git work tree; run git init there and commit the study`,
    });
  }
  const root = dirname(dotGit);
  const gitdir = await resolveDotGit(dotGit);
  if (gitdir === null || (await textOf(join(gitdir, 'HEAD'))) === null) {
    return refused({
      code: 'not-a-repository',
      message: `${dotGit} does not lead to a git folder; repair it (git worktree repair) or clone anew`,
    });
  }
  const common = await textOf(join(gitdir, 'commondir'));
  const commonDir = common === null ? gitdir : resolve(gitdir, common.trim());
  const setting = async (path: string): Promise<string> =>
    String((await git.getConfig({ fs: { promises: fs }, gitdir: commonDir, path })) ?? '');
  const format = (await setting('extensions.objectformat')).toLowerCase();
  if (format !== '' && format !== 'sha1')
    return unsupported(root, `names its objects by ${format}, not SHA-1`);
  const refStorage = (await setting('extensions.refstorage')).toLowerCase();
  if (refStorage !== '' && refStorage !== 'files')
    return unsupported(root, `keeps its refs as ${refStorage}`);

  const gitdirs = [commonDir, ...(await alternatesOf(commonDir))];
  const cache = {};
  const read: ReadObject = async (oid) => {
    for (const each of gitdirs) {
      const found = await readStoredObject(each, oid, cache);
      if (found.state !== 'absent') return found;
    }
    return { state: 'absent', oid };
  };
  const fileMode = (await setting('core.filemode')) !== 'false';
  return ok({ root, gitdir, commonDir, fileMode, read });
};

/** The commit that HEAD stands at, on a branch or detached. */
export const headCommit = async (repository: StudyRepository): Promise<Result<string, Refused>> => {
  const { gitdir, commonDir, root } = repository;
  const head = ((await textOf(join(gitdir, 'HEAD'))) ?? '').trim();
  if (isOid(head)) return ok(head);
  const ref = head.startsWith('ref: ') ? head.slice('ref: '.length) : 'HEAD';
  try {
    return ok(await git.resolveRef({ fs: { promises: fs }, gitdir: commonDir, ref }));
  } catch (error) {
    if (!(error instanceof git.Errors.NotFoundError)) throw error;
    return refused({
      code: 'no-commit',
      message: `the repository at ${root} has no commit at ${ref}; commit the study first`,
    });
  }
};

/** What is staged; nothing in a repository without an index. */
export const readIndex = async (
  repository: StudyRepository,
): Promise<Result<readonly IndexEntry[], Refused>> => {
  const bytes = await fs.readFile(join(repository.gitdir, 'index')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (bytes === null) return ok([]);
  const parsed = parseIndex(bytes);
  return parsed.ok
    ? parsed
    : unsupported(repository.root, `has an index that is not read here: ${parsed.error}`);
};
