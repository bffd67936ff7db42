import type { SandboxLayer } from '#libs/harness';

/** Bounds of one program run. Every one is a positive integer, `seconds` may be a fraction. */
export interface SandboxLimits {
  /** Wall clock, from the moment the program starts. */
  readonly seconds: number;
  /** MiB of memory that the whole tree of processes made itself (anonymous, shared and swapped out). */
  readonly memoryMb: number;
  /** Processes and threads, all together; Node needs about 12, two more hold the sandbox. */
  readonly processes: number;
  /** Open files of one process. */
  readonly openFiles: number;
  /** Bytes of stdout and stderr together. */
  readonly logBytes: number;
}

/** What may come out of `/out`: regular files lying directly in it. */
export interface OutputFiles {
  /** The only names taken; without it, any. */
  readonly names?: readonly string[];
  readonly maxFiles: number;
  /** Bytes of all files together. */
  readonly maxBytes: number;
}

/** A host path (file or folder) shown read-only at an absolute path inside. */
export interface ReadOnlyMount {
  readonly from: string;
  readonly to: string;
}

/** A device that the program may use: what the sandbox must show, and which bounds would break its driver. */
export interface SandboxDevice {
  /** Device nodes, by their place on the host and inside (below /dev). */
  readonly nodes: readonly { readonly from: string; readonly to: string }[];
  /** Folders of the host's /sys that the driver reads, shown read-only at the same place; those not there are passed over. */
  readonly information: readonly string[];
  /**
   * False where the driver maps so much memory that a limit on a process's writable data would stop it: the memory
   * of the tree is then bounded by polling alone.
   */
  readonly dataLimit: boolean;
  /** False: a process may lock as much memory as the host lets it, since only root could allow it more; else 64 KiB. */
  readonly lockedLimit: boolean;
  /** Size of /tmp and of /dev/shm, each; a multiple of 4,096. */
  readonly scratchBytes: number;
}

export interface SandboxJob {
  /** Program and arguments, in inside paths: `['/runtime/node', '/program/train.js']`. It starts in `/tmp`. */
  readonly command: readonly string[];
  readonly readOnly: readonly ReadOnlyMount[];
  readonly outputFiles: OutputFiles;
  readonly limits: SandboxLimits;
  /** The exact environment; by default HOME=/tmp, PATH=/usr/bin:/bin, LANG=C.UTF-8, TZ=UTC. */
  readonly environment?: Readonly<Record<string, string>>;
  /** None by default: the program then sees no device but those of every process (null, zero, random, …). */
  readonly device?: SandboxDevice;
  /** Each line of stdout as it comes: control characters stripped, at most 4 KiB. For progress only. */
  readonly onOutput?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export const ENDINGS = [
  /** By itself: see `exitCode`. */
  'exited',
  /** By a signal that was not the harness's: see `signal`. */
  'signalled',
  'timed-out',
  'output-too-large',
  'log-too-large',
  'memory-exceeded',
  /** The caller's signal. */
  'aborted',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** What isolation ran, as every adapter of it says: plain JSON, so that it can stand in an event. */
export interface IsolationReport {
  readonly kind: 'bubblewrap' | 'docker' | 'kubernetes';
  /** `by-network-policy`: the cluster's network plugin keeps it away, and is trusted to. */
  readonly network: 'none' | 'by-network-policy';
  /** Every layer that held, in the order of SANDBOX_LAYERS. */
  readonly layers: readonly SandboxLayer[];
  /** Of the job; null in a report that is about no job. */
  readonly limits: LimitsReport | null;
}

export type LimitsReport = SandboxLimits & {
  readonly outputFiles: number;
  readonly outputBytes: number;
};

/** What isolation the sandbox of this machine is. */
export interface BubblewrapReport extends IsolationReport {
  readonly kind: 'bubblewrap';
  /** Of bubblewrap. */
  readonly version: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly network: 'none';
  readonly seccomp: true;
  /** SHA-256, lower-case hex, of the filter's bytes. */
  readonly seccompFilter: string;
  /** The host's user id that the program has; never 0. */
  readonly user: number;
  /** The program lives in user namespaces of its own and can make no further ones. */
  readonly userNamespaces: 'own-and-closed';
  readonly capabilities: 'none';
  readonly environment: 'empty';
  readonly outputBound: 'sized-tmpfs';
  /** Memory of the tree is limited by polling; writable data of a process by the kernel as well, unless a device forbids. */
  readonly memoryBound: 'rlimit-data-and-polled' | 'polled';
  /** Which control group each job gets besides: processes and memory, processes alone, or none. */
  readonly cgroup: 'v2-memory-and-pids' | 'v1-pids' | 'none';
  /** Size of /tmp and of /dev/shm, each. */
  readonly scratchBytes: number;
  /** Device nodes that the program was shown besides those of every process: paths inside, separated by spaces. */
  readonly deviceNodes: string;
}

export interface SandboxOutcome {
  readonly ended: Ending;
  /** Null unless `ended` is `exited`. */
  readonly exitCode: number | null;
  /** Null unless `ended` is `signalled`. A program that exits with 128 + n reads as ended by signal n, as in a shell. */
  readonly signal: string | null;
  /** From the program's start to the death of its last descendant. */
  readonly durationMs: number;
  /** By name; empty when `ended` is `output-too-large`. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  /** What lay in `/out` and was not taken (the first hundred). */
  readonly refusedFiles: readonly { readonly path: string; readonly why: string }[];
  /** As the program wrote it, invalid UTF-8 replaced: sanitize before you show it. */
  readonly stdout: string;
  readonly stderr: string;
  /** True when bytes of stdout or stderr were dropped. */
  readonly truncated: boolean;
  readonly isolation: IsolationReport;
}

/**
 * Runs programs that nobody trusts. Port; the adapter here is bubblewrap on Linux.
 *
 * `run` resolves with an outcome for whatever the program did. It rejects with {@link SandboxUnavailable} when
 * the sandbox itself could not be set up or was killed: that says nothing about the program.
 */
export interface Sandbox {
  run(job: SandboxJob): Promise<SandboxOutcome & { readonly isolation: BubblewrapReport }>;
  readonly report: BubblewrapReport;
}

/** Where jobs' control groups can be made, or why not. */
export type CgroupFacts =
  | { readonly kind: 'v2'; readonly folder: string }
  | { readonly kind: 'v1-pids'; readonly folder: string }
  | { readonly kind: 'none'; readonly why: string };

/** Whether the kernel checks paths by Landlock, which `setpriv` asks it for; and why not. */
export type LandlockFacts =
  { readonly kind: 'setpriv' } | { readonly kind: 'none'; readonly why: string };

/** What this machine offers. */
export interface SandboxFacts {
  /** Absolute path of the program. */
  readonly bwrap: string;
  readonly version: string;
  readonly kernel: string;
  readonly architecture: 'x64' | 'arm64';
  /** The host's user and group ids that programs will have. */
  readonly user: number;
  readonly group: number;
  /** True when the harness is root and hands programs to `user`; else programs have its own user id. */
  readonly changesUser: boolean;
  /** The kernel knows namespaces of control groups. */
  readonly cgroupNamespace: boolean;
  readonly cgroups: CgroupFacts;
  readonly landlock: LandlockFacts;
}

export type SandboxRefusalCode =
  /** Not Linux on x64 or arm64: the sandbox is made of Linux namespaces and a filter for these two. */
  | 'unsupported-platform'
  /** bubblewrap, or a tool of util-linux or coreutils that it is started with, isn't there. */
  | 'sandbox-missing'
  | 'sandbox-too-old'
  /** Everything is there, but a trial run failed: mostly user namespaces that the host forbids. */
  | 'sandbox-does-not-work';

/** The sandbox could not do its work (broken infrastructure); the program is not to blame, and did not run on. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable';
}
