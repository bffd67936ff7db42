import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectSandbox } from './detect.ts';
import { openSandbox } from './sandbox.ts';
import type { Sandbox, SandboxOutcome } from './types.ts';

/** One row of what this machine's sandbox does. */
export interface SandboxCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly expected: string;
}

/** Tries to get out, and prints what happened to each attempt as JSON. */
const ATTEMPTS = `
const { readFileSync, writeFileSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const [, port, secret] = process.argv;
const attempt = (what) => { try { return what(); } catch (error) { return error.code; } };
const status = readFileSync('/proc/self/status', 'utf8');
const field = (name) => status.match(new RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm'))[1];
const found = {
  secret: attempt(() => { readFileSync(secret); return 'read'; }),
  passwords: attempt(() => { readFileSync('/etc/passwd'); return 'read'; }),
  write: attempt(() => { writeFileSync('/usr/holdfast', ''); return 'written'; }),
  hostEnvironment: attempt(() => readFileSync('/proc/1/environ').length),
  environment: Object.keys(process.env).sort().join(','),
  user: field('Uid'), capabilities: field('CapEff'), noNewPrivileges: field('NoNewPrivs'), filter: field('Seccomp'),
  namespaces: spawnSync('/usr/bin/unshare', ['--user', 'true']).status === 0 ? 'made' : 'refused',
};
const done = (network) => { console.log(JSON.stringify({ ...found, network })); process.exit(0); };
require('node:net').connect(Number(port), '127.0.0.1', () => done('connected')).on('error', (error) => done(error.code));
`;

const LIMITS = { seconds: 10, memoryMb: 256, processes: 32, openFiles: 256, logBytes: 10_000 };

const attempts = (sandbox: Sandbox, port: number, secret: string): Promise<SandboxOutcome> =>
  sandbox.run({
    command: ['/runtime/node', '-e', ATTEMPTS, String(port), secret],
    readOnly: [{ from: process.execPath, to: '/runtime/node' }],
    outputFiles: { maxFiles: 1, maxBytes: 1 },
    limits: LIMITS,
  });

const reaches = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** Attempts with the barrier, beside the same from here, without it: a trial that can't succeed proves nothing. */
const escapes = async (sandbox: Sandbox): Promise<SandboxCheck[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-check-'));
  const secret = join(folder, 'secret');
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).destroy();
  });
  try {
    await writeFile(secret, 'of the harness');
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const outcome = await attempts(sandbox, port, secret);
    const connectedInside = connections;
    const control = (await reaches(port)) && (await readFile(secret, 'utf8')) !== '';
    if (outcome.exitCode !== 0 || !control) {
      const found = control
        ? `${outcome.ended} ${outcome.exitCode ?? outcome.signal ?? ''} ${outcome.stderr.trim()}`
        : 'the attempts do not even succeed without a sandbox';
      return [{ name: 'escape attempts', ok: false, found, expected: 'attempts that run' }];
    }
    const found = JSON.parse(outcome.stdout) as Record<string, string | number>;
    const row = (name: string, ok: boolean, seen: string, expected: string) => ({
      name,
      ok,
      found: seen,
      expected,
    });
    return [
      row(
        'network',
        found.network !== 'connected' && connectedInside === 0,
        `connecting to a server of this machine: ${found.network}`,
        'no connection',
      ),
      row(
        'secrets',
        found.secret !== 'read' && found.passwords !== 'read',
        `a file of the harness: ${found.secret}, /etc/passwd: ${found.passwords}`,
        'neither can be read',
      ),
      row('writing', found.write !== 'written', `outside /out: ${found.write}`, 'refused'),
      row(
        'environment',
        found.hostEnvironment === 0 && found.environment === 'HOME,LANG,PATH,TZ',
        `${found.environment}; ${found.hostEnvironment} bytes from outside`,
        'HOME,LANG,PATH,TZ; 0 bytes from outside',
      ),
      row(
        'privilege',
        found.user !== '0' &&
          /^0+$/.test(String(found.capabilities)) &&
          found.noNewPrivileges === '1' &&
          found.filter === '2' &&
          found.namespaces === 'refused',
        `user ${found.user}, capabilities ${found.capabilities}, no new privileges ${found.noNewPrivileges}, ` +
          `system call filter ${found.filter}, new namespaces ${found.namespaces}`,
        'not user 0, no capabilities, 1, 2, refused',
      ),
    ];
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
};

const timeLimit = async (sandbox: Sandbox): Promise<SandboxCheck> => {
  const outcome = await sandbox.run({
    command: ['/bin/sh', '-c', 'setsid sleep 60 & sleep 60'],
    readOnly: [],
    outputFiles: { maxFiles: 1, maxBytes: 1 },
    limits: { ...LIMITS, seconds: 0.2 },
  });
  return {
    name: 'time limit',
    ok: outcome.ended === 'timed-out' && outcome.durationMs < 700,
    found: `${outcome.ended}, every descendant dead after ${outcome.durationMs} ms`,
    expected: 'timed-out after 200 ms, dead within 500 ms more',
  };
};

/**
 * What this machine's sandbox does, for people (`holdfast doctor`): finds it, runs a program in it that tries to
 * reach the network, secrets and privileges, and one that never ends. Takes about 0.4 s. Nothing is left behind.
 */
export const sandboxChecks = async (): Promise<SandboxCheck[]> => {
  const detected = await detectSandbox();
  if (!detected.ok) {
    const expected = 'bubblewrap 0.8.0 or newer that can make user namespaces';
    return [{ name: 'sandbox', ok: false, found: detected.error.message, expected }];
  }
  const { version, bwrap, user, changesUser } = detected.value;
  const opened = await openSandbox(detected.value);
  if (!opened.ok) throw new Error(opened.error.message);
  return [
    {
      name: 'sandbox',
      ok: true,
      found: `bubblewrap ${version} (${bwrap}), programs run as user ${user}${changesUser ? '' : ', your own'}`,
      expected: 'bubblewrap 0.8.0 or newer that can make user namespaces',
    },
    ...(await escapes(opened.value)),
    await timeLimit(opened.value),
  ];
};
