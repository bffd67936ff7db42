import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogUnavailable } from '#libs/event-log';
import type { Home } from '../home.ts';
import { pointAcceptedRef } from '../proving/accepted-line.ts';
import { verifyAgain } from '../proving/verify.ts';
import { dutyReader, keyOf, type Duty } from './duties.ts';
import { followRun, studyCache, type Outcome } from './follow-run.ts';
import { markFile } from './mark.ts';
import { withLease } from './with-lease.ts';

export interface SupervisorOptions {
  /** Runs driven at once. */
  readonly runs: number;
  /** What people should know: a duty that could not be done, and is tried again. */
  readonly onNotice?: (notice: SupervisorNotice) => void;
}

export interface SupervisorNotice {
  readonly duty: string;
  readonly message: string;
  /** Tries in a row that failed, and when the next one is. */
  readonly failures: number;
  readonly retryInMs: number;
}

export interface SupervisorStatus {
  /** Runs and other duties that are owed. */
  readonly owed: number;
  /** Of them under way here. */
  readonly underWay: number;
  /** The last event that was looked at. */
  readonly position: number;
}

export interface Supervisor {
  readonly status: () => SupervisorStatus;
  /** Rejects when the log can't be followed any more, for a reason that waiting does not mend. */
  readonly ended: Promise<void>;
  /**
   * Takes up nothing new and gives each run so long to finish the step under way. What does not is left as it is: the
   * next runner reads the log and goes on.
   */
  stop(graceMs: number): Promise<void>;
}

/** How often a duty that another runner holds, or that failed, is looked at again. */
const RETRY_MS = { held: 2_000, first: 1_000, most: 60_000 } as const;
/** How often the mark is written. */
const MARK_MS = 5_000;

const pauseAfter = (failures: number): number =>
  Math.min(RETRY_MS.first * 2 ** (failures - 1), RETRY_MS.most);

interface Pending {
  readonly duty: Duty;
  /** Position of the event that brought it about. */
  readonly since: number;
  failures: number;
  /** Not before this moment, by the process's own clock; null: it waits for an event. */
  notBefore: number | null;
  /** Events that were about it: any that came while it was under way, and it is looked at once more. */
  events: number;
}

/**
 * Does what the log says is owed: opens the runs that were asked for, drives every open one, verifies what somebody
 * asked about, moves accepted lines. Holds no truth: stopped anywhere, here or on another host, whoever starts next
 * reads the log and goes on.
 */
export const supervise = async (
  home: Home,
  { runs, onNotice = () => undefined }: SupervisorOptions,
): Promise<Supervisor> => {
  const stopping = new AbortController();
  const read = dutyReader();
  const studies = studyCache();
  const pending = new Map<string, Pending>();
  const underWay = new Map<string, Promise<void>>();
  const mark = markFile(home.folder);
  let position = await mark.read();
  let timer: NodeJS.Timeout | null = null;

  const note = (event: Parameters<typeof read>[0]): void => {
    position = event.position;
    const { owed, settled } = read(event);
    if (settled !== null) pending.delete(keyOf(settled));
    if (owed === null) return;
    const known = pending.get(keyOf(owed));
    if (known === undefined)
      pending.set(keyOf(owed), {
        ...{ duty: owed, since: event.position, failures: 0, notBefore: 0, events: 1 },
      });
    else {
      known.events += 1;
      // Only what waits for an event is hurried by one; what failed, or what another runner has, keeps its distance.
      known.notBefore ??= 0;
    }
  };

  /** Everything before it is settled for good. */
  const lowest = (): number =>
    Math.min(position, ...[...pending.values()].map(({ since }) => since - 1));

  const perform = ({ kind, id }: Duty, signal: AbortSignal): Promise<Outcome> => {
    switch (kind) {
      case 'run':
        return followRun(home, studies, id, signal);
      case 'verification':
        return verifyAgain(home, id).then(() => 'settled');
      case 'accepted-line':
        return pointAcceptedRef(home, id).then(() => 'settled');
    }
  };

  const take = async (key: string, one: Pending): Promise<void> => {
    const { events } = one;
    try {
      const outcome = await withLease(home.leases, key, stopping.signal, (signal) =>
        perform(one.duty, signal),
      );
      one.failures = 0;
      switch (outcome) {
        case 'settled':
          if (one.events === events) pending.delete(key);
          break;
        case 'waits':
          one.notBefore = one.events === events ? null : 0;
          break;
        case 'again':
        case 'held':
          one.notBefore = performance.now() + RETRY_MS.held;
          break;
      }
    } catch (error) {
      one.failures += 1;
      const retryInMs = pauseAfter(one.failures);
      one.notBefore = performance.now() + retryInMs;
      onNotice({
        ...{ duty: key, failures: one.failures, retryInMs },
        message: error instanceof Error ? error.message : String(error),
      });
    }
  };

  /** Starts whatever is due, and comes back when the next thing is. */
  const dispatch = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (stopping.signal.aborted) return;
    const now = performance.now();
    let next = Infinity;
    for (const [key, one] of pending) {
      if (underWay.has(key) || one.notBefore === null) continue;
      if (one.notBefore > now) {
        next = Math.min(next, one.notBefore);
        continue;
      }
      if (underWay.size >= runs) break;
      underWay.set(
        key,
        take(key, one).finally(() => {
          underWay.delete(key);
          dispatch();
        }),
      );
    }
    if (next < Infinity) timer = setTimeout(dispatch, next - now);
  };

  const followOnce = async (): Promise<void> => {
    // What is settled later in the log must not be begun before that is known.
    for await (const event of home.log.readAll({ after: position })) {
      if (stopping.signal.aborted) return;
      note(event);
    }
    dispatch();
    for await (const event of home.log.subscribe({ after: position, signal: stopping.signal })) {
      note(event);
      dispatch();
    }
  };

  /** A log that can't be reached is waited for; one that can't be read is not. */
  const follow = async (): Promise<void> => {
    const over = (): boolean => stopping.signal.aborted;
    for (let failures = 0; !over();) {
      const stood = position;
      try {
        await followOnce();
        return;
      } catch (error) {
        if (!(error instanceof EventLogUnavailable) || over()) throw error;
        failures = position > stood ? 1 : failures + 1;
        const retryInMs = pauseAfter(failures);
        onNotice({ duty: 'follow the log', message: error.message, failures, retryInMs });
        await sleep(retryInMs, null, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const keepMark = async (): Promise<void> => {
    let written = -1;
    while (!stopping.signal.aborted) {
      await sleep(MARK_MS, null, { signal: stopping.signal }).catch(() => undefined);
      const now = lowest();
      if (now > written) await mark.write(now);
      written = now;
    }
  };

  const ended = Promise.all([follow(), keepMark()]).then(() => undefined);
  return {
    status: () => ({ owed: pending.size, underWay: underWay.size, position }),
    ended,
    stop: async (graceMs) => {
      stopping.abort();
      if (timer !== null) clearTimeout(timer);
      const patience = new AbortController();
      await Promise.race([
        Promise.allSettled([...underWay.values(), ended]),
        sleep(graceMs, null, { signal: patience.signal }).catch(() => undefined),
      ]);
      patience.abort();
    },
  };
};
