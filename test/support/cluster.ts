import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HOLDFAST = join(import.meta.dirname, '../../dist/apps/cli/src/main.js');

/** A part of a service in a process of its own, started again whenever it ends, as a platform does. */
export interface Member {
  readonly name: string;
  /** Times that it was started. */
  readonly starts: () => number;
  /** SIGKILL. It is started again. */
  readonly kill: () => void;
  /** SIGSTOP and SIGCONT: the process stands still, with everything that it holds. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** SIGTERM, and not started again; its exit code. */
  readonly stop: () => Promise<number | null>;
  /** The last that it printed. */
  readonly said: () => string;
}

export interface MemberOptions {
  readonly name: string;
  readonly only: readonly string[];
  readonly home: string;
  readonly port?: number;
  readonly env: Readonly<Record<string, string>>;
}

const RESTART_MS = 250;
const SAID = 20_000;

export const startMember = ({ name, only, home, port = 0, env }: MemberOptions): Member => {
  let child: ChildProcess | null = null;
  let starts = 0;
  let stopping = false;
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-SAID);
  };

  const start = (): void => {
    if (stopping) return;
    starts += 1;
    child = spawn(
      process.execPath,
      [HOLDFAST, 'serve', '--only', ...only, '--home', home, '--port', String(port)],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...env } },
    );
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => setTimeout(start, RESTART_MS));
  };
  start();
  process.once('exit', () => child?.kill('SIGKILL'));

  return {
    name,
    starts: () => starts,
    kill: () => child?.kill('SIGKILL'),
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    stop: async () => {
      stopping = true;
      if (child === null || child.exitCode !== null || child.signalCode !== null) return null;
      const ended = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
    said: () => said,
  };
};

/** Asks again until it comes to that; throws with `why` when it does not. */
export const until = async <T>(
  look: () => Promise<T | null | undefined | false>,
  patienceMs: number,
  why: () => string,
): Promise<T> => {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(why());
    await sleep(100);
  }
};
