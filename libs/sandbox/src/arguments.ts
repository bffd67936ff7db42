import { lstatSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { JobCgroup } from './cgroups.ts';
import type { ReadOnlyMount, SandboxFacts, SandboxJob } from './types.ts';

const MIB = 1024 * 1024;
const PAGE = 4096;

/** Size of /tmp and of /dev/shm, each. */
export const SCRATCH_BYTES = 64 * MIB;

const LOCKED_BYTES = 65_536;

/** Room past the bound, so that a flood crosses it visibly instead of looking like a full disk to the program. */
const OUTPUT_SLACK = 64 * 1024;

/** Bytes that /out may occupy: every file may fill its last page badly. */
export const outputBound = (job: Pick<SandboxJob, 'outputFiles'>): number =>
  job.outputFiles.maxBytes + job.outputFiles.maxFiles * PAGE;

/** A process may reserve more writable data than the tree may use: polling names the cause, this stops the fast ones. */
const dataLimit = (memoryMb: number): number => (memoryMb * 1.5 + 512) * MIB;

/** What a program finds when its job names no environment. */
export const DEFAULT_ENVIRONMENT = {
  HOME: '/tmp',
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
};

/** The system's programs and libraries; all else of the host is left out. */
const systemMounts = (): string[] => {
  const merged = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path) => {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry === undefined) return [];
    return entry.isSymbolicLink()
      ? ['--symlink', readlinkSync(path), path]
      : ['--ro-bind', path, path];
  });
  return [
    ...['--ro-bind', '/usr', '/usr'],
    ...merged,
    ...['--ro-bind-try', '/etc/alternatives', '/etc/alternatives'],
    ...['--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache'],
  ];
};

/** Descriptors that the launch passes beside stdio; none of them reaches the program. */
export const DESCRIPTORS = { gate: 3, seccomp: 4, info: 5 } as const;

/**
 * Runs inside, before the program, and is the last trusted code there. It checks that no descriptor slipped
 * through (a masked one is /dev/null), says that the sandbox stands, and waits: the harness looks at the sandbox
 * from outside before it lets the program start. When the harness dies first, the read ends and nothing runs.
 */
const GATE = `
for f in /proc/self/fd/*; do
  case "\${f##*/}" in [0-${DESCRIPTORS.gate}]) continue ;; esac
  if [ -L "$f" ] && ! [ "$f" -ef /dev/null ]; then
    echo "descriptor \${f##*/} is open" >&${DESCRIPTORS.gate}
    exit 1
  fi
done
echo "ready $$" >&${DESCRIPTORS.gate}
read -r answer && [ "$answer" = go ] || exit 1
exec "$@" ${DESCRIPTORS.gate}>&- </dev/null
`;

/**
 * Enters the job's control group before anything else, so that nothing is ever started outside it. Emptied again,
 * because a shell exports variables of its own.
 */
const ENTER = 'echo 0 > "$1" && shift && exec /usr/bin/env -i "$@"';

/** Run inside: from here on the kernel checks paths once more. What is mounted says the same. */
export const LANDLOCK = [
  ...['/usr/bin/setpriv', '--landlock-access', 'fs'],
  ...['--landlock-rule', 'path-beneath:execute,read-file,read-dir:/'],
  // An empty list of rights means all of them.
  ...['/out', '/tmp', '/dev'].flatMap((path) => ['--landlock-rule', `path-beneath::${path}`]),
] as const;

/** Bytes of memory that a whole job may take: its own bound, its files in memory when they are full, and the kernel's part. */
export const groupMemory = (job: Pick<SandboxJob, 'limits' | 'outputFiles' | 'device'>): number =>
  job.limits.memoryMb * MIB +
  2 * (job.device?.scratchBytes ?? SCRATCH_BYTES) +
  outputBound(job) +
  32 * MIB;

/** The command line that starts a job. The only shell on the host is the one that enters the control group. */
export const commandLine = (
  facts: SandboxFacts,
  job: SandboxJob,
  mounts: readonly ReadOnlyMount[],
  cgroup: Pick<JobCgroup, 'procs'> | null = null,
): readonly [string, ...string[]] => {
  const { limits, device } = job;
  const scratch = device?.scratchBytes ?? SCRATCH_BYTES;
  const outputSize = Math.ceil((outputBound(job) + PAGE + OUTPUT_SLACK) / PAGE) * PAGE;
  const changeUser = facts.changesUser
    ? [
        '/usr/bin/setpriv',
        `--reuid=${facts.user}`,
        `--regid=${facts.group}`,
        '--clear-groups',
        '--inh-caps=-all',
        '--bounding-set=-all',
        '--no-new-privs',
      ]
    : [];
  const [program = '', ...rest] = [
    ...(cgroup === null ? [] : ['/bin/sh', '-c', ENTER, 'sh', cgroup.procs]),
    ...changeUser,
    facts.bwrap,
    '--unshare-user',
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    ...['--cap-drop', 'ALL'],
    '--clearenv',
    ...['--hostname', 'sandbox'],
    ...['--seccomp', String(DESCRIPTORS.seccomp)],
    ...['--info-fd', String(DESCRIPTORS.info)],
    ...systemMounts(),
    ...['--proc', '/proc'],
    ...['--dev', '/dev'],
    ...(device?.nodes ?? []).flatMap(({ from, to }) => ['--dev-bind', from, to]),
    ...(device?.information ?? []).flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--size', String(scratch), '--tmpfs', '/dev/shm'],
    ...['--size', String(scratch), '--tmpfs', '/tmp'],
    ...['--size', String(outputSize), '--tmpfs', '/out'],
    ...mounts.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    // Both are memory without a size: /dev would stay writable if only / were closed.
    ...['--remount-ro', '/dev'],
    ...['--remount-ro', '/'],
    ...['--chdir', '/tmp'],
    '--',
    ...['/bin/sh', '-c', GATE, 'sh'],
    // Counted in the program's own user namespace, limits hold for this run alone, whatever else the user runs.
    '/usr/bin/prlimit',
    `--nproc=${limits.processes}`,
    `--nofile=${limits.openFiles}`,
    ...(device?.dataLimit === false ? [] : [`--data=${dataLimit(limits.memoryMb)}`]),
    `--fsize=${Math.max(outputSize, scratch)}`,
    `--cpu=${Math.ceil(limits.seconds) * availableParallelism() + 1}`,
    '--core=0',
    ...(device?.lockedLimit === false ? [] : [`--memlock=${LOCKED_BYTES}`]),
    '--msgqueue=65536',
    ...(facts.landlock.kind === 'setpriv' ? LANDLOCK : []),
    // Last, because a shell exports variables of its own.
    ...['/usr/bin/env', '-i'],
    ...Object.entries(job.environment ?? DEFAULT_ENVIRONMENT).map(
      ([key, value]) => `${key}=${value}`,
    ),
    ...job.command,
  ];
  return [program, ...rest];
};
