import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHA256_HEX } from '#libs/kernel';
import type { SandboxOutcome } from '#libs/sandbox';
import type { Executor, ExecutorJob } from './port.ts';

/** One adapter under test, open. */
export interface ExecutorSubject {
  readonly executor: Executor;
  /** What is left of runs outside this process: containers, jobs, folders. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ExecutorTraits {
  /** Where an adapter gets one stream only, it stands in `stderr`. */
  readonly streams: 'apart' | 'merged';
  /** Milliseconds past its limit within which a program is dead. */
  readonly slackMs: number;
  /** Whether a program's processes can be seen from here. */
  readonly sameMachine: boolean;
}

type Overrides = Partial<Omit<ExecutorJob, 'limits' | 'outputFiles'>> & {
  limits?: Partial<ExecutorJob['limits']>;
  outputFiles?: Partial<ExecutorJob['outputFiles']>;
};

const LIMITS = { seconds: 20, memoryMb: 300, processes: 64, openFiles: 256, logBytes: 50_000 };
const OUTPUT = { maxFiles: 10, maxBytes: 100_000 };

/** What every executor does, whatever it runs programs on. The programs are Node's. */
export const executorContract = (
  name: string,
  open: () => Promise<ExecutorSubject>,
  traits: ExecutorTraits,
): void => {
  describe(`an executor: ${name}`, () => {
    let subject: ExecutorSubject;
    let folder: string;
    let programs = 0;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'holdfast-executor-contract-'));
      subject = await open();
    });
    afterAll(async () => {
      await subject.close();
      await rm(folder, { recursive: true, force: true });
    });

    const jobOf = async (source: string, overrides: Overrides = {}): Promise<ExecutorJob> => {
      const place = join(folder, String((programs += 1)));
      await mkdir(place);
      // 0600 and 0700: what the worker alone can read has to reach the program all the same.
      await writeFile(join(place, 'train.mjs'), source, { mode: 0o600 });
      return {
        entry: 'train.mjs',
        readOnly: [{ from: place, to: '/program' }],
        owner: { runId: 'contract-1', trainingId: `training-${programs}` },
        ...overrides,
        limits: { ...LIMITS, ...overrides.limits },
        outputFiles: { ...OUTPUT, ...overrides.outputFiles },
      };
    };
    const run = async (source: string, overrides?: Overrides): Promise<SandboxOutcome> => {
      const outcome = await subject.executor.run(await jobOf(source, overrides));
      expect(await subject.leftovers()).toEqual([]);
      return outcome;
    };
    const printed = ({ stdout, stderr }: SandboxOutcome): string =>
      traits.streams === 'apart' ? stdout : stderr;

    it('runs a program, shows it what is mounted, takes its files and says how', async () => {
      const data = join(folder, 'data');
      await mkdir(data);
      await writeFile(join(data, 'table.csv'), 'a,b\n');
      const program = await jobOf(
        `import { readFileSync, writeFileSync } from 'node:fs';
         import { shout } from './lib.mjs';
         writeFileSync('/out/predictions.csv', shout(readFileSync('/data/table.csv', 'utf8')));
         console.log('trained'); console.error('careful');`,
      );
      await writeFile(
        join(program.readOnly[0]?.from ?? '', 'lib.mjs'),
        'export const shout = (text) => text.toUpperCase();',
      );
      const outcome = await subject.executor.run({
        ...program,
        readOnly: [...program.readOnly, { from: data, to: '/data' }],
      });
      expect(outcome, outcome.stderr).toMatchObject({
        ended: 'exited',
        exitCode: 0,
        signal: null,
        truncated: false,
        refusedFiles: [],
      });
      expect(outcome.files).toEqual([
        { path: 'predictions.csv', content: new Uint8Array(Buffer.from('A,B\n')) },
      ]);
      if (traits.streams === 'apart')
        expect(outcome).toMatchObject({ stdout: 'trained\n', stderr: 'careful\n' });
      else {
        expect(outcome.stdout).toBe('');
        expect(outcome.stderr.split('\n').toSorted()).toEqual(['', 'careful', 'trained']);
      }
      expect(outcome.isolation.limits).toMatchObject({ seconds: 20, outputBytes: 100_000 });
      expect(JSON.parse(JSON.stringify(outcome.isolation))).toEqual(outcome.isolation);
      expect(await subject.leftovers()).toEqual([]);
    });

    it('says what its runtime is, by digest', () => {
      const { kind, runtime } = subject.executor;
      expect(runtime.name).toBe(kind === 'sandbox' ? 'node' : 'oci-image');
      expect(runtime.sha256).toMatch(SHA256_HEX);
      expect(runtime.version).not.toBe('');
    });

    it('keeps the exit code, and the signal that ended a program', async () => {
      expect(await run('process.exit(7)')).toMatchObject({ ended: 'exited', exitCode: 7 });
      expect(
        await run(`process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 9000);`),
      ).toMatchObject({
        ended: 'signalled',
        exitCode: null,
        signal: 'SIGSEGV',
      });
    });

    it('gives the environment asked for, else a plain one', async () => {
      const show = `console.log(JSON.stringify({ HOME: process.env.HOME, TZ: process.env.TZ, SEED: process.env.SEED, cwd: process.cwd() }))`;
      expect(JSON.parse(printed(await run(show)))).toEqual({
        HOME: '/tmp',
        TZ: 'UTC',
        cwd: '/tmp',
      });
      const given = { HOME: '/tmp', SEED: '4' };
      expect(JSON.parse(printed(await run(show, { environment: given })))).toEqual({
        ...given,
        cwd: '/tmp',
      });
    });

    it('lets a program write in /out and /tmp alone', async () => {
      const outcome = await run(
        `import { writeFileSync } from 'node:fs';
         for (const path of ['/program/x', '/usr/x', '/x', '/tmp/x', '/dev/shm/x', '/out/x']) {
           try { writeFileSync(path, ''); console.log(path, 'written'); } catch (error) { console.log(path, error.code === 'EROFS' || error.code === 'EACCES' ? 'refused' : error.code); }
         }`,
      );
      expect(printed(outcome).trim().split('\n')).toEqual([
        ...['/program/x refused', '/usr/x refused', '/x refused'],
        ...['/tmp/x written', '/dev/shm/x written', '/out/x written'],
      ]);
    });

    it('stops a program at its time, and takes what it had written', async () => {
      const outcome = await run(
        `import { writeFileSync } from 'node:fs'; writeFileSync('/out/half', 'half'); console.log('on'); for (;;);`,
        { limits: { seconds: 1 } },
      );
      expect(outcome).toMatchObject({ ended: 'timed-out', exitCode: null, signal: null });
      expect(outcome.durationMs).toBeGreaterThanOrEqual(990);
      expect(outcome.durationMs).toBeLessThan(1000 + traits.slackMs);
      expect(outcome.files.map(({ path }) => path)).toEqual(['half']);
      expect(printed(outcome)).toBe('on\n');
    });

    it('takes regular files with the names asked for', async () => {
      const outcome = await run(
        `import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
         writeFileSync('/out/a', '1'); writeFileSync('/out/b', '2'); symlinkSync('/etc/passwd', '/out/c');
         mkdirSync('/out/d'); writeFileSync('/out/d/a', '3');`,
        { outputFiles: { names: ['a', 'c', 'd'] } },
      );
      expect(outcome.files).toEqual([{ path: 'a', content: new Uint8Array([49]) }]);
      expect(outcome.refusedFiles).toEqual([
        { path: 'b', why: 'not one of a, c, d' },
        { path: 'c', why: 'a symlink: it is not followed' },
        { path: 'd', why: 'a folder: files must lie directly in /out' },
      ]);
    });

    it('removes what a program shut', async () => {
      const outcome = await run(
        `import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
         mkdirSync('/out/d/e', { recursive: true }); writeFileSync('/out/d/e/f', ''); chmodSync('/out/d/e', 0); chmodSync('/out/d', 0);`,
      );
      expect(outcome).toMatchObject({ ended: 'exited', exitCode: 0 });
    });

    it.each([
      ['one big file', `writeFileSync('/out/big', Buffer.alloc(300_000));`],
      ['a file with a hole', `writeFileSync('/out/hole', ''); truncateSync('/out/hole', 150_000);`],
      ['too many files', `for (let n = 0; n < 11; n += 1) writeFileSync('/out/' + n, '');`],
      [
        'files without an end',
        `for (let n = 0; ; n += 1) { writeFileSync('/out/' + n, Buffer.alloc(1000)); await new Promise((done) => setTimeout(done, 1)); }`,
      ],
    ])('refuses %s', async (_, script) => {
      const outcome = await run(
        `import { truncateSync, writeFileSync } from 'node:fs'; try { ${script} } catch (error) { console.error(error.code); setTimeout(() => {}, 500); }`,
      );
      expect(outcome).toMatchObject({ ended: 'output-too-large', exitCode: null, files: [] });
      expect(outcome.durationMs).toBeLessThan(10_000);
    });

    it('hands on lines of stdout as they come', async () => {
      const lines: { line: string; at: number }[] = [];
      await run(
        `console.log('{"step":1,"of":2}'); console.log('\\u001b[31mred');
         setTimeout(() => console.log('{"step":2,"of":2}'), 2500);`,
        { onOutput: (line) => lines.push({ line, at: performance.now() }) },
      );
      expect(lines.map(({ line }) => line)).toEqual([
        '{"step":1,"of":2}',
        'red',
        '{"step":2,"of":2}',
      ]);
      expect((lines[2]?.at ?? 0) - (lines[0]?.at ?? 0)).toBeGreaterThan(300);
    });

    it('cuts a flood of log', async () => {
      const outcome = await run(
        `const flood = () => { console.log('flood'.repeat(100)); setImmediate(flood); }; flood();`,
        { limits: { logBytes: 20_000 } },
      );
      expect(outcome).toMatchObject({ ended: 'log-too-large', truncated: true, exitCode: null });
      expect(outcome.stdout.length + outcome.stderr.length).toBe(20_000);
    });

    it('stops a program that takes too much memory', async () => {
      const outcome = await run(
        `const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 10);`,
        { limits: { memoryMb: 160 } },
      );
      expect(outcome).toMatchObject({ ended: 'memory-exceeded', exitCode: null, signal: null });
    });

    it('leaves no descendant alive', async () => {
      const marker = `47${Math.floor(Math.random() * 1e9)}`;
      const outcome = await run(
        `import { spawn } from 'node:child_process';
         for (let n = 0; n < 3; n += 1) spawn('/bin/sleep', ['${marker}'], { detached: true, stdio: 'ignore' }).unref();
         setTimeout(() => process.exit(0), 300);`,
      );
      expect(outcome).toMatchObject({ ended: 'exited', exitCode: 0 });
      if (traits.sameMachine) expect(running(marker)).toEqual([]);
    });

    it('stops when the caller gives up, before or while the program runs', async () => {
      const marker = `48${Math.floor(Math.random() * 1e9)}`;
      const controller = new AbortController();
      const begun = new Promise<void>((resolve) => {
        void run(
          `import { spawn } from 'node:child_process'; spawn('/bin/sleep', ['${marker}'], { stdio: 'ignore' }); console.log('begun');`,
          { signal: controller.signal, onOutput: () => resolve() },
        ).then((outcome) => {
          ends.push(outcome);
        });
      });
      const ends: SandboxOutcome[] = [];
      await begun;
      if (traits.sameMachine) expect(running(marker)).toHaveLength(1);
      controller.abort();
      while (ends.length === 0) await wait(10);
      expect(ends[0]).toMatchObject({ ended: 'aborted', exitCode: null, signal: null });
      if (traits.sameMachine) expect(running(marker)).toEqual([]);
      expect(await run('', { signal: AbortSignal.abort() })).toMatchObject({ ended: 'aborted' });
    });

    it('keeps programs that run at once apart', async () => {
      const source = (text: string) =>
        `import { readdirSync, writeFileSync } from 'node:fs'; writeFileSync('/out/${text}', '');
         setTimeout(() => console.log(readdirSync('/out').join()), 500);`;
      const jobs = await Promise.all(['one', 'two'].map((text) => jobOf(source(text))));
      const outcomes = await Promise.all(jobs.map((job) => subject.executor.run(job)));
      expect(outcomes.map(printed)).toEqual(['one\n', 'two\n']);
      expect(outcomes.map(({ files }) => files.map(({ path }) => path))).toEqual([
        ['one'],
        ['two'],
      ]);
      expect(await subject.leftovers()).toEqual([]);
    });

    it('blames no program for files that it could not mount', async () => {
      const job = await jobOf('');
      const missing = { from: join(folder, 'not-there'), to: '/data' };
      await expect(
        subject.executor.run({ ...job, readOnly: [...job.readOnly, missing] }),
      ).rejects.toMatchObject({ name: 'SandboxUnavailable' });
      expect(await subject.leftovers()).toEqual([]);
    });

    it.each<[string, Partial<ExecutorJob>]>([
      ['an entry outside', { entry: '../train.mjs' }],
      ['an absolute entry', { entry: '/bin/sh' }],
      ['no program', { readOnly: [] }],
      ['no owner', { owner: { runId: '', trainingId: 'x' } }],
      ['a limit that is none', { limits: { ...LIMITS, memoryMb: Number.NaN } }],
      ['a variable with a bad name', { environment: { 'A=B': '1' } }],
    ])('takes no job with %s', async (_, change) => {
      const job = await jobOf('');
      await expect(async () => subject.executor.run({ ...job, ...change })).rejects.toThrow(
        TypeError,
      );
    });
  });
};

/** Pids of processes of this machine whose command line holds `marker`. */
const running = (marker: string): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(marker);
      } catch {
        return false;
      }
    })
    .map(Number);
