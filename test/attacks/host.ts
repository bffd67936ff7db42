import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { CANARY } from './attack-study.ts';
import type { Targets } from './attack.ts';

/** What a host may give away, made for the tests: files, memory, an environment, a neighbour, listeners. */
export interface Host {
  readonly at: Pick<
    Targets,
    'hostFile' | 'sharedMemory' | 'temporary' | 'port' | 'socket' | 'marker'
  >;
  readonly connections: () => number;
  /** Digest of the files that no program may change. */
  readonly state: () => string;
  readonly close: () => Promise<void>;
}

/** Sets a host up below `root`; `precious` are further places that nothing may change. */
export const layHost = async (root: string, precious: readonly string[]): Promise<Host> => {
  process.env['HOLDFAST_TEST_SECRET'] = `${CANARY}-environment`;
  const hostFolder = join(root, 'host');
  await mkdir(hostFolder);
  const hostFile = join(hostFolder, 'evaluator.js');
  await writeFile(hostFile, `export const score = 'honest'; // ${CANARY}-host-file\n`);
  const nonce = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const sharedMemory = `/dev/shm/holdfast-${nonce}`;
  await writeFile(sharedMemory, `${CANARY}-shared-memory\n`);
  const temporary = join(root, 'harness-scratch.txt');
  await writeFile(temporary, `${CANARY}-temporary\n`);
  // A neighbour whose command line tells something.
  const neighbour = spawn(
    process.execPath,
    // It ends with this process at the latest.
    ['-e', 'process.stdin.on("end", () => process.exit()).resume()', `${CANARY}-command-line`],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );

  let connections = 0;
  const sockets = new Set<Socket>();
  const listen = async (where: number | string): Promise<Server> => {
    const server = createServer((socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('error', () => undefined).end(`${CANARY}-network\n`);
    });
    await new Promise<void>((done) =>
      typeof where === 'number'
        ? server.listen(where, '127.0.0.1', done)
        : server.listen(where, done),
    );
    return server;
  };
  const socket = `holdfast-${nonce}`;
  const servers = [await listen(0), await listen(`\0${socket}`)];
  const { port } = servers[0]?.address() as AddressInfo;

  return {
    at: { hostFile, sharedMemory, temporary, port, socket, marker: `holdfast-${nonce}` },
    connections: () => connections,
    state: () => digestOf([hostFolder, temporary, sharedMemory, ...precious]),
    close: async () => {
      neighbour.kill('SIGKILL');
      sockets.forEach((one) => one.destroy());
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
      await rm(sharedMemory, { force: true });
      delete process.env['HOLDFAST_TEST_SECRET'];
    },
  };
};

const digestOf = (places: readonly string[]): string => {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!existsSync(path)) hash.update(`${path} is gone\n`);
    else
      try {
        hash.update(`${path}\n`).update(readFileSync(path));
      } catch {
        for (const name of readdirSync(path).toSorted()) add(join(path, name));
      }
  };
  places.forEach(add);
  return hash.digest('hex');
};
