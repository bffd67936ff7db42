import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSourceTree } from './open-source-tree.ts';
import type { SourceTree } from './port.ts';
import { readSourceIdentity } from './source-identity.ts';
import { bad, git, good, makeStudy, temporaryFolder, writeFiles } from './testing.ts';

let home: ReturnType<typeof temporaryFolder>;
let trees: SourceTree;
let bare: string;

beforeEach(async () => {
  home = temporaryFolder();
  bare = join(home.path, 'objects.git');
  trees = await openSourceTree({ dir: bare });
});
afterEach(() => home.remove());

const pin = (folder: string) =>
  trees.pinStudy({ folder, program: 'program', also: ['holdfast.yaml'] });

const dirt = async (folder: string): Promise<string[]> => {
  const refusal = bad(await pin(folder));
  expect(refusal.code).toBe('dirty-work-tree');
  for (const { path } of refusal.problems) expect(refusal.message).toContain(path);
  return refusal.problems.map(({ path, code }) => `${code} ${path}`);
};

describe('pinning a study', () => {
  it.each(['', 'studies/pay'])(
    'pins the program of a study at %j of its repository',
    async (below) => {
      const { repository, folder, commit } = makeStudy(home.path, below);
      const pinned = good(await pin(folder));
      const path = below === '' ? 'program' : `${below}/program`;
      expect(pinned).toMatchObject({
        commit,
        path,
        tree: git(repository, 'rev-parse', `HEAD:${path}`),
      });
      expect(git(bare, 'rev-parse', `${pinned.pinCommit}^{tree}`)).toBe(pinned.tree);
      expect(git(bare, 'ls-tree', '-r', pinned.tree)).toBe(
        git(repository, 'ls-tree', '-r', pinned.tree),
      );
      const trailers = git(bare, 'log', '-1', '--format=%(trailers)', pinned.pinCommit);
      expect(trailers).toContain(`Holdfast-Source-Commit: ${commit}`);
      expect(trailers).toContain(`Holdfast-Source-Path: ${path}`);
      expect(git(bare, 'cat-file', 'commit', pinned.pinCommit)).toContain(
        'Holdfast <holdfast@localhost>',
      );
      git(bare, 'fsck', '--full', '--strict');
    },
  );

  it('names whom the source commit names, before a run keeps it', async () => {
    const { repository, folder, commit } = makeStudy(home.path, 'studies/pay');
    const [author, committer] = git(repository, 'log', '-1', '--format=%an <%ae>%n%cn <%ce>').split(
      '\n',
    );
    expect(await readSourceIdentity(folder)).toEqual({ commit, author, committer });
    expect(await readSourceIdentity(home.path)).toBeNull();
  });

  it('gives the same pin again, from another clone too', async () => {
    const { repository, folder } = makeStudy(home.path);
    const first = good(await pin(folder));
    expect(good(await pin(folder))).toEqual(first);
    git(home.path, 'clone', '-q', repository, 'clone');
    const other = await openSourceTree({ dir: join(home.path, 'other.git') });
    expect(
      good(await other.pinStudy({ folder: join(home.path, 'clone'), program: 'program' })),
    ).toEqual(first);
  });

  it('keeps commit, tree and proof through git gc', async () => {
    const { folder } = makeStudy(home.path);
    const pinned = good(await pin(folder));
    git(bare, 'gc', '-q', '--prune=now');
    git(bare, 'fsck', '--full', '--strict');
    expect(good(await trees.readSourceProof(pinned.proof)).trees).toHaveLength(1);
    expect(good(await trees.readFiles(pinned.tree))).toHaveLength(5);
    expect(good(await pin(folder))).toEqual(pinned);
  });

  it('reads packed repositories, packed refs, a detached HEAD and index versions 2 to 4', async () => {
    const { repository, folder, commit } = makeStudy(home.path);
    const expected = good(await pin(folder));
    git(repository, 'gc', '-q', '--prune=now');
    expect(good(await pin(folder))).toEqual(expected);
    git(repository, 'checkout', '-q', '--detach');
    expect(good(await pin(folder))).toEqual(expected);
    for (const version of ['4', '3', '2']) {
      git(repository, 'update-index', `--index-version=${version}`);
      expect(good(await pin(folder)).commit).toBe(commit);
    }
  });

  it('reads linked work trees, shallow and shared clones', async () => {
    const { repository, folder } = makeStudy(home.path);
    git(repository, 'commit', '-q', '--allow-empty', '-m', 'Second');
    const expected = good(await pin(folder));
    git(repository, 'worktree', 'add', '-q', '../linked', '-b', 'side');
    git(home.path, 'clone', '-q', '--depth=1', `file://${repository}`, 'shallow');
    git(home.path, 'clone', '-q', '--shared', repository, 'shared');
    for (const name of ['linked', 'shallow', 'shared']) {
      expect(good(await pin(join(home.path, name)))).toEqual(expected);
    }
    writeFileSync(join(home.path, 'linked/program/new.txt'), 'x');
    expect(await dirt(join(home.path, 'linked'))).toEqual(['untracked program/new.txt']);
  });

  it('names every dirty path', async () => {
    const { repository, folder } = makeStudy(home.path, 'studies/pay');
    writeFiles(folder, {
      'program/model.mjs': 'changed\n',
      'program/new/untracked.txt': 'x',
      'program/staged.txt': 'x',
      'holdfast.yaml': 'study: other\n',
    });
    rmSync(join(folder, 'program/hyperparameters.json'));
    chmodSync(join(folder, 'program/train.mjs'), 0o755);
    git(repository, 'add', 'studies/pay/program/staged.txt');
    const at = 'studies/pay';
    expect(await dirt(folder)).toEqual([
      `modified ${at}/holdfast.yaml`,
      `deleted ${at}/program/hyperparameters.json`,
      `modified ${at}/program/model.mjs`,
      `untracked ${at}/program/new/untracked.txt`,
      `untracked ${at}/program/staged.txt`,
      `staged ${at}/program/staged.txt`,
      `mode-changed ${at}/program/train.mjs`,
    ]);
    expect(git(bare, 'count-objects')).toContain('0 objects');
  });

  it('sees what is staged though the work tree was put back', async () => {
    const { repository, folder } = makeStudy(home.path);
    writeFileSync(join(folder, 'program/model.mjs'), 'changed\n');
    git(repository, 'add', '-A');
    writeFileSync(join(folder, 'program/model.mjs'), 'export const layers = 1;\n');
    git(repository, 'rm', '-q', '--cached', 'program/train.mjs');
    expect(await dirt(folder)).toEqual(['staged program/model.mjs', 'staged program/train.mjs']);
  });

  it('sees changes that git was told not to look at', async () => {
    const { repository, folder } = makeStudy(home.path);
    git(repository, 'update-index', '--assume-unchanged', 'program/model.mjs');
    writeFileSync(join(folder, 'program/model.mjs'), 'changed\n');
    expect(git(repository, 'status', '--porcelain')).toBe('');
    expect(await dirt(folder)).toEqual(['modified program/model.mjs']);
  });

  it('says so when only line endings differ', async () => {
    const { repository, folder } = makeStudy(home.path);
    git(repository, 'config', 'core.autocrlf', 'true');
    writeFileSync(join(folder, 'program/model.mjs'), 'export const layers = 1;\r\n');
    expect(await dirt(folder)).toEqual(['line-endings program/model.mjs']);
  });

  it('finds a merge that is not resolved', async () => {
    const { repository, folder } = makeStudy(home.path);
    git(repository, 'checkout', '-q', '-b', 'side');
    writeFileSync(join(folder, 'program/model.mjs'), 'side\n');
    git(repository, 'commit', '-qam', 'Side');
    git(repository, 'checkout', '-q', 'main');
    writeFileSync(join(folder, 'program/model.mjs'), 'main\n');
    git(repository, 'commit', '-qam', 'Main');
    expect(() => git(repository, 'merge', 'side')).toThrow();
    expect(await dirt(folder)).toContain('unmerged program/model.mjs');
  });

  it('leaves ignored files and everything outside of the program alone', async () => {
    const { repository, folder } = makeStudy(home.path);
    writeFiles(repository, {
      '.gitignore': '__pycache__/\n*.log\n',
      'program/.gitignore': '/cache/\n',
    });
    git(repository, 'add', '-A');
    git(repository, 'commit', '-qm', 'Ignore');
    writeFiles(repository, {
      'program/__pycache__/a.pyc': 'x',
      'program/features/__pycache__/a.pyc': 'x',
      'program/cache/deep/x': 'x',
      'program/run.log': 'x',
      'other/file.txt': 'changed',
      'other/new.txt': 'x',
    });
    good(await pin(folder));
    writeFiles(repository, { 'program/features/cache/x': 'x' });
    expect(await dirt(folder)).toEqual(['untracked program/features/cache/x']);
  });

  it('refuses a folder that was swapped for a symlink to the same files', async () => {
    const { folder } = makeStudy(home.path);
    renameSync(join(folder, 'program/features'), join(home.path, 'elsewhere'));
    symlinkSync(join(home.path, 'elsewhere'), join(folder, 'program/features'));
    expect(await dirt(folder)).toContain('untracked program/features');
    rmSync(join(folder, 'program/features'));
    renameSync(join(home.path, 'elsewhere'), join(folder, 'program/features'));
    good(await pin(folder));
    renameSync(join(folder, 'program'), join(home.path, 'elsewhere'));
    symlinkSync(join(home.path, 'elsewhere'), join(folder, 'program'));
    expect(await dirt(folder)).toEqual(['modified program']);
  });

  it('refuses another repository that begins within the program', async () => {
    const { folder } = makeStudy(home.path);
    git(join(folder, 'program/features'), 'init', '-q');
    expect(await dirt(folder)).toContain('nested-repository program/features/.git');
  });

  it('refuses symlinks, submodules and bad names within the program', async () => {
    const { repository, folder } = makeStudy(home.path);
    symlinkSync('/etc/passwd', join(folder, 'program/link'));
    writeFiles(folder, {
      'program/.gitattributes': '* text\n',
      'program/Train.mjs': 'x\n',
      'program/a\\b': 'x',
    });
    git(repository, 'add', '-A');
    git(repository, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},program/sub`);
    mkdirSync(join(folder, 'program/sub'));
    git(repository, 'commit', '-qm', 'Odd entries');
    const refusal = bad(await pin(folder));
    expect(refusal.code).toBe('bad-entry');
    expect(refusal.problems.map(({ path, code }) => `${code} ${path}`).sort()).toEqual([
      'bad-entry program/link',
      'bad-entry program/sub',
      'bad-path program/.gitattributes',
      'bad-path program/a\\b',
      'collision program/Train.mjs',
    ]);
  });

  it('refuses what it cannot pin, by code', async () => {
    const code = async (folder: string, program = 'program', also: string[] = []) =>
      bad(await trees.pinStudy({ folder, program, also })).code;
    const plain = join(home.path, 'plain');
    mkdirSync(plain);
    expect(await code(plain)).toBe('not-a-repository');
    writeFileSync(join(plain, '.git'), 'gitdir: /nowhere\n');
    expect(await code(plain)).toBe('not-a-repository');
    const empty = join(home.path, 'empty');
    mkdirSync(empty);
    git(empty, 'init', '-q');
    expect(await code(empty)).toBe('no-commit');
    const sha256 = join(home.path, 'sha256');
    mkdirSync(sha256);
    git(sha256, 'init', '-q', '--object-format=sha256');
    expect(await code(sha256)).toBe('unsupported-repository');

    const { repository, folder } = makeStudy(home.path);
    expect(await code(folder, 'missing')).toBe('program-missing');
    expect(await code(folder, 'README.md')).toBe('program-missing');
    expect(await code(folder, '../study/program')).toBe('bad-path');
    expect(await code('study')).toBe('bad-path');
    expect(await code(join(home.path, 'nowhere'))).toBe('bad-path');
    expect(await code(folder, 'program', ['gone.yaml'])).toBe('dirty-work-tree');
    git(repository, 'update-index', '--split-index');
    expect(await code(folder)).toBe('unsupported-repository');
  });

  it('says which object is missing in a damaged repository', async () => {
    const { repository, folder } = makeStudy(home.path);
    const oid = git(repository, 'rev-parse', 'HEAD:program/model.mjs');
    rmSync(join(repository, '.git/objects', oid.slice(0, 2), oid.slice(2)));
    const refusal = bad(await pin(folder));
    expect(refusal.code).toBe('unreadable-repository');
    expect(refusal.message).toContain(oid);
  });
});
