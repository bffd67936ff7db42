import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProbeTargets } from './probe.ts';

/** Things of the host that a program must not reach; made for the trials, and taken away after them. */
export interface Bait {
  readonly targets: Pick<
    ProbeTargets,
    'port' | 'udpPort' | 'abstract' | 'victim' | 'victimLine' | 'shared'
  >;
  /** A file that anybody could read, and one that anybody could write, if they came to it. */
  readonly secret: string;
  readonly writable: string;
  /** A folder that is shown to the program. */
  readonly shown: string;
  /** An empty folder, for the control. */
  readonly scratch: string;
  readonly reached: () => { readonly connections: number; readonly datagrams: number };
  readonly victimLives: () => boolean;
  readonly remove: () => Promise<void>;
}

/** Waits for what never comes. */
const VICTIM = ['/bin/sh', '-c', 'read -r line'] as const;

const listening = async (
  server: Server,
  target: { port: number; host: string } | { path: string },
) => {
  server.listen(target);
  await once(server, 'listening');
  return server;
};

export const layBait = async (): Promise<Bait> => {
  const name = `holdfast-doctor-${randomUUID()}`;
  const counted = { connections: 0, datagrams: 0 };
  const undo: (() => unknown)[] = [];
  const remove = async () => {
    for (const each of undo.splice(0).reverse()) await each();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    // The folder can be passed and its files read by all: what keeps the program out must not be their modes.
    await chmod(folder, 0o755);
    const [secret, shown, scratch] = ['secret', 'shown', 'scratch'].map((each) =>
      join(folder, each),
    ) as [string, string, string];
    const writable = join(shown, 'writable');
    await writeFile(secret, 'of the harness');
    for (const made of [shown, scratch]) {
      await mkdir(made);
      await chmod(made, 0o777);
    }
    await writeFile(writable, '');
    await chmod(writable, 0o666);

    const count = () =>
      createServer((socket) => {
        counted.connections += 1;
        socket.on('error', () => undefined).destroy();
      });
    const inet = await listening(count(), { port: 0, host: '127.0.0.1' });
    undo.push(() => inet.close());
    const abstract = await listening(count(), { path: `\0${name}` });
    undo.push(() => abstract.close());
    const udp = createSocket('udp4', () => (counted.datagrams += 1));
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    undo.push(() => udp.close());

    const shared = join('/dev/shm', name);
    await writeFile(shared, 'of the harness');
    undo.push(() => rm(shared, { force: true }));

    const victim: ChildProcess = spawn(VICTIM[0], [...VICTIM.slice(1), name], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { NODE_V8_COVERAGE: undefined },
    });
    undo.push(() => victim.kill('SIGKILL'));
    await once(victim, 'spawn');

    const address = inet.address();
    return {
      targets: {
        port: typeof address === 'object' && address !== null ? address.port : 0,
        udpPort: udp.address().port,
        abstract: name,
        victim: victim.pid ?? 0,
        victimLine: `${VICTIM.join('\0')}\0${name}\0`,
        shared: name,
      },
      ...{ secret, writable, shown, scratch, remove },
      reached: () => ({ ...counted }),
      victimLives: () => victim.exitCode === null && victim.signalCode === null,
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
