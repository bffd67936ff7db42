import { setTimeout as sleep } from 'node:timers/promises';
import {
  CorruptEvent,
  decodeStored,
  EventLogUnavailable,
  eventTypes,
  StreamGone,
  UnknownEventVersion,
} from '#libs/event-log';
import { reasonOf, type RecordedEvent, type StoredEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import type { Home } from '../home.ts';
import { pointAcceptedRef } from '../proving/accepted-line.ts';
import { verifyAgain } from '../proving/verify.ts';
import { dutyReader, keyOf, type Duty } from './duties.ts';
import { followRun, studyCache, type Outcome } from './follow-run.ts';
import { markFile, START, type Place } from './mark.ts';
import { withLease } from './with-lease.ts';

export interface SupervisorOptions {
  /** Runs driven at once. */
  readonly runs: number;
  /** What people should know: a duty that could not be done, and is tried again; an event that can't be read. */
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
/** Duties done at once beside the runs: they are short, and must not wait for runs to end. */
const SHORT_DUTIES = 4;

/** Whether an event, not the log, is what can't be read. */
const isDamage = (error: unknown): error is Error =>
  error instanceof CorruptEvent || error instanceof UnknownEventVersion;

const pauseAfter = (failures: number): number =>
  Math.min(RETRY_MS.first * 2 ** (failures - 1), RETRY_MS.most);

interface Pending {
  readonly duty: Duty;
  /** The event before the one that brought it about. */
  readonly since: Place;
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
  const types = eventTypes(EVENT_TYPES);
  const mark = markFile(home.folder, home.log);
  /** The last event that was looked at; null before the mark was read. */
  let last: Place | null = null;
  /** The event before the first one that can't be read: what that one owes is not known. */
  let readable: Place | null = null;
  let timer: NodeJS.Timeout | null = null;

  /** Moves on to an event, and gives the one before it. */
  const moveTo = ({ position, id }: Pick<Place, 'position' | 'id'>): Place => {
    const before = last ?? START;
    last = { before: before.position, position, id };
    return before;
  };

  /** One stream's damage is said, and kept from no other stream's runs; whoever needs the event fails for himself. */
  const passOver = (event: Pick<Place, 'position' | 'id'>, { message }: Error): void => {
    const before = moveTo(event);
    readable ??= before;
    onNotice({ duty: 'follow the log', message, failures: 1, retryInMs: 0 });
  };

  const look = (stored: StoredEvent): void => {
    let event: RecordedEvent;
    try {
      event = decodeStored(stored, types);
    } catch (error) {
      if (!isDamage(error)) throw error;
      passOver(stored, error);
      return;
    }
    note(event);
  };

  const note = (event: RecordedEvent): void => {
    const since = moveTo(event);
    const { owed, settled } = read(event);
    if (settled !== null) pending.delete(keyOf(settled));
    if (owed === null) return;
    const known = pending.get(keyOf(owed));
    if (known === undefined)
      pending.set(keyOf(owed), {
        ...{ duty: owed, since, failures: 0, notBefore: 0, events: 1 },
      });
    else {
      known.events += 1;
      // Only what waits for an event is hurried by one; what failed, or what another runner has, keeps its distance.
      known.notBefore ??= 0;
    }
  };

  /** Everything up to it is settled for good. */
  const lowest = (): Place => {
    let place = readable ?? last ?? START;
    for (const { since } of pending.values()) if (since.position < place.position) place = since;
    return place;
  };

  const perform = async (duty: Duty, signal: AbortSignal): Promise<Outcome> => {
    const { kind, id } = duty;
    switch (kind) {
      case 'run':
        return followRun(home, studies, id, signal);
      case 'verification': {
        const { notRecorded: message } = await verifyAgain(home, id);
        // No verdict of this runner's would be recorded, however often it verified: another one's settles the duty.
        if (message !== null) {
          onNotice({ duty: keyOf(duty), message, failures: 1, retryInMs: 0 });
          return 'waits';
        }
        // A review that came in between kept the verdict from being recorded.
        return (await home.findings.load(id)).state.verificationAsked ? 'again' : 'settled';
      }
      case 'accepted-line':
        await pointAcceptedRef(home, id);
        return 'settled';
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
        message: reasonOf(error),
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
    const driven = [...underWay.keys()].filter((key) => key.startsWith('run:'));
    const free = {
      runs: runs - driven.length,
      others: SHORT_DUTIES - underWay.size + driven.length,
    };
    for (const [key, one] of pending) {
      if (underWay.has(key) || one.notBefore === null) continue;
      if (one.notBefore > now) {
        next = Math.min(next, one.notBefore);
        continue;
      }
      const lane = one.duty.kind === 'run' ? 'runs' : 'others';
      if (free[lane] <= 0) continue;
      free[lane] -= 1;
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
    last ??= await mark.read();
    for await (const stored of home.log.readStored({ after: last.position })) {
      if (stopping.signal.aborted) return;
      look(stored);
    }
    dispatch();
    const after = last.position;
    for await (const event of home.log.subscribe({ after, signal: stopping.signal })) {
      note(event);
      dispatch();
    }
  };

  /** A log that can't be reached is waited for; one that can't be read at all is not. */
  const follow = async (): Promise<void> => {
    const over = (): boolean => stopping.signal.aborted;
    const reached = (): number => last?.position ?? -1;
    let damagedAfter: number | null = null;
    for (let failures = 0; !over();) {
      const stood = reached();
      try {
        await followOnce();
        return;
      } catch (error) {
        if (over()) throw error;
        if (error instanceof StreamGone && error.position !== null) {
          passOver({ position: error.position, id: '' }, error);
          continue;
        }
        // Reading on passes over it and says so; where that can't either, nothing can.
        if (isDamage(error) && reached() !== damagedAfter) {
          damagedAfter = reached();
          continue;
        }
        if (!(error instanceof EventLogUnavailable)) throw error;
        failures = reached() > stood ? 1 : failures + 1;
        const retryInMs = pauseAfter(failures);
        onNotice({ duty: 'follow the log', message: error.message, failures, retryInMs });
        await sleep(retryInMs, null, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const keepMark = async (): Promise<void> => {
    let written = 0;
    for (let failures = 0; !stopping.signal.aborted;) {
      const retryInMs = Math.max(MARK_MS, pauseAfter(failures));
      await sleep(retryInMs, null, { signal: stopping.signal }).catch(() => undefined);
      const now = lowest();
      if (now.position <= written) continue;
      try {
        await mark.write(now);
        written = now.position;
        failures = 0;
      } catch (error) {
        // It only shortens a start: a disk that is full for a while ends nobody's run.
        failures += 1;
        const message = reasonOf(error);
        onNotice({ duty: 'keep the mark', message, failures, retryInMs: pauseAfter(failures) });
      }
    }
  };

  const ended = Promise.all([follow(), keepMark()]).then(() => undefined);
  return {
    status: () => ({
      owed: pending.size,
      underWay: underWay.size,
      position: last?.position ?? 0,
    }),
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
