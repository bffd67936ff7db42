import { posix } from 'node:path';
import type { SandboxLayer } from '#libs/harness';
import {
  commonProblem,
  DEFAULT_ENVIRONMENT,
  type OutputFiles,
  type ReadOnlyMount,
  type SandboxLimits,
  type SandboxOutcome,
} from '#libs/sandbox';
import type { Device } from './devices.ts';

/** Where programs run: contained on this machine, in a container of an engine, or in a cluster. */
export const EXECUTOR_KINDS = ['sandbox', 'docker', 'kubernetes'] as const;
export type ExecutorKind = (typeof EXECUTOR_KINDS)[number];

/** What runs a program: an interpreter by the digest of its binary, or an image by its own. */
export interface RuntimeRecord {
  /** `node`, or `oci-image`. */
  readonly name: string;
  /** Of the interpreter; for an image its repository. */
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** One program to run. It names no interpreter: each executor has its own. */
export interface ExecutorJob {
  /** The program's first file, relative to `/program`. */
  readonly entry: string;
  /** Host paths (files or folders of regular files) shown read-only; one of them at `/program`. */
  readonly readOnly: readonly ReadOnlyMount[];
  readonly outputFiles: OutputFiles;
  readonly limits: SandboxLimits;
  /** Whose program it is: what is left of it on an engine or a cluster is found again by this. */
  readonly owner: { readonly runId: string; readonly trainingId: string };
  /** By default HOME=/tmp, LANG=C.UTF-8, TZ=UTC and the executor's PATH; a device adds what its driver reads. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Each line of stdout as it comes, sanitized, at most 4 KiB. For progress only. */
  readonly onOutput?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs programs that nobody trusts, with at most one device. Port; the adapters are the sandbox of this machine,
 * Docker and Kubernetes.
 *
 * `run` resolves with an outcome for whatever the program did, once nothing of the program lives. It rejects with
 * SandboxUnavailable when the executor itself could not do its work (engine gone, image missing, node lost, pod
 * evicted): that says nothing about the program, and it may be run again.
 */
export interface Executor {
  readonly kind: ExecutorKind;
  readonly runtime: RuntimeRecord;
  /** The one device that programs get, or null: none, or one that the cluster chooses. */
  readonly device: Device | null;
  /** The layers that contain every program run here: what a study may demand. */
  readonly layers: readonly SandboxLayer[];
  run(job: ExecutorJob): Promise<SandboxOutcome>;
}

/** What is wrong with a job, wherever it is to run: null for a good one. */
export const executorJobProblem = (job: ExecutorJob): string | null => {
  const { entry, readOnly, owner } = job;
  if (
    entry === '' ||
    posix.isAbsolute(entry) ||
    posix.normalize(entry) !== entry ||
    entry.startsWith('..') ||
    entry.endsWith('/') ||
    entry.includes('\0')
  )
    return `${JSON.stringify(entry)} is no file below /program`;
  if (!readOnly.some(({ to }) => to === '/program')) return 'nothing is mounted at /program';
  if (owner.runId === '' || owner.trainingId === '') return 'its owner has no name';
  return commonProblem(job);
};

/** Throws where a job is not one: a bug of the caller. */
export const checkJob = (job: ExecutorJob): void => {
  const problem = executorJobProblem(job);
  if (problem !== null) throw new TypeError(`not an executor's job: ${problem}`);
};

/** The environment in a container: the image's own PATH stays, since only the image knows its folders. */
export const containerEnvironment = (
  job: Pick<ExecutorJob, 'environment'>,
): Record<string, string> => {
  const { HOME, LANG, TZ } = DEFAULT_ENVIRONMENT;
  return { ...(job.environment ?? { HOME, LANG, TZ }) };
};
