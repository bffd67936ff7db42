import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { commandLine, DESCRIPTORS, groupMemory, outputBound } from './arguments.ts';
import { type JobCgroup, makeCgroup } from './cgroups.ts';
import { inheritableDescriptors, type Inside, lookInside, startTime } from './inspect.ts';
import { programLog } from './log.ts';
import { collect } from './output.ts';
import { readStatus } from './status.ts';
import {
  type Ending,
  type ReadOnlyMount,
  type SandboxFacts,
  type SandboxJob,
  type SandboxOutcome,
  SandboxUnavailable,
} from './types.ts';

const POLL_MS = 25;
const SETUP_MS = 15_000;
const DEATH_MS = 5_000;
const MOST_SCRATCH_ENTRIES = 20_000;
/** Names that may exist for a moment (written aside, then renamed) without ending the run. */
const PASSING_ENTRIES = 64;
const MIB = 1024 * 1024;

const firstLine = (stream: Readable): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the sandbox ended before it stood')));
  });

const firstProcess = (stream: Readable): Promise<number> =>
  new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on('error', reject);
    stream.on('close', () => {
      const pid = /"child-pid": (\d+)/.exec(text)?.[1];
      if (pid === undefined) reject(new Error('bubblewrap did not start a process'));
      else resolve(Number(pid));
    });
  });

/** Within `ms`, or an error that says what was waited for. */
const within = async <T>(ms: number, what: string, promise: Promise<T>): Promise<T> => {
  const timer = new AbortController();
  const late = wait(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took more than ${ms} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
};

/** Starts the command line with nothing of this process: no environment, no descriptors but the named ones. */
const launch = (line: readonly [string, ...string[]], filter: Uint8Array) => {
  const [file, ...args] = line;
  const leaking = inheritableDescriptors(DESCRIPTORS.info);
  const nothing = openSync('/dev/null', 'r+');
  try {
    const child = spawn(file, args, {
      cwd: '/',
      // Node adds this one variable by itself unless it is named; undefined keeps it out.
      env: { NODE_V8_COVERAGE: undefined },
      // A session of its own: an interrupt typed at the harness's terminal is the harness's to answer.
      detached: true,
      stdio: Array.from({ length: Math.max(DESCRIPTORS.info, ...leaking) + 1 }, (_, descriptor) => {
        if (descriptor <= DESCRIPTORS.info) return 'pipe';
        return leaking.includes(descriptor) ? nothing : 'ignore';
      }),
    });
    const [stdin, stdout, stderr, gate, seccomp, info] = child.stdio as unknown as [
      Writable,
      Readable,
      Readable,
      Readable,
      Writable,
      Readable,
    ];
    // A child that dies early breaks these pipes; its exit says why.
    for (const stream of [stdin, seccomp]) stream.on('error', () => undefined);
    seccomp.end(filter);
    return { child, stdin, stdout, stderr, gate, info };
  } finally {
    closeSync(nothing);
  }
};

/** A process named for ever: a reused pid has another start time. */
interface FirstProcess {
  readonly pid: number;
  readonly start: string | null;
}

const lives = ({ pid, start }: FirstProcess): boolean => start !== null && startTime(pid) === start;

const killFirst = (first: FirstProcess): void => {
  try {
    if (lives(first)) process.kill(first.pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
};

/** When this resolves, nothing of the sandbox lives: its first process ends only after every other one. */
const deathOf = async (first: FirstProcess): Promise<void> => {
  const begun = performance.now();
  for (killFirst(first); lives(first); await wait(1)) {
    if (performance.now() - begun > DEATH_MS) {
      throw new SandboxUnavailable(
        `process ${first.pid} still lives ${DEATH_MS} ms after its sandbox was killed; look at it by hand`,
      );
    }
  }
};

/** bubblewrap's own process outside, which the job's limit does not count. */
const OUTSIDE_PROCESSES = 1;

const groupOf = (facts: SandboxFacts, job: SandboxJob): JobCgroup | null => {
  try {
    return makeCgroup(facts.cgroups, {
      processes: job.limits.processes + OUTSIDE_PROCESSES,
      memoryBytes: groupMemory(job),
    });
  } catch (error) {
    throw new SandboxUnavailable(
      `the job's control group could not be made: ${(error as Error).message}`,
      { cause: error },
    );
  }
};

/** Runs one job in one sandbox; `mounts` are reachable for the program's user. */
export const contain = async (
  facts: SandboxFacts,
  filter: Uint8Array,
  job: SandboxJob,
  mounts: readonly ReadOnlyMount[],
): Promise<Omit<SandboxOutcome, 'isolation'>> => {
  const cgroup = groupOf(facts, job);
  try {
    return await containIn(cgroup, facts, filter, job, mounts);
  } finally {
    await cgroup?.remove().catch((error: unknown) => {
      // The program may live on: that is worse than whatever else was to be said.
      throw new SandboxUnavailable((error as Error).message, { cause: error });
    });
  }
};

const containIn = async (
  cgroup: JobCgroup | null,
  facts: SandboxFacts,
  filter: Uint8Array,
  job: SandboxJob,
  mounts: readonly ReadOnlyMount[],
): Promise<Omit<SandboxOutcome, 'isolation'>> => {
  const { limits, outputFiles } = job;
  const { child, stdin, stdout, stderr, gate, info } = launch(
    commandLine(facts, job, mounts, cgroup),
    filter,
  );

  /** The sandbox's first process: all others die with it. Known once the sandbox is being set up. */
  let first: FirstProcess | null = null;
  const kill = () => {
    child.kill('SIGKILL');
    if (first !== null) killFirst(first);
    cgroup?.kill();
  };
  const stopped: { by: Ending | null } = { by: null };
  const stop = (why: Ending) => {
    if (stopped.by !== null) return;
    stopped.by = why;
    kill();
  };

  const log = programLog({
    bytes: limits.logBytes,
    onLine: job.onOutput ?? (() => undefined),
    onFlood: () => stop('log-too-large'),
  });
  stdout.on('data', (chunk: Buffer) => log.stdout(chunk));
  stderr.on('data', (chunk: Buffer) => log.stderr(chunk));

  const closed = new Promise<{ status: number | null; signal: string | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve({ status, signal }));
    },
  );
  closed.catch(() => undefined);

  let inside: Inside;
  try {
    const [pid, line] = await within(
      SETUP_MS,
      'setting the sandbox up',
      Promise.all([firstProcess(info), firstLine(gate)]),
    );
    first = { pid, start: startTime(pid) };
    const inner = /^ready (\d+)$/.exec(line)?.[1];
    if (inner === undefined) throw new Error(`the sandbox's gate says: ${line}`);
    inside = lookInside(pid, inner, facts, cgroup?.name ?? null);
  } catch (error) {
    kill();
    await closed.catch(() => undefined);
    if (first !== null) await deathOf(first);
    const said = log.text().stderr.trim();
    throw new SandboxUnavailable(
      `the sandbox could not be set up: ${(error as Error).message}${said === '' ? '' : ` (${said})`}`,
      { cause: error },
    );
  }

  const abort = () => stop('aborted');
  const begun = performance.now();
  const clock = setTimeout(() => stop('timed-out'), limits.seconds * 1000);
  const poll = setInterval(() => {
    const out = inside.outputUse();
    if (out.bytes > outputBound(job) || out.entries > outputFiles.maxFiles + PASSING_ENTRIES) {
      stop('output-too-large');
    }
    if (
      inside.memoryUse() > limits.memoryMb * MIB ||
      inside.scratchEntries() > MOST_SCRATCH_ENTRIES
    ) {
      stop('memory-exceeded');
    }
  }, POLL_MS);
  try {
    job.signal?.addEventListener('abort', abort, { once: true });
    if (job.signal?.aborted === true) abort();
    stdin.end('go\n');

    const { status, signal } = await closed;
    await deathOf(first);
    const durationMs = Math.round(performance.now() - begun);
    log.end();
    // The kernel ends the whole group, bubblewrap's outer process too.
    if (cgroup?.ranOutOfMemory() === true) stopped.by ??= 'memory-exceeded';
    if (stopped.by === null && status === null) {
      throw new SandboxUnavailable(
        `bubblewrap was ended by ${signal ?? 'nobody knows what'} from outside while the program ran`,
      );
    }
    const ending =
      stopped.by === null
        ? readStatus(status ?? 0)
        : { ended: stopped.by, exitCode: null, signal: null };
    const overfull = inside.outputUse().bytes > outputBound(job);
    const taken = collect(inside.output, outputFiles);
    const tooLarge = overfull || taken.tooLarge || ending.ended === 'output-too-large';
    const ownEnd = ending.ended === 'exited' || ending.ended === 'signalled';
    return {
      ...(tooLarge && ownEnd
        ? { ended: 'output-too-large' as const, exitCode: null, signal: null }
        : ending),
      durationMs,
      files: tooLarge ? [] : taken.files,
      refusedFiles: taken.refusedFiles,
      ...log.text(),
    };
  } finally {
    clearTimeout(clock);
    clearInterval(poll);
    job.signal?.removeEventListener('abort', abort);
    inside.close();
  }
};
