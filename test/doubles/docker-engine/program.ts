import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/*
 * How the doubles run a program: for real, as a child of this process. bubblewrap lays the paths out (/program, /out,
 * /tmp) and takes the descendants along at the end. It is no wall here: network, user and system calls are those of
 * the test. Memory is looked at every few milliseconds where a real engine has a control group.
 */

export interface DoubleProgram {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly {
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
  }[];
  readonly tmpfs: readonly { readonly to: string; readonly bytes: number }[];
  readonly memoryBytes: number;
  readonly openFiles?: number;
  readonly fileBytes?: number;
}

export interface RunningProgram {
  readonly ended: Promise<{ readonly status: number; readonly outOfMemory: boolean }>;
  kill(): void;
}

/** The double's only image: what its command is called, and what it is on this machine. */
export const DOUBLE_IMAGE = {
  reference: `registry.example/holdfast/node@sha256:${'5e'.repeat(32)}`,
  command: ['/image/node'],
} as const;

const POLL_MS = 10;

export const startProgram = (
  program: DoubleProgram,
  onStdout: (chunk: Buffer) => void,
  onStderr: (chunk: Buffer) => void,
): RunningProgram => {
  const merged = ['/bin', '/sbin', '/lib', '/lib64'].flatMap((path) => {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry === undefined) return [];
    return entry.isSymbolicLink()
      ? ['--symlink', readlinkSync(path), path]
      : ['--ro-bind', path, path];
  });
  const child = spawn(
    '/usr/bin/bwrap',
    [
      ...[
        '--unshare-pid',
        '--as-pid-1',
        '--die-with-parent',
        '--ro-bind',
        '/usr',
        '/usr',
        ...merged,
      ],
      ...['--proc', '/proc', '--dev', '/dev'],
      ...program.tmpfs.flatMap(({ to, bytes }) => ['--size', String(bytes), '--tmpfs', to]),
      ...['--ro-bind', process.execPath, '/image/node'],
      ...program.mounts.flatMap(({ from, to, readOnly }) => [
        readOnly ? '--ro-bind' : '--bind',
        from,
        to,
      ]),
      ...['--remount-ro', '/', '--chdir', '/tmp', '--clearenv'],
      ...Object.entries(program.environment).flatMap(([name, value]) => ['--setenv', name, value]),
      '--',
      // The first process, as an engine's init: the kernel lets it end only after every other one.
      ...['/bin/sh', '-c', '"$@"; exit $?', 'init'],
      '/usr/bin/prlimit',
      '--core=0',
      ...(program.openFiles === undefined ? [] : [`--nofile=${program.openFiles}`]),
      ...(program.fileBytes === undefined ? [] : [`--fsize=${program.fileBytes}`]),
      ...program.command,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: {}, cwd: '/' },
  );
  child.stdout.on('data', onStdout);
  child.stderr.on('data', onStderr);
  let outOfMemory = false;
  const kill = () => void child.kill('SIGKILL');
  const watch = setInterval(() => {
    if (child.pid === undefined || memoryOf(child.pid) <= program.memoryBytes) return;
    outOfMemory = true;
    kill();
  }, POLL_MS);
  const ended = new Promise<{ status: number; outOfMemory: boolean }>((resolve) => {
    child.once('close', (status) => {
      clearInterval(watch);
      resolve({ status: outOfMemory ? 137 : (status ?? 137), outOfMemory });
    });
  });
  return { ended, kill };
};

/** Bytes that a process and its descendants made themselves. */
const memoryOf = (root: number): number => {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const number = (field: string) =>
          Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
        return [{ pid: Number(name), parent: number('PPid'), bytes: number('RssAnon') * 1024 }];
      } catch {
        return [];
      }
    });
  const sum = (pid: number): number =>
    processes
      .filter(({ parent }) => parent === pid)
      .reduce((total, { pid: child, bytes }) => total + bytes + sum(child), 0);
  return sum(root);
};
