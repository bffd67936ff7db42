import { setTimeout as sleep } from 'node:timers/promises';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { RunState } from '#libs/run';
import { driveRun, isSteppedBack, type Drive } from '../drive-run.ts';
import type { Home } from '../home.ts';
import { keyOf } from './duties.ts';
import { withLease } from './with-lease.ts';

/** How long a lease lasts that was not given back: whoever resumes a run after a crash waits no longer. */
const LEASE_MS = 5_000;
/** How often it is looked whether the run is over, or free to be driven. */
const LOOK_MS = 500;

type Waiting = 'driven-elsewhere' | 'agent';

export interface DriveInTurn extends Drive {
  /** Called when there is nothing to do here for now: another process drives the run, or its agent is awaited. */
  readonly onWaiting?: (why: Waiting) => void;
}

/**
 * Follows a run to its end: drives it while nobody else does, waits while a server or another command line does, and
 * takes it up where that one leaves it.
 */
export const driveInTurn = async (
  home: Home,
  { onWaiting = () => undefined, signal = new AbortController().signal, ...drive }: DriveInTurn,
): Promise<Result<RunState, Refusal>> => {
  const { runId } = drive;
  const isStopped = (): boolean => signal.aborted;
  let said: Waiting | null = null;
  const wait = async (why: Waiting): Promise<void> => {
    if (why !== said) onWaiting(why);
    said = why;
    await sleep(LOOK_MS, null, { signal }).catch(() => undefined);
  };
  for (;;) {
    const driven = await withLease(
      home.leases,
      keyOf({ kind: 'run', id: runId }),
      signal,
      (held) => driveRun(home, { ...drive, signal: held }),
      LEASE_MS,
    );
    if (driven !== 'held') {
      if (driven.ok && driven.value.node === 'sealed') return driven;
      // Interrupted by the loss of the lease, it is somebody else's turn.
      const isOthers = !driven.ok && isSteppedBack(driven.error) && !isStopped();
      if (!driven.ok && !isOthers) return driven;
    }
    if (isStopped())
      return refused({
        code: 'interrupted',
        message: `stopped following ${runId}, which goes on where it is driven; see it with: holdfast watch ${runId}`,
      });
    const { state } = await home.runs.load(runId);
    if (state.node === 'sealed') return ok(state);
    await wait(driven !== 'held' && driven.ok ? 'agent' : 'driven-elsewhere');
  }
};
