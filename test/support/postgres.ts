import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

/** A PostgreSQL server of the test's own: on a free port of 127.0.0.1, in a temporary folder, with a password. */
export interface Postgres {
  readonly port: number;
  /** A new, empty database; returns its connection string. */
  readonly database: () => Promise<string>;
  /** Ends it at once, as a power cut would, but for what the system has written. */
  readonly kill: () => Promise<void>;
  /** Lets it stand still, connections open, until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Starts it again where it was, on its port. */
  readonly start: () => Promise<void>;
  /** Stops it and removes its folder. */
  readonly remove: () => Promise<void>;
}

const INSTALL = 'as root: apt-get install postgresql-15';

/** Where Debian puts each version's programs. */
const DEBIAN = '/usr/lib/postgresql';

const programs = (): string | null => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number) : [];
  const folders = versions
    .filter((version) => version >= 15)
    .toSorted((a, b) => b - a)
    .map((version) => join(DEBIAN, String(version), 'bin'));
  const onPath = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return (
    [...folders, ...onPath].find((folder) =>
      ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
    ) ?? null
  );
};

/** Why no server can be started here; null when one can. */
export const postgresMissing = (): string | null =>
  programs() === null ? `PostgreSQL is not installed; ${INSTALL}` : null;

/** Who the server runs as: it refuses to be root. */
const owner = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const found = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const group = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (found.status === 0 && group.status === 0)
      return { uid: Number(found.stdout), gid: Number(group.stdout) };
  }
  throw new Error('found no user "postgres" or "nobody" to run PostgreSQL as, and root it refuses');
};

/** Nothing that costs time for the sake of a power cut; a commit does outlive a kill. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '60',
  shared_buffers: '64MB',
  autovacuum_naptime: '10s',
} as const;

export const startPostgres = async (): Promise<Postgres> => {
  const bin = programs();
  if (bin === null) throw new Error(`PostgreSQL is not installed; ${INSTALL}`);
  const user = owner();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
  const own = (path: string): void => {
    if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
  };
  own(folder);
  const data = join(folder, 'data');
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  own(passwordFile);
  // Another order of text than SQLite's, so that nothing leans on it unseen.
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'holdfast', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
      .concat(['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'])
      .concat(['--locale-provider=icu', '--icu-locale=en-US']),
    { ...user, encoding: 'utf8', cwd: folder, env: {} },
  );
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`initdb failed: ${made.stderr}`);
  }
  const port = await freePort();
  const connectionString = (database: string): string =>
    `postgres://holdfast:${password}@127.0.0.1:${port}/${database}`;

  let server: ChildProcess | null = null;
  let said = '';
  const watchers: ChildProcess[] = [];
  const killAtExit = (): void => {
    server?.kill('SIGKILL');
  };
  process.on('exit', killAtExit);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = server;
    server = null;
    for (const watcher of watchers.splice(0)) watcher.kill('SIGKILL');
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    // A server that stands still hears of nothing.
    ending.kill('SIGCONT');
    ending.kill(signal);
    await exited;
  };

  const startOnce = async (): Promise<void> => {
    const settings = { ...SETTINGS, port, listen_addresses: '127.0.0.1' };
    const started = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-k', folder].concat(
        Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ),
      { ...user, cwd: folder, env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    server = started;
    watchers.push(endsWithThisProcess(started, folder));
    started.stderr.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-4_000);
    });
    for (const until = Date.now() + 30_000; ;) {
      const client = new Client({ connectionString: connectionString('postgres') });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.end();
        return;
      } catch (cause) {
        if (started.exitCode !== null || Date.now() > until) {
          await end('SIGQUIT');
          throw new Error(`PostgreSQL did not start: ${said}`, { cause });
        }
        await sleep(50);
      }
    }
  };

  /** After a kill the last of its processes may still be about to end, and a new server refuses to start until then. */
  const start = async (): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await startOnce();
      } catch (error) {
        if (attempt === 10) throw error;
        await sleep(200);
      }
    }
  };

  const remove = async (): Promise<void> => {
    await end('SIGINT');
    process.off('exit', killAtExit);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  let databases = 0;
  return {
    port,
    database: async () => {
      databases += 1;
      const name = `holdfast_${databases}`;
      const client = new Client({ connectionString: connectionString('postgres') });
      await client.connect();
      try {
        await client.query(`create database ${name}`);
      } finally {
        await client.end();
      }
      return connectionString(name);
    },
    // Its processes see that the first of them is gone, and end. The next start waits for that.
    kill: () => end('SIGKILL'),
    pause: () => pauseAll(server, 'SIGSTOP'),
    resume: () => pauseAll(server, 'SIGCONT'),
    start,
    remove,
  };
};

/** Ends the server, and removes its folder, when this process is killed: then the watcher's input ends. */
const endsWithThisProcess = (server: ChildProcess, folder: string): ChildProcess => {
  const watcher = spawn(
    'sh',
    ['-c', 'cat; kill -CONT "$1"; kill -QUIT "$1"; sleep 1; rm -rf "$2"'].concat([
      'watcher',
      String(server.pid),
      folder,
    ]),
    // Out of reach of a Ctrl-C, which both would get.
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  watcher.unref();
  return watcher;
};

/** The server's first process and its children, each of which serves a connection. */
const pauseAll = (server: ChildProcess | null, signal: 'SIGSTOP' | 'SIGCONT'): void => {
  if (server?.pid === undefined) throw new Error('PostgreSQL is not running');
  const found = spawnSync('ps', ['-o', 'pid=', '--ppid', String(server.pid)], { encoding: 'utf8' });
  for (const pid of [server.pid, ...found.stdout.split('\n').map(Number).filter(Boolean)]) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
};
