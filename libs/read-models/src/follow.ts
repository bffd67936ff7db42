import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogUnavailable, type EventLog } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { keepRenewed, LeasesUnavailable, type Lease, type Leases } from '#libs/leases';
import { MOST_BYTES, MOST_EVENTS } from './batch.ts';
import { ViewsUnavailable } from './errors.ts';
import type { ReadModels } from './read-models.ts';

/** What the projector needs of the log. */
export type FollowedLog = Pick<EventLog, 'subscribe'>;

export type Progress =
  /** Another process projects; this one takes over when it stops. */
  | { readonly kind: 'standing-by' }
  /** This process projects, under this fencing token. */
  | { readonly kind: 'leading'; readonly token: number }
  | { readonly kind: 'projected'; readonly events: number; readonly position: number }
  /** The lease is lost: nothing more is written under it. */
  | { readonly kind: 'lost'; readonly token: number }
  /** The log, the views or the leases are out of reach; tried again after the pause. */
  | { readonly kind: 'failed'; readonly error: Error; readonly retryInMs: number };

export interface FollowOptions {
  readonly views: ReadModels;
  readonly log: FollowedLog;
  readonly leases: Leases;
  /** Ends it: the lease is released, and the promise resolves. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Name of the lease that the processes on one database share; default `projector`. */
  readonly name?: string;
  /** After how long without a word from its holder another takes over, in milliseconds; default 10,000. */
  readonly ttlMs?: number;
  /** How long an event waits for others to be written with, in milliseconds; default 20. */
  readonly lingerMs?: number;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Keeps the views at the log's end until `signal` aborts. Of all processes that do this on one database the holder of
 * the lease projects and the others stand by. The lease saves work only: that each event counts once is held by the
 * position, which moves with the rows. What is out of reach is waited for. Throws what the views can't take: events out
 * of order, or of a form that this program does not know.
 *
 * @example
 * const stop = new AbortController();
 * await followLog({ views, log, leases, signal: stop.signal });
 */
export const followLog = async (options: FollowOptions): Promise<void> => {
  const { leases, signal, name = 'projector', ttlMs = 10_000 } = options;
  const report = options.onProgress ?? (() => undefined);
  let pause = FIRST_PAUSE_MS;
  let standing = false;
  while (!signal.aborted) {
    try {
      const lease = await leases.acquire(name, ttlMs);
      if (lease === null) {
        if (!standing) report({ kind: 'standing-by' });
        standing = true;
        await wait(ttlMs / 3, signal);
        continue;
      }
      standing = false;
      report({ kind: 'leading', token: lease.token });
      await lead(options, lease, ttlMs, (progress) => {
        pause = FIRST_PAUSE_MS;
        report(progress);
      });
    } catch (error) {
      if (!isPassing(error)) throw error;
      report({ kind: 'failed', error, retryInMs: pause });
      await wait(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
};

const isPassing = (error: unknown): error is Error =>
  error instanceof ViewsUnavailable ||
  error instanceof LeasesUnavailable ||
  error instanceof EventLogUnavailable;

/** Projects for as long as the lease is held. */
const lead = async (
  { views, log, signal, lingerMs = 20 }: FollowOptions,
  lease: Lease,
  ttlMs: number,
  report: (progress: Progress) => void,
): Promise<void> => {
  const stopRenewing = keepRenewed(lease, ttlMs);
  const done = new AbortController();
  const ended = AbortSignal.any([signal, lease.lost, done.signal]);
  try {
    while (!ended.aborted && lease.held()) {
      let after = await views.position();
      const subscribed = log.subscribe({ signal: ended, ...(after !== null && { after }) });
      for await (const batch of batches(subscribed, after, lingerMs)) {
        const stands = await takeBatch(views, lease, batch, after, report);
        if (stands === 'elsewhere') break;
        after = stands;
      }
      // Not at once again, should it end at once again.
      await wait(lingerMs, ended);
    }
    if (!signal.aborted) report({ kind: 'lost', token: lease.token });
  } finally {
    done.abort();
    stopRenewing();
    // A database that is down keeps it until its time is over.
    await lease.release().catch(() => undefined);
  }
};

/** Where the views stand afterwards; elsewhere: not where this process can go on, or no longer by this process. */
const takeBatch = async (
  views: ReadModels,
  lease: Lease,
  batch: readonly RecordedEvent[],
  after: number | null,
  report: (progress: Progress) => void,
): Promise<number | null | 'elsewhere'> => {
  let from = after;
  for (;;) {
    const stood = from;
    const events = batch.filter(({ position }) => stood === null || position > stood);
    const last = events.at(-1);
    if (last === undefined) return from;
    // Asked before each write: a process that was stopped hears of the loss only afterwards.
    if (!lease.held()) return 'elsewhere';
    if (await views.take(events, from)) {
      report({ kind: 'projected', events: events.length, position: last.position });
      return last.position;
    }
    // Somebody else has projected some of these; or has made the views anew, from another start.
    const stands = await views.position();
    if (stands === null || (from !== null && stands <= from)) return 'elsewhere';
    from = stands;
  }
};

const LATE = Symbol('late');

/**
 * Events in batches: what comes within `lingerMs` of a batch's first, up to a batch's size. A subscription may give an
 * event again after its connection broke; what is not beyond the last one is left out.
 */
async function* batches(
  events: AsyncIterable<RecordedEvent>,
  after: number | null,
  lingerMs: number,
): AsyncGenerator<readonly RecordedEvent[]> {
  const iterator = events[Symbol.asyncIterator]();
  let asked: Promise<IteratorResult<RecordedEvent>> | null = null;
  let last = after;
  try {
    for (;;) {
      const batch: RecordedEvent[] = [];
      const given = new AbortController();
      let late: Promise<typeof LATE> | null = null;
      let over = false;
      for (let bytes = 0; batch.length < MOST_EVENTS && bytes < MOST_BYTES;) {
        asked ??= iterator.next();
        const next = await (late === null ? asked : Promise.race([asked, late]));
        if (next === LATE) break;
        asked = null;
        over = next.done === true;
        if (over) break;
        const event = (next as IteratorYieldResult<RecordedEvent>).value;
        if (last !== null && event.position <= last) continue;
        last = event.position;
        batch.push(event);
        bytes += event.canonical.byteLength;
        late ??= lateAfter(lingerMs, given.signal);
      }
      given.abort();
      if (batch.length > 0) yield batch;
      if (over) return;
    }
  } finally {
    asked?.catch(() => undefined);
    // Not awaited: it waits for the next event, which comes when the subscription's signal aborts.
    void iterator.return?.().catch(() => undefined);
  }
}

const lateAfter = (milliseconds: number, signal: AbortSignal): Promise<typeof LATE> =>
  sleep(milliseconds, LATE, { signal }).catch((): typeof LATE => LATE);

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);
