import { constants } from 'node:os';
import type { SandboxOutcome } from './types.ts';

const signalName = (number: number): string | null =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;

/** An exit status as a shell reads it, 128 + n being signal n: bubblewrap and container engines hand on no more. */
export const readStatus = (
  status: number,
): Pick<SandboxOutcome, 'ended' | 'exitCode' | 'signal'> => {
  const signal = status > 128 ? signalName(status - 128) : null;
  return signal === null
    ? { ended: 'exited', exitCode: status, signal: null }
    : { ended: 'signalled', exitCode: null, signal };
};
