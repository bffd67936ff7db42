import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive } from '../../../test/support/processes.ts';
import { detectSandbox } from './detect.ts';
import { sandboxOn } from './sandbox.ts';
import type { Sandbox, SandboxFacts, SandboxJob, SandboxOutcome } from './types.ts';

/*
 * Attacks, run for real. Where it is cheap, the same program runs bare first and does succeed: a barrier that
 * nobody pushed against proves nothing.
 */

const LIMITS = { seconds: 10, memoryMb: 256, processes: 48, openFiles: 256, logBytes: 50_000 };
const OUTPUT = { maxFiles: 10, maxBytes: 100_000 };
const REPOSITORY = resolve(import.meta.dirname, '../../..');
const AS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65534;

let facts: SandboxFacts;
let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  const detected = await detectSandbox();
  if (!detected.ok) throw new Error(detected.error.message);
  facts = detected.value;
  sandbox = await sandboxOn(facts);
  // 0700: for root, what lies here has to be staged before programs can see it.
  folder = await mkdtemp(join(tmpdir(), 'holdfast-sandbox-spec-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

type Overrides = Partial<Omit<SandboxJob, 'limits' | 'outputFiles'>> & {
  limits?: Partial<SandboxJob['limits']>;
  outputFiles?: Partial<SandboxJob['outputFiles']>;
};

const jobOf = (command: readonly string[], overrides: Overrides = {}): SandboxJob => ({
  command,
  readOnly: [{ from: process.execPath, to: '/runtime/node' }],
  ...overrides,
  limits: { ...LIMITS, ...overrides.limits },
  outputFiles: { ...OUTPUT, ...overrides.outputFiles },
});

/** Runs a Node program in the sandbox. */
const contained = (script: string, overrides?: Overrides, ...args: string[]) =>
  sandbox.run(jobOf(['/runtime/node', '-e', script, '--', ...args], overrides));

const shell = (script: string, overrides?: Overrides) =>
  sandbox.run(jobOf(['/bin/sh', '-c', script], overrides));

/** The same Node program without the barrier. */
const bare = (script: string, ...args: string[]): Promise<string> =>
  new Promise((done) => {
    const child = spawn(process.execPath, ['-e', script, '--', ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => done(text.trim()));
  });

const printed = (outcome: SandboxOutcome): string => {
  expect(outcome).toMatchObject({ ended: 'exited', exitCode: 0 });
  return outcome.stdout.trim();
};

const eventually = async (condition: () => boolean, ms: number): Promise<boolean> => {
  for (let waited = 0; waited < ms; waited += 10) {
    if (condition()) return true;
    await wait(10);
  }
  return condition();
};

const newMarker = () => `31${Math.floor(Math.random() * 1e9)}`;

describe('a well-behaved program', () => {
  it('runs, hands over its files, and says what isolation ran', async () => {
    const program = join(folder, 'program');
    await mkdir(program);
    await writeFile(
      join(program, 'train.mjs'),
      `import { readFileSync, writeFileSync } from 'node:fs';
       writeFileSync('/out/predictions.csv', readFileSync('/data/table.csv', 'utf8').toUpperCase());
       console.log('trained'); console.error('careful');`,
    );
    await writeFile(join(folder, 'table.csv'), 'a,b\n', { mode: 0o600 });
    const outcome = await sandbox.run(
      jobOf(['/runtime/node', '/program/train.mjs'], {
        readOnly: [
          { from: process.execPath, to: '/runtime/node' },
          { from: program, to: '/program' },
          { from: join(folder, 'table.csv'), to: '/data/table.csv' },
        ],
      }),
    );
    expect(outcome).toMatchObject({
      ended: 'exited',
      exitCode: 0,
      signal: null,
      stdout: 'trained\n',
      stderr: 'careful\n',
      truncated: false,
      refusedFiles: [],
    });
    expect(outcome.files).toEqual([
      { path: 'predictions.csv', content: new Uint8Array(Buffer.from('A,B\n')) },
    ]);
    expect(outcome.isolation).toMatchObject({ kind: 'bubblewrap', network: 'none', seccomp: true });
    expect(outcome.isolation.user).not.toBe(0);
    expect(outcome.isolation.limits).toEqual({ ...LIMITS, outputFiles: 10, outputBytes: 100_000 });
    expect(JSON.parse(JSON.stringify(outcome.isolation))).toEqual(outcome.isolation);
  });

  it('keeps its exit code, and the signal that ended it', async () => {
    expect(await shell('exit 7')).toMatchObject({ ended: 'exited', exitCode: 7, signal: null });
    expect(await shell('kill -SEGV $$')).toMatchObject({
      ended: 'signalled',
      exitCode: null,
      signal: 'SIGSEGV',
    });
    expect(await shell('/nowhere')).toMatchObject({ ended: 'exited', exitCode: 127 });
  });

  it('shows progress in sanitized lines', async () => {
    const lines: string[] = [];
    const script = `process.stdout.write('\\x1b[31mred\\x1b[0m\\ttext\\u202e\\r\\n' + 'x'.repeat(9000) + '\\nlast')`;
    const outcome = await contained(script, { onOutput: (line) => lines.push(line) });
    expect(lines).toEqual(['red text', 'x'.repeat(4096), 'last']);
    expect(outcome.stdout).toContain('\x1b[31mred');
  });

  it.skipIf(!existsSync('/usr/bin/python3'))('may be Python, under the same bounds', async () => {
    const run = (script: string) =>
      sandbox.run(jobOf(['/usr/bin/python3', '-c', script], { limits: { memoryMb: 128 } }));
    expect(printed(await run('import threading, json; print(sum(range(10)))'))).toBe('45');
    expect(
      await run('import time\nx=[]\nwhile True:\n x.append(bytearray(8<<20)); time.sleep(.02)'),
    ).toMatchObject({ ended: 'memory-exceeded' });
    const socket = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)';
    expect((await run(socket)).stderr).toContain('Address family not supported');
  });
});

describe('what programs live on', () => {
  it('is let through: threads, WebAssembly, types in the source, children, watched files', async () => {
    const program = join(folder, 'modern');
    await mkdir(program);
    await writeFile(
      join(program, 'main.ts'),
      `import { spawnSync } from 'node:child_process';
       import { scryptSync } from 'node:crypto';
       import { promises, watch, writeFileSync } from 'node:fs';
       import { Worker } from 'node:worker_threads';
       import { gunzipSync, gzipSync } from 'node:zlib';
       const ran: Record<string, unknown> = {};
       const worker = new Worker('require("node:worker_threads").parentPort.postMessage(7)', { eval: true });
       ran.thread = await new Promise((done) => worker.once('message', done));
       const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
       ran.wasm = (await WebAssembly.instantiate(empty)).instance instanceof WebAssembly.Instance;
       ran.child = spawnSync('/bin/sh', ['-c', 'seq 3 | sort -r | head -1'], { encoding: 'utf8' }).stdout.trim();
       ran.crypto = scryptSync('a', 'b', 8).length;
       ran.zlib = gunzipSync(gzipSync('x')).toString();
       const changed = new Promise((done) => { const it = watch('/tmp', () => { it.close(); done(true); }); });
       await promises.mkdir('/tmp/a/b', { recursive: true });
       writeFileSync('/tmp/a/b/c', 'x'); await promises.rename('/tmp/a/b/c', '/tmp/d'); await promises.rm('/tmp/a', { recursive: true });
       ran.watched = await changed;
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
       console.log(JSON.stringify(ran)); process.exit(0);`,
    );
    const outcome = await sandbox.run(
      jobOf(['/runtime/node', '/program/main.ts'], {
        // A second isolate reserves much, which the limit on writable data counts.
        limits: { memoryMb: 1024 },
        readOnly: [
          { from: process.execPath, to: '/runtime/node' },
          { from: program, to: '/program' },
        ],
      }),
    );
    expect(outcome.stderr).not.toContain('Error');
    expect(JSON.parse(printed(outcome))).toEqual({
      ...{ thread: 7, wasm: true, child: '3', crypto: 8, zlib: 'x', watched: true },
    });
  });

  it.skipIf(!existsSync('/usr/bin/python3'))(
    'is let through for Python: pools of processes, threads, files',
    async () => {
      const script = `
import multiprocessing, threading, tempfile, subprocess, json, os, random, time, shutil
def work():
    with multiprocessing.get_context('fork').Pool(2) as pool:
        found = pool.map(abs, [-1, 2])
    with tempfile.TemporaryDirectory() as folder:
        open(folder + '/a', 'w').write('x'); shutil.copy2(folder + '/a', folder + '/b'); os.listdir(folder)
    ran = []
    thread = threading.Thread(target=lambda: ran.append(1)); thread.start(); thread.join()
    print(json.dumps([found, ran, subprocess.run(['uname'], capture_output=True, text=True).stdout.strip()]))
work()`;
      const outcome = await sandbox.run(
        jobOf(['/usr/bin/python3', '-c', script], { readOnly: [] }),
      );
      expect(JSON.parse(printed(outcome))).toEqual([[1, 2], [1], 'Linux']);
    },
  );
});

describe('environment and descriptors', () => {
  it('hands over no variable of the host, not even by /proc/1/environ', async () => {
    const planted = { HOLDFAST_SPEC_SECRET: 'of the host' };
    // Clearing the environment in bubblewrap alone leaves it to be read from its own first process.
    const naive = ['--unshare-user', '--unshare-pid', '--clearenv', '--ro-bind', '/', '/'];
    const reading = ['--proc', '/proc', '/bin/cat', '/proc/1/environ'];
    const control = spawnSync(facts.bwrap, [...naive, ...reading], { env: planted });
    expect(control.stdout.toString()).toContain('of the host');

    const script = `
      const { readFileSync, readdirSync } = require('node:fs');
      const processes = readdirSync('/proc').filter(Number);
      // Where Landlock holds, processes that began before it can't be looked at.
      const read = (pid) => { try { return readFileSync('/proc/' + pid + '/environ', 'utf8'); } catch { return ''; } };
      const all = processes.map(read).join('');
      console.log(JSON.stringify([process.env, read(1).length, all.includes('of the host')]));`;
    Object.assign(process.env, planted);
    const coverage = process.env.NODE_V8_COVERAGE;
    process.env.NODE_V8_COVERAGE = join(folder, 'of the host');
    try {
      expect(await bare('console.log(process.env.HOLDFAST_SPEC_SECRET)')).toBe('of the host');
      const environment = { HOME: '/tmp', PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' };
      expect(JSON.parse(printed(await contained(script)))).toEqual([environment, 0, false]);
      const own = await contained(script, { environment: { SEED: '7' } });
      expect(JSON.parse(printed(own))).toEqual([{ SEED: '7' }, 0, false]);
    } finally {
      delete process.env.HOLDFAST_SPEC_SECRET;
      if (coverage === undefined) delete process.env.NODE_V8_COVERAGE;
      else process.env.NODE_V8_COVERAGE = coverage;
    }
  });

  it('hands over no descriptor that something opened carelessly', async () => {
    const secret = join(folder, 'descriptor-secret');
    await writeFile(secret, 'of the host');
    const harness = `
      import { spawnSync } from 'node:child_process';
      import { openSandbox } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const list = ['/bin/sh', '-c', 'readlink /proc/self/fd/*; exit 0'];
      const bare = spawnSync(list[0], list.slice(1), { encoding: 'utf8' }).stdout;
      const opened = await openSandbox();
      const { stdout } = await opened.value.run(${JSON.stringify(jobOf(['/bin/sh', '-c', 'readlink /proc/self/fd/*; exit 0'], { readOnly: [] }))});
      console.log(JSON.stringify({ bare, inside: stdout }));`;
    // bash, because it opens descriptors above 9; Node closes the low ones on exec, but not one past a gap.
    const { stdout, stderr } = spawnSync(
      '/bin/bash',
      ['-c', 'exec 77<"$0"; exec "$@"', secret, process.execPath, ...harnessArguments(harness)],
      { encoding: 'utf8', cwd: REPOSITORY },
    );
    expect(stdout, stderr).not.toBe('');
    const found = JSON.parse(stdout) as { bare: string; inside: string };
    expect(found.bare).toContain(secret);
    expect(found.inside).not.toContain(secret);
    for (const target of found.inside.trim().split('\n')) {
      expect(target).toMatch(/^(\/dev\/null|socket:\[\d+\]|\/proc\/\d+\/fd)$/);
    }
  });
});

describe('network', () => {
  const connecting = `
    const [path] = process.argv.slice(-1);
    const target = /^\\d+$/.test(path) ? { port: Number(path), host: '127.0.0.1' } : { path: '\\0' + path };
    require('node:net').connect(target, () => { console.log('connected'); process.exit(0); })
      .on('error', (error) => console.log(error.code));`;
  const listen = (server: Server, target: { port: number; host: string } | { path: string }) =>
    new Promise<void>((done, fail) => server.on('error', fail).listen(target, done));

  it('reaches no server of the host, by address or by abstract socket', async () => {
    let connections = 0;
    const count = () =>
      createServer((socket) => {
        connections += 1;
        socket.on('error', () => undefined).destroy();
      });
    const [inet, abstract] = [count(), count()];
    const name = `holdfast-spec-${newMarker()}`;
    await listen(inet, { port: 0, host: '127.0.0.1' });
    await listen(abstract, { path: `\0${name}` });
    try {
      const port = String((inet.address() as { port: number }).port);
      expect(await bare(connecting, port)).toBe('connected');
      expect(await bare(connecting, name)).toBe('connected');
      expect(connections).toBe(2);
      expect(printed(await contained(connecting, {}, port))).toBe('EAFNOSUPPORT');
      expect(printed(await contained(connecting, {}, name))).toBe('ECONNREFUSED');
      expect(connections).toBe(2);
    } finally {
      inet.close();
      abstract.close();
    }
  });

  it('has no interface but a loopback of its own', async () => {
    const script = `console.log(require('node:fs').readFileSync('/proc/net/dev', 'utf8').trim().split('\\n').slice(2).map((line) => line.split(':')[0].trim()).join())`;
    expect(printed(await contained(script))).toBe('lo');
  });
});

describe('files', () => {
  it('can read neither the host nor the repository', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, 'of the harness', { mode: 0o644 });
    const paths = ['/etc/passwd', '/etc/hosts', '/root', '/home', '/var', '/sys', '/boot'];
    const all = [...paths, REPOSITORY, join(REPOSITORY, 'package.json'), tmpdir(), secret];
    const script = `
      const { readdirSync, readFileSync, statSync } = require('node:fs');
      const read = (path) => { try { return (statSync(path).isDirectory() ? readdirSync : readFileSync)(path).length; } catch (error) { return error.code; } };
      console.log(JSON.stringify(process.argv.slice(1).map(read)));`;
    const bareAnswers = JSON.parse(await bare(script, ...all)) as unknown[];
    expect(bareAnswers.filter((answer) => typeof answer !== 'string').length).toBeGreaterThan(4);
    const answers = JSON.parse(printed(await contained(script, {}, ...all))) as unknown[];
    for (const [at, path] of all.entries()) {
      // /tmp is there, but it is the sandbox's own.
      expect([path, answers[at]]).toEqual([path, path === '/tmp' ? 0 : 'ENOENT']);
    }
    const roots = `console.log(require('node:fs').readdirSync('/').join())`;
    const seen = printed(await contained(roots)).split(',');
    expect(['root', 'home', 'var', 'mnt', 'sys'].filter((name) => seen.includes(name))).toEqual([]);
  });

  it('can write nothing but /out, /tmp and /dev/shm', async () => {
    const program = join(folder, 'read-only');
    await mkdir(program);
    await writeFile(join(program, 'main.js'), '');
    await chmod(program, 0o777);
    await chmod(join(program, 'main.js'), 0o666);
    const script = `
      const { writeFileSync } = require('node:fs');
      const write = (path) => { try { writeFileSync(path, 'x'); return 'written'; } catch (error) { return error.code; } };
      console.log(process.argv.slice(1).map(write).join());`;
    expect(await bare(script, join(program, 'main.js'), join(program, 'new'))).toBe(
      'written,written',
    );
    const refusedPaths = ['/program/main.js', '/program/new', '/runtime/new', '/new', '/dev/new'];
    const system = ['/usr/new', '/etc/new', '/lib/new', '/proc/sys/kernel/core_pattern'];
    const outcome = await contained(
      script,
      {
        readOnly: [
          { from: process.execPath, to: '/runtime/node' },
          { from: program, to: '/program' },
        ],
      },
      ...refusedPaths,
      ...system,
      '/out/new',
      '/tmp/new',
      '/dev/shm/new',
    );
    const answers = printed(outcome).split(',');
    expect(answers.slice(-3)).toEqual(['written', 'written', 'written']);
    for (const answer of answers.slice(0, -3)) expect(answer).toMatch(/^(EROFS|EACCES|EPERM)$/);
  });

  it('takes regular files only, and follows nothing', async () => {
    const outcome = await shell(
      `
      cd /out; echo fine > fine.txt; ln -s /etc/passwd link; ln -s fine.txt inner; mkfifo pipe; mkdir folder
      echo x > folder/x; echo x > setuid; chmod 4755 setuid; echo x > "$(printf 'two\\nlines')"
      echo x > "$(printf 'bad\\377')"`,
      {},
    );
    expect(outcome).toMatchObject({ ended: 'exited', exitCode: 0 });
    expect(outcome.files.map(({ path }) => path)).toEqual(['fine.txt']);
    const refusals = Object.fromEntries(outcome.refusedFiles.map(({ path, why }) => [path, why]));
    expect(refusals).toEqual({
      link: 'a symlink: it is not followed',
      inner: 'a symlink: it is not followed',
      pipe: 'not a regular file',
      folder: 'a folder: files must lie directly in /out',
      setuid: 'it has a set-user-id or set-group-id bit',
      'two\nlines': 'its name holds control characters or slashes',
      'bad\uFFFD': 'its name is not UTF-8',
    });
  });

  it('takes the declared names only', async () => {
    const outcome = await shell('echo 1 > /out/a; echo 2 > /out/b', {
      outputFiles: { names: ['a'] },
    });
    expect(outcome.files.map(({ path }) => path)).toEqual(['a']);
    expect(outcome.refusedFiles).toEqual([{ path: 'b', why: 'not one of a' }]);
  });
});

describe('privilege', () => {
  it('is an ordinary user without capabilities, new privileges or namespaces', async () => {
    const outcome = await shell(`
      id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | tr -d '\\t ' 
      unshare --user true 2>&1; unshare --mount true 2>&1; mount -t tmpfs x /tmp 2>&1; /usr/sbin/chroot /tmp true 2>&1
      find /usr/bin -perm -4000 2>/dev/null | head -1 | xargs -r -I{} sh -c 'grep NoNewPrivs /proc/self/status' | tr -d '\\t'; exit 0`);
    const lines = printed(outcome).split('\n');
    expect(lines[0]).toBe(String(facts.user));
    expect(lines).toContain('CapEff:0000000000000000');
    expect(lines).toContain('CapBnd:0000000000000000');
    expect(lines).toContain('NoNewPrivs:1');
    expect(lines).toContain('Seccomp:2');
    expect(outcome.stdout.match(/unshare failed: Operation not permitted/g)).toHaveLength(2);
    expect(outcome.stdout).toMatch(/mount: .*(permission denied|not permitted|superuser)/i);
    expect(outcome.stdout).toMatch(/chroot: .*not permitted/);
    expect(spawnSync('/usr/bin/unshare', ['--user', 'true']).status).toBe(0);
  });
});

describe('limits', () => {
  it('stops an endless loop within half a second of its limit', async () => {
    const outcome = await contained('for (;;);', { limits: { seconds: 0.5 } });
    expect(outcome).toMatchObject({ ended: 'timed-out', exitCode: null });
    expect(outcome.durationMs).toBeGreaterThanOrEqual(499);
    expect(outcome.durationMs).toBeLessThan(1000);
  });

  it('bounds the number of processes', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      let made = 0, refused = 0;
      for (let n = 0; n < 60; n += 1) {
        const child = spawn('/bin/sleep', ['20'], { stdio: 'ignore' }).on('error', () => undefined);
        if (child.pid) made += 1; else refused += 1;
        setTimeout(() => child.kill('SIGKILL'), 100);
      }
      console.log(made, refused);`;
    expect(await bare(script)).toBe('60 0');
    const [made, refusals] = printed(await contained(script))
      .split(' ')
      .map(Number);
    expect(made).toBeLessThan(LIMITS.processes);
    expect(made).toBeGreaterThan(10);
    expect(refusals).toBeGreaterThan(10);
  });

  it('survives a fork bomb', async () => {
    const marker = newMarker();
    const outcome = await shell(`: ${marker}; b() { b | b & }; while true; do b; done`, {
      limits: { seconds: 0.7 },
    });
    // The shell may give up by itself when it can't fork.
    expect(['timed-out', 'exited', 'log-too-large']).toContain(outcome.ended);
    expect(outcome.durationMs).toBeLessThan(1200);
    expect(alive(marker)).toEqual([]);
  });

  it('stops a memory hog, and a tree of processes that share the greed', async () => {
    const hog = (mebibytes: number) =>
      `const kept = []; setInterval(() => { if (kept.length < ${mebibytes / 8}) kept.push(Buffer.alloc(8 << 20, 1)); }, 20);`;
    const alone = await contained(hog(10_000), { limits: { memoryMb: 128 } });
    expect(alone).toMatchObject({ ended: 'memory-exceeded' });
    const one = JSON.stringify(hog(80));
    const tree = `for (let n = 0; n < 3; n += 1) require('node:child_process').spawn(process.execPath, ['-e', ${one}]); setInterval(() => {}, 1000);`;
    const together = await contained(tree, {
      limits: { memoryMb: 256, seconds: 10, processes: 64 },
    });
    expect(together).toMatchObject({ ended: 'memory-exceeded' });
    const modest = `${hog(80)} setTimeout(() => process.exit(0), 400);`;
    expect(await contained(modest, { limits: { memoryMb: 256 } })).toMatchObject({ exitCode: 0 });
  });

  it('stops a hog that is faster than polling by the kernel', async () => {
    const reserve = `try { Buffer.alloc(1 << 30); console.log('given'); } catch { console.log('refused'); }`;
    expect(await bare(reserve)).toBe('given');
    expect(printed(await contained(reserve, { limits: { memoryMb: 64 } }))).toBe('refused');
    const script = `const kept = []; for (;;) kept.push(Buffer.alloc(64 << 20, 1));`;
    const outcome = await contained(script, { limits: { memoryMb: 64 } });
    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.durationMs).toBeLessThan(3000);
  });

  it.each([
    ['one big file', 'head -c 2000000 /dev/zero > /out/big; sleep 5'],
    ['many big files', 'for n in 1 2 3 4 5; do head -c 60000 /dev/zero > /out/$n; done'],
    ['a file with a hole', 'truncate -s 5M /out/hole'],
    ['too many files', 'for n in 1 2 3 4 5 6 7 8 9 10 11; do : > /out/$n; done'],
    ['a flood of empty files', 'n=0; while :; do n=$((n+1)); : > /out/$n; done'],
  ])('refuses %s', async (_, script) => {
    const outcome = await shell(script);
    expect(outcome).toMatchObject({ ended: 'output-too-large', exitCode: null, files: [] });
    expect(outcome.durationMs).toBeLessThan(3000);
  });

  it('bounds /tmp and /dev/shm', async () => {
    const outcome = await shell(
      'for f in /tmp /dev/shm; do head -c 70000000 /dev/zero > $f/x 2>/dev/null; stat -c %s $f/x; rm $f/x; done',
    );
    for (const size of printed(outcome).split('\n'))
      expect(Number(size)).toBeLessThanOrEqual(64 << 20);
    const flood = await shell('cd /tmp; seq 1 60000 | xargs touch; sleep 5');
    expect(flood).toMatchObject({ ended: 'memory-exceeded' });
  });

  it('cuts a flood of log', async () => {
    const outcome = await shell('while :; do echo flood; echo flood >&2; done');
    expect(outcome).toMatchObject({ ended: 'log-too-large', truncated: true });
    expect(outcome.stdout.length + outcome.stderr.length).toBe(LIMITS.logBytes);
    expect(outcome.durationMs).toBeLessThan(3000);
  });
});

describe('control groups', () => {
  it('hold a whole job where the host lets them, and go with it', async ({ skip }) => {
    const { cgroups } = facts;
    skip(cgroups.kind === 'none', cgroups.kind === 'none' ? cgroups.why : '');
    if (cgroups.kind === 'none') return;
    const mine = () =>
      readdirSync(cgroups.folder).filter(
        (name) => name.startsWith('holdfast-') && name.split('-')[2] === String(process.pid),
      );
    const marker = newMarker();
    const controller = new AbortController();
    const run = shell(`setsid sleep ${marker} & sleep ${marker}`, { signal: controller.signal });
    const sleepers = () =>
      alive(marker).filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
    expect(await eventually(() => sleepers().length === 2, 3000)).toBe(true);
    const [name = ''] = mine();
    for (const pid of alive(marker))
      expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(`/${name}\n`);
    expect(readFileSync(join(cgroups.folder, name, 'pids.max'), 'utf8').trim()).toBe(
      String(LIMITS.processes + 1),
    );
    controller.abort();
    await run;
    expect(mine()).toEqual([]);
  });

  it('are entered, or nothing runs', async () => {
    // A plain folder, where the kernel puts nobody anywhere.
    const strange = await sandboxOn({ ...facts, cgroups: { kind: 'v1-pids', folder } });
    const lines: string[] = [];
    const job = jobOf(['/bin/echo', 'ran'], { readOnly: [], onOutput: (line) => lines.push(line) });
    await expect(strange.run(job)).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    expect(lines).toEqual([]);
  });

  it('that can not be made run nothing', async () => {
    const gone = await sandboxOn({
      ...facts,
      cgroups: { kind: 'v2', folder: '/proc/self/fdinfo' },
    });
    await expect(gone.run(jobOf(['/bin/true']))).rejects.toThrow(/control group could not be made/);
  });
});

describe('the end', () => {
  const daemon = (marker: string) =>
    `(setsid sh -c 'nohup sleep ${marker} >/dev/null 2>&1 & exit 0' &) ; (sleep ${marker} &); sleep 0.1`;

  it('leaves no descendant alive', async () => {
    const markers = [newMarker(), newMarker()];
    spawnSync('/bin/sh', ['-c', daemon(markers[0] ?? '')], { stdio: 'ignore' });
    const survivors = alive(markers[0] ?? '');
    expect(survivors.length).toBeGreaterThan(0);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');

    const silent = `for n in $(seq 30); do setsid sleep ${markers[1]} >/dev/null 2>&1 & done; `;
    expect(await shell(silent + daemon(markers[1] ?? ''))).toMatchObject({ exitCode: 0 });
    expect(alive(markers[1] ?? '')).toEqual([]);
  });

  it('comes when the caller aborts, before or while the program runs', async () => {
    const marker = newMarker();
    const controller = new AbortController();
    const run = shell(`sleep ${marker}`, { signal: controller.signal });
    expect(await eventually(() => alive(marker).length > 0, 3000)).toBe(true);
    controller.abort();
    expect(await run).toMatchObject({ ended: 'aborted', exitCode: null, signal: null });
    expect(alive(marker)).toEqual([]);
    expect(await shell('exit 0', { signal: AbortSignal.abort() })).toMatchObject({
      ended: 'aborted',
    });
  });

  it('comes when the harness is killed, and what it staged is removed at the next opening', async () => {
    const marker = newMarker();
    const job = jobOf(['/bin/sh', '-c', `sleep ${marker} & sleep ${marker}`], {
      readOnly: [{ from: folder, to: '/program' }],
    });
    const harness = spawn(process.execPath, harnessArguments(runningHarness(job)), {
      cwd: REPOSITORY,
      stdio: 'ignore',
    });
    const sleepers = () => alive(marker).filter((pid) => isSleep(pid));
    expect(await eventually(() => sleepers().length === 2, 8000)).toBe(true);
    const staged = () => stagedBy(harness);
    if (AS_ROOT) expect(await staged()).toHaveLength(1);
    const ended = new Promise((done) => harness.once('exit', done));
    harness.kill('SIGKILL');
    await ended;
    expect(await eventually(() => sleepers().length === 0, 1000)).toBe(true);
    await sandboxOn(facts);
    expect(await staged()).toEqual([]);
  });

  const isSleep = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep';
    } catch {
      return false;
    }
  };
  const stagedBy = async (harness: ChildProcess) => {
    const bases = ['/var/cache', tmpdir()].map((parent) => join(parent, 'holdfast-sandbox'));
    const names = await Promise.all(bases.map((base) => readdir(base).catch(() => [])));
    return names.flat().filter((name) => name.split('-')[2] === String(harness.pid));
  };
});

describe('no sandbox, no run', () => {
  it('refuses where bubblewrap is missing, and says how to get it', async () => {
    const detected = await detectSandbox(['/nonexistent']);
    expect(detected).toMatchObject({ ok: false, error: { code: 'sandbox-missing' } });
    if (!detected.ok) expect(detected.error.message).toContain('apt-get install bubblewrap');
  });

  it('refuses a bubblewrap that is too old, or that does not work', async () => {
    const fake = async (name: string, script: string) => {
      const place = join(folder, name);
      await mkdir(place);
      await writeFile(join(place, 'bwrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      await chmod(folder, 0o755);
      return detectSandbox([place]);
    };
    expect(await fake('old', 'echo bubblewrap 0.4.1')).toMatchObject({
      error: { code: 'sandbox-too-old' },
    });
    const broken =
      '[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit; echo no namespaces >&2; exit 1';
    const refusal = await fake('broken', broken);
    await chmod(folder, 0o700);
    expect(refusal).toMatchObject({ error: { code: 'sandbox-does-not-work' } });
    expect(JSON.stringify(refusal)).toContain('no namespaces');
  });

  it.each([
    ['bubblewrap does not start', { bwrap: '/bin/false' }],
    ['the program is started without it', { bwrap: '/bin/true' }],
    ['the program would not be who it must be', { user: 4711, changesUser: false }],
  ])('runs nothing when %s, and blames nobody', async (_, change) => {
    const broken = await sandboxOn({ ...facts, ...change });
    const lines: string[] = [];
    const job = jobOf(['/bin/echo', 'ran'], { readOnly: [], onOutput: (line) => lines.push(line) });
    await expect(broken.run(job)).rejects.toMatchObject({ name: 'SandboxUnavailable' });
    expect(lines).toEqual([]);
  });

  it('says what it could not mount', async () => {
    const job = jobOf(['/bin/true'], { readOnly: [{ from: '/nonexistent/tree', to: '/program' }] });
    await expect(sandbox.run(job)).rejects.toThrow(/mounts could not be made ready.*nonexistent/);
  });

  it.each<[string, Overrides]>([
    ['limits.seconds', { limits: { seconds: 0 } }],
    ['limits.memoryMb', { limits: { memoryMb: Number.NaN } }],
    ['a mount over the system', { readOnly: [{ from: '/tmp', to: '/usr/lib' }] }],
    ['a mount outside by dots', { readOnly: [{ from: '/tmp', to: '/program/../usr' }] }],
    ['a mount on the output', { readOnly: [{ from: '/tmp', to: '/out' }] }],
    ['a variable with a bad name', { environment: { 'A=B': '1' } }],
  ])('takes no job with bad %s', async (_, overrides) => {
    await expect(sandbox.run(jobOf(['/bin/true'], overrides))).rejects.toThrow(TypeError);
  });
});

describe('who runs the harness', () => {
  const publicRepository = (() => {
    for (let path = process.execPath; path !== dirname(path); path = dirname(path)) {
      if ((statSync(path).mode & 0o005) !== 0o005) return false;
    }
    return true;
  })();

  it.skipIf(!AS_ROOT || !publicRepository)('may be an ordinary user as well as root', () => {
    const job = jobOf(['/bin/sh', '-c', 'id -u; echo made > /out/file; cat /etc/passwd']);
    const { stdout, stderr } = spawnSync(
      '/usr/bin/setpriv',
      [
        ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
        ...['/usr/bin/env', '-i', process.execPath, ...harnessArguments(runningHarness(job))],
      ],
      { encoding: 'utf8', cwd: REPOSITORY },
    );
    expect(stdout, stderr).not.toBe('');
    const outcome = JSON.parse(stdout) as SandboxOutcome;
    expect(outcome).toMatchObject({ ended: 'exited', exitCode: 1, stdout: `${NOBODY}\n` });
    expect(outcome.files.map(({ path }) => path)).toEqual(['file']);
    expect(outcome.isolation).toMatchObject({ user: NOBODY });
  });

  it('may keep its runtime where nobody else can go', async () => {
    const hidden = await mkdtemp(join(folder, 'hidden-'));
    await copyFile('/bin/sh', join(hidden, 'runtime'));
    await chmod(join(hidden, 'runtime'), 0o700);
    accessSync(join(hidden, 'runtime'), constants.X_OK);
    const job = jobOf(['/runtime/sh', '-c', 'echo ran'], {
      readOnly: [{ from: join(hidden, 'runtime'), to: '/runtime/sh' }],
    });
    expect(printed(await sandbox.run(job))).toBe('ran');
    expect(printed(await sandbox.run(job))).toBe('ran');
  });
});

/** How Node runs a module given as text, with this repository's imports. */
const harnessArguments = (module: string) => [
  ...['--conditions=source', '--input-type=module', '--eval', module],
];

/** A harness of its own that runs one job and prints the outcome. */
const runningHarness = (job: SandboxJob) => `
  import { openSandbox } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
  const opened = await openSandbox();
  if (!opened.ok) throw new Error(opened.error.message);
  console.log(JSON.stringify(await opened.value.run(${JSON.stringify(job)})));`;
