import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { SCRATCH_BYTES } from './arguments.ts';
import { removeStaleCgroups } from './cgroups.ts';
import { contain } from './contain.ts';
import { detectSandbox } from './detect.ts';
import { layersOf } from './layers.ts';
import { assemble, seccompProgram } from './seccomp.ts';
import { openStaging } from './staging.ts';
import {
  type BubblewrapReport,
  type Sandbox,
  type SandboxDevice,
  type SandboxFacts,
  type SandboxJob,
  type SandboxRefusalCode,
  SandboxUnavailable,
} from './types.ts';

/** Inside paths that the sandbox makes itself. */
const TAKEN = [
  '/bin',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/out',
  '/proc',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
];

const isPlainPath = (path: string): boolean =>
  posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  path !== '/' &&
  !path.endsWith('/') &&
  !path.includes('\0');

/** What is wrong with a job, wherever it is to run: null for a good one. */
export const commonProblem = ({
  readOnly,
  limits,
  outputFiles,
  environment,
}: Pick<SandboxJob, 'readOnly' | 'limits' | 'outputFiles' | 'environment'>): string | null => {
  for (const { to } of readOnly) {
    if (!isPlainPath(to)) return `${to} is not a plain absolute path`;
    if (TAKEN.some((path) => to === path || to.startsWith(`${path}/`))) {
      return `${to} lies where the sandbox has its own things`;
    }
  }
  const { seconds, ...counts } = { ...limits, ...outputFiles, names: 1 };
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 1)
      return `${name} is ${value}, not a positive integer`;
  }
  if (!(seconds > 0 && seconds < 2_000_000))
    return `seconds is ${seconds}, not between 0 and 2,000,000`;
  for (const [key, value] of Object.entries(environment ?? {})) {
    if (!/^[A-Za-z_]\w*$/.test(key) || value.includes('\0'))
      return `${key} is no environment variable`;
  }
  return null;
};

const deviceProblem = ({ nodes, information, scratchBytes }: SandboxDevice): string | null => {
  for (const { from, to } of nodes) {
    if (!isPlainPath(from)) return `the device node ${from} is not a plain absolute path`;
    if (!isPlainPath(to) || !to.startsWith('/dev/')) return `${to} does not lie below /dev`;
  }
  for (const path of information) {
    if (!isPlainPath(path) || !path.startsWith('/sys/')) return `${path} does not lie below /sys`;
  }
  if (!Number.isSafeInteger(scratchBytes) || scratchBytes < 4096 || scratchBytes % 4096 !== 0)
    return `scratchBytes is ${scratchBytes}, not a positive multiple of 4,096`;
  return null;
};

const jobProblem = (job: SandboxJob): string | null => {
  if (job.command.length === 0) return 'the command is empty';
  // env would read it as an assignment.
  if (job.command[0]?.includes('=')) return `the program's path holds "=": ${job.command[0]}`;
  return commonProblem(job) ?? (job.device === undefined ? null : deviceProblem(job.device));
};

const CGROUPS = { v2: 'v2-memory-and-pids', 'v1-pids': 'v1-pids', none: 'none' } as const;

const reportOf = (facts: SandboxFacts, filter: Uint8Array): BubblewrapReport => ({
  kind: 'bubblewrap',
  version: facts.version,
  kernel: facts.kernel,
  architecture: facts.architecture,
  network: 'none',
  seccomp: true,
  seccompFilter: createHash('sha256').update(filter).digest('hex'),
  user: facts.user,
  userNamespaces: 'own-and-closed',
  capabilities: 'none',
  environment: 'empty',
  outputBound: 'sized-tmpfs',
  memoryBound: 'rlimit-data-and-polled',
  cgroup: CGROUPS[facts.cgroups.kind],
  scratchBytes: SCRATCH_BYTES,
  deviceNodes: '',
  layers: layersOf(facts).flatMap(({ layer, on }) => (on ? [layer] : [])),
  limits: null,
});

const deviceReport = (device: SandboxDevice | undefined): Partial<BubblewrapReport> =>
  device === undefined
    ? {}
    : {
        memoryBound: device.dataLimit ? 'rlimit-data-and-polled' : 'polled',
        scratchBytes: device.scratchBytes,
        deviceNodes: device.nodes.map(({ to }) => to).join(' '),
      };

/**
 * A sandbox on facts that hold; {@link openSandbox} makes sure of them.
 *
 * @param filter Another one than ours is for trials of the other layers alone.
 */
export const sandboxOn = async (
  facts: SandboxFacts,
  filter: Uint8Array = assemble(seccompProgram(facts.architecture)),
): Promise<Sandbox> => {
  const report = reportOf(facts, filter);
  const stage = await openStaging(facts);
  await removeStaleCgroups(facts.cgroups);
  return {
    report,
    run: async (job) => {
      const problem = jobProblem(job);
      if (problem !== null) throw new TypeError(`not a sandbox job: ${problem}`);
      const staged = await stage(job.readOnly).catch((error: unknown) => {
        throw new SandboxUnavailable(
          `what the job mounts could not be made ready: ${(error as Error).message}`,
          { cause: error },
        );
      });
      try {
        const outcome = await contain(facts, filter, job, staged.mounts);
        const { maxFiles, maxBytes } = job.outputFiles;
        const limits = { ...job.limits, outputFiles: maxFiles, outputBytes: maxBytes };
        return { ...outcome, isolation: { ...report, ...deviceReport(job.device), limits } };
      } finally {
        await staged.release();
      }
    },
  };
};

/**
 * Opens the sandbox of this machine. Without one it refuses, and there is nothing to fall back to.
 *
 * ```ts
 * const opened = await openSandbox();
 * if (!opened.ok) return opened;
 * const outcome = await opened.value.run({
 *   command: ['/runtime/node', '/program/train.js'],
 *   readOnly: [
 *     { from: process.execPath, to: '/runtime/node' },
 *     { from: tree, to: '/program' },
 *   ],
 *   outputFiles: { names: ['predictions.csv'], maxFiles: 1, maxBytes: 1_000_000 },
 *   limits: { seconds: 30, memoryMb: 512, processes: 32, openFiles: 256, logBytes: 100_000 },
 * });
 * ```
 *
 * @param facts From {@link detectSandbox}, when it was asked already; else it is asked now.
 */
export const openSandbox = async (
  facts?: SandboxFacts,
): Promise<Result<Sandbox, Refusal<SandboxRefusalCode>>> => {
  if (facts !== undefined) return ok(await sandboxOn(facts));
  const detected = await detectSandbox();
  return detected.ok ? ok(await sandboxOn(detected.value)) : detected;
};
