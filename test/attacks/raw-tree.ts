import { execFileSync } from 'node:child_process';
import { git } from '../support/git.ts';
import type { TreeAttack } from './attack.ts';

/** Writes an object with the real git, which would refuse some of them of its own accord. */
const hashObject = (repository: string, type: 'blob' | 'tree', content: Uint8Array): string =>
  execFileSync('git', ['hash-object', '-w', '-t', type, '--literally', '--stdin'], {
    cwd: repository,
    input: content,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_DIR: repository },
  }).trim();

/** A tree of lines as `git ls-tree` writes them, in the order given, whatever git thinks of them. */
const rawTree = (repository: string, lines: readonly string[]): string =>
  hashObject(
    repository,
    'tree',
    Buffer.concat(
      lines.flatMap((line) => {
        const [, mode = '', , oid = '', name = ''] =
          /^(\d+) (\w+) ([0-9a-f]{40})\t(.*)$/s.exec(line) ?? [];
        return [Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`), Buffer.from(oid, 'hex')];
      }),
    ),
  );

/** The tree that an attack makes of the honest one. */
export const attackTree = (
  repository: string,
  baseTree: string,
  { entries }: Pick<TreeAttack, 'entries'>,
): string => {
  const make = (lines: readonly string[]): string => rawTree(repository, lines);
  const blob = (content: string): string => hashObject(repository, 'blob', Buffer.from(content));
  return make(entries(git(repository, 'ls-tree', baseTree).split('\n'), blob, make));
};
