import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const binary = ((): string | null => {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of ['/usr/bin', ...folders]) {
    const path = join(folder, 'redis-server');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Look in the next folder.
    }
  }
  return null;
})();

const MISSING = 'found no redis-server: install it with "apt-get install redis-server"';

/** Whether the tests that need Redis can run. In CI a missing one is a failure, elsewhere they are skipped aloud. */
export const hasRedis = ((): boolean => {
  if (binary !== null) return true;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  process.stderr.write(`Tests on Redis are skipped: ${MISSING}\n`);
  return false;
})();

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      // Anything but "still loading": a server with a password answers too.
      resolve(!data.toString().startsWith('-LOADING'));
      socket.destroy();
    });
    socket.once('error', () => {
      resolve(false);
    });
  });

/** A real Redis of one's own on the loopback, in a folder of its own. */
export interface TestRedis {
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly username?: string;
    readonly password?: string;
  };
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on the same port and folder. */
  readonly start: () => Promise<void>;
  /** SIGSTOP: it is there and doesn't answer. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Kills it and removes its folder. */
  readonly remove: () => Promise<void>;
}

export const startRedis = async ({
  appendOnly = false,
  password = null,
}: {
  /** Every write is on disk before it is acknowledged; else a killed one has lost everything. */
  readonly appendOnly?: boolean;
  readonly password?: string | null;
} = {}): Promise<TestRedis> => {
  if (binary === null) throw new Error(MISSING);
  const command = binary;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-redis-'));
  const port = await freePort();
  let server: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    server = spawn(
      command,
      [
        ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''],
        ...['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'always'],
        ...(password === null ? [] : ['--requirepass', password]),
      ],
      { stdio: 'ignore' },
    );
    for (let waited = 0; waited < 10_000; waited += 25) {
      if (await answers(port)) return;
      if (server.exitCode !== null)
        throw new Error(`redis-server ended with ${server.exitCode} in ${folder}`);
      await sleep(25);
    }
    throw new Error(`redis-server did not answer on port ${port}`);
  };
  const kill = async (): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    connection: { host: '127.0.0.1', port, ...(password !== null && { password }) },
    kill,
    start,
    pause: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
