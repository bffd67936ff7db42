import { type Ending, readStatus, type SandboxOutcome } from '#libs/sandbox';
import { isOverfull } from './oversee.ts';
import type { ExecutorJob } from './port.ts';
import type { RunFolder } from './run-folder.ts';

/** A program's end as an engine or a cluster tells it; nothing of the program lives any more. */
export interface Ended {
  readonly ending: Pick<SandboxOutcome, 'ended' | 'exitCode' | 'signal'>;
  readonly durationMs: number;
  readonly log: Pick<SandboxOutcome, 'stdout' | 'stderr' | 'truncated'>;
}

/** `stopped` where somebody ended the program, else what its exit status says. */
export const endingOf = (stopped: Ending | null, status: number): Ended['ending'] =>
  stopped === null ? readStatus(status) : { ended: stopped, exitCode: null, signal: null };

/** Takes what the program left, and says how it ended: one that wrote too much has not ended well. */
export const conclude = async (
  job: ExecutorJob,
  folder: RunFolder,
  { ending, durationMs, log }: Ended,
): Promise<Omit<SandboxOutcome, 'isolation'>> => {
  const overfull = await isOverfull(job, folder);
  const taken = folder.collect(job.outputFiles);
  const tooLarge = overfull || taken.tooLarge || ending.ended === 'output-too-large';
  const ownEnd = ending.ended === 'exited' || ending.ended === 'signalled';
  return {
    ...(tooLarge && ownEnd ? endingOf('output-too-large', 0) : ending),
    durationMs,
    files: tooLarge ? [] : taken.files,
    refusedFiles: taken.refusedFiles,
    ...log,
  };
};

/** Of a job whose caller had given up before anything was started. */
export const ABORTED: Omit<SandboxOutcome, 'isolation'> = {
  ended: 'aborted',
  exitCode: null,
  signal: null,
  durationMs: 0,
  files: [],
  refusedFiles: [],
  stdout: '',
  stderr: '',
  truncated: false,
};
