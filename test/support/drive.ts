import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const DRIVER = join(import.meta.dirname, 'driver.ts');

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Follows the short run of a study in a process of its own; see driver.ts. */
export const drive = (
  home: string,
  study: string,
  kill: { readonly when: 'before' | 'after'; readonly append: number } | null = null,
  clock: 'frozen' | 'own' = 'frozen',
): { readonly ended: Promise<Ending>; readonly kill: () => void } => {
  const stop = kill === null ? [] : [kill.when, String(kill.append)];
  const child = spawn(process.execPath, [DRIVER, home, study, clock, ...stop], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return {
    ended: once(child, 'close').then(([exitCode, signal]) => ({
      exitCode: exitCode as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr,
    })),
    kill: () => child.kill('SIGKILL'),
  };
};
