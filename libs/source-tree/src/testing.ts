import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs the real git, to compare with; throws with its output when it fails. */
export const git = (dir: string, ...args: readonly string[]): string =>
  execFileSync(
    'git',
    [
      '-c',
      'user.name=Tester',
      '-c',
      'user.email=tester@localhost',
      '-c',
      'init.defaultBranch=main',
      ...args,
    ],
    {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: dir, GIT_CONFIG_NOSYSTEM: '1' },
      maxBuffer: 1 << 26,
    },
  ).trim();

/** A folder of its own below the system's temporary one, and how to remove it. */
export const temporaryFolder = (): { path: string; remove: () => void } => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-source-tree-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

export const writeFiles = (
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
};

export const PROGRAM = {
  'program/train.mjs': 'import "./model.mjs";\n',
  'program/model.mjs': 'export const layers = 1;\n',
  'program/hyperparameters.json': '{"rate":0.1}\n',
  'program/features/list.json': '["age"]\n',
  'program/features/deep/note.txt': 'ü\n',
  'holdfast.yaml': 'study: pay\n',
};

/** A committed study in a repository of its own, or in a sub-folder of a bigger one. */
export const makeStudy = (
  home: string,
  below = '',
): { repository: string; folder: string; commit: string } => {
  const repository = join(home, 'study');
  const folder = join(repository, below);
  mkdirSync(folder, { recursive: true });
  git(repository, 'init', '-q');
  writeFiles(repository, { 'README.md': 'hello\n', 'other/file.txt': 'x\n', 'zoo/ü.txt': 'y\n' });
  writeFiles(folder, PROGRAM);
  git(repository, 'add', '-A');
  git(repository, 'commit', '-q', '-m', 'Start the study');
  return { repository, folder, commit: git(repository, 'rev-parse', 'HEAD') };
};

/** The value of a result that must be good; throws with the refusal otherwise. */
export const good = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
};

/** The refusal of a result that must be refused. */
export const bad = <E>(result: { ok: true; value: unknown } | { ok: false; error: E }): E => {
  if (result.ok) throw new Error(`not refused: ${JSON.stringify(result.value)}`);
  return result.error;
};
