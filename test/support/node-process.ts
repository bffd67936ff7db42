import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** How a process ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface NodeProcess {
  readonly stdout: Readable;
  readonly ended: Promise<Ending>;
  /** Kills it at once, without a word. */
  readonly kill: () => void;
}

/** A program in a process of its own, which knows nothing of this one's environment. */
export const startNode = (...args: readonly string[]): NodeProcess => {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  // What nobody reads must not make it wait.
  child.stdout.resume();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return {
    stdout: child.stdout,
    ended: once(child, 'close').then(([exitCode, signal]) => ({
      exitCode: exitCode as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr,
    })),
    kill: () => void child.kill('SIGKILL'),
  };
};
