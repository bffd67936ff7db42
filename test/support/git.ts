import { execFileSync } from 'node:child_process';

const WHEN = '2026-11-23T06:00:00Z';

/** Runs the real git in `folder`, by a fixed author at a fixed time; throws with its output when it fails. */
export const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync('git', [...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'init.defaultBranch',
      GIT_CONFIG_VALUE_0: 'main',
      GIT_AUTHOR_NAME: 'Tester',
      GIT_AUTHOR_EMAIL: 'tester@localhost',
      GIT_AUTHOR_DATE: WHEN,
      GIT_COMMITTER_NAME: 'Tester',
      GIT_COMMITTER_EMAIL: 'tester@localhost',
      GIT_COMMITTER_DATE: WHEN,
    },
  }).trim();
