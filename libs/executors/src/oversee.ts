import { setTimeout as wait } from 'node:timers/promises';
import type { Ending } from '#libs/sandbox';
import type { ExecutorJob } from './port.ts';
import type { RunFolder } from './run-folder.ts';

/** Names that may exist for a moment (written aside, then renamed) without ending the run. */
const PASSING_ENTRIES = 64;
const PAGE = 4096;

/** Bytes that the output folder may occupy: every file may fill its last page badly. */
export const outputBound = ({ outputFiles }: Pick<ExecutorJob, 'outputFiles'>): number =>
  outputFiles.maxBytes + outputFiles.maxFiles * PAGE;

/** Whether what lies in the output folder is more than a job may write. */
export const isOverfull = async (job: ExecutorJob, folder: RunFolder): Promise<boolean> => {
  const most = job.outputFiles.maxFiles + PASSING_ENTRIES;
  const { bytes, entries } = await folder.use(most);
  return bytes > outputBound(job) || entries > most;
};

/**
 * Watches a running program's clock, its output folder and the caller's signal, and calls `stop` with the reason
 * when one of them says so (more than once, maybe); `fail` when it can't look. Call the result when the program has ended.
 */
export const oversee = (
  job: ExecutorJob,
  folder: RunFolder,
  pollMs: number,
  { stop, fail }: { readonly stop: (why: Ending) => void; readonly fail: (error: Error) => void },
): (() => void) => {
  const over = new AbortController();
  const clock = setTimeout(() => stop('timed-out'), job.limits.seconds * 1000);
  const abort = () => stop('aborted');
  job.signal?.addEventListener('abort', abort, { once: true });
  if (job.signal?.aborted === true) abort();
  const poll = async () => {
    while (!over.signal.aborted) {
      if (await isOverfull(job, folder)) stop('output-too-large');
      await wait(pollMs, undefined, { signal: over.signal });
    }
  };
  poll().catch((error: unknown) => {
    if (!over.signal.aborted) fail(error as Error);
  });
  return () => {
    over.abort();
    clearTimeout(clock);
    job.signal?.removeEventListener('abort', abort);
  };
};

/** The promise, or an error after `ms` that says what was waited for. */
export const within = async <T>(ms: number, what: string, promise: Promise<T>): Promise<T> => {
  const timer = new AbortController();
  const late = wait(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took more than ${ms / 1000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
};
