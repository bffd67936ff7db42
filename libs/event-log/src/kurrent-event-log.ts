import { setTimeout as sleep } from 'node:timers/promises';
import {
  ok,
  refused,
  type Fact,
  type RecordedEvent,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { admit, type AdmittedBatch } from './admission.ts';
import { EventLogUnavailable, StreamGone } from './errors.ts';
import type { EventTypes } from './event-types.ts';
import { chain, type ChainedEvent } from './hash-chain.ts';
import { kurrentAppends } from './kurrent-appends.ts';
import { connectKurrent, unreachable, type KurrentConnection } from './kurrent-connection.ts';
import { ID_WINDOW, knownHeads } from './kurrent-heads.ts';
import { appendBytes } from './kurrent-records.ts';
import { kurrentStreams } from './kurrent-streams.ts';
import type { KurrentOptions, KurrentRefusal, OpenedKurrentEventLog } from './kurrent-options.ts';
import { place, type Placement } from './placement.ts';
import type { Appended, AppendRefusalCode, EventLog, ReadOptions, StoredEvent } from './port.ts';
import { decodeStored, justRecorded, linkCheck } from './stored-event.ts';

type Outcome = Result<Appended, Refusal<AppendRefusalCode>>;

/** A stream's first events, read at once: with them comes where it stands. */
const FIRST_PAGE = 64;

/** How long an append waits before it looks what came of the one before, in milliseconds. */
const APPEND_PAUSES = [50, 250, 1000, 2000];

const PREFIX = /^[^\s$\p{C}][^\s\p{C}]{0,63}$/u;

const BATCH_APPEND = '/event_store.client.streams.streams/batchappend';

const tooLarge = (bytes: number, limit: number): Outcome =>
  refused({
    code: 'batch-too-large',
    message: `the batch takes ${bytes} bytes on the event store, which takes ${limit} in one append. Nothing was written: store large content as a blob and name its digest, or start the server with a larger --max-append-size (15728640 is near the most it takes).`,
  });

const kurrentEventLog = (
  connection: KurrentConnection,
  prefix: string,
  types: EventTypes,
): EventLog => {
  const server = kurrentStreams(connection, prefix);
  const appends = kurrentAppends(connection);
  const heads = knownHeads();
  /** The end of each stream's queue: one append of a stream at a time, since each needs the hash of the last. */
  const turns = new Map<string, Promise<unknown>>();
  const over = new AbortController();

  const assertOpen = (): void => {
    if (over.signal.aborted) throw new EventLogUnavailable('the event log is closed');
  };

  const asRecorded = (stored: StoredEvent): RecordedEvent => decodeStored(stored, types);
  const asStored = (stored: StoredEvent): StoredEvent => stored;

  /** Reads the end of a stream and what an append to it has to be compared with. */
  const look = async ({ stream, expected, events }: AdmittedBatch) => {
    const ids = new Set(events.map(({ event }) => event.id));
    const first = expected === 'no-stream' ? 0 : expected;
    const wanted = events.length + (expected === 'no-stream' ? 0 : 1);
    const found = new Map<number, StoredEvent>();
    const lastFirst: { readonly revision: number; readonly id: string; readonly hash: string }[] =
      [];
    const there = await server.ending(stream, ID_WINDOW, (event) => {
      const { revision, id, hash } = event;
      // Nothing is chained to an event that is not what was written.
      if (lastFirst.length === 0) decodeStored(event, types);
      lastFirst.push({ revision, id, hash });
      // Only what is compared is kept: a window of large events would fill the memory.
      if (ids.has(id) || (revision >= first && revision < first + wanted))
        found.set(revision, event);
    });
    if (there && lastFirst.length > 0) heads.learn(stream, lastFirst.toReversed());
    else heads.none(stream);
    const head = heads.get(stream)!;
    if (first <= head.revision && !found.has(first)) {
      const earlier = await server.slice(stream, first, 'forwards', wanted);
      for (const event of earlier?.events ?? []) found.set(event.revision, event);
    }
    const byId = new Map([...found.values()].map((event) => [event.id, event]));
    return {
      head: () => (head.revision < 0 ? null : { revision: head.revision, hash: head.hash ?? '' }),
      byId: (id: string) => byId.get(id) ?? null,
      at: (_stream: string, revision: number) => found.get(revision) ?? null,
    };
  };

  /** What is to be done with a batch. Nothing is read when the stream is known to stand where it is expected. */
  const placed = async (
    batch: AdmittedBatch,
    fresh: boolean,
  ): Promise<Result<Placement, Refusal<AppendRefusalCode>>> => {
    const head = fresh ? null : heads.get(batch.stream);
    const expected = batch.expected === 'no-stream' ? -1 : batch.expected;
    if (head?.revision === expected && batch.events.length > 0) {
      const ids = new Set(batch.events.map(({ event }) => event.id));
      if (ids.size === batch.events.length && ![...ids].some((id) => head.ids.has(id)))
        return ok({ kind: 'write', events: chain(head.hash, batch.events) });
    }
    return place(await look(batch), batch);
  };

  const written = (
    batch: AdmittedBatch,
    events: readonly ChainedEvent[],
    revision: number,
    position: number,
  ): Outcome => {
    const last = events.at(-1)!;
    if (revision !== last.revision) {
      heads.forget(batch.stream);
      throw new StreamGone(
        batch.stream,
        'deleted',
        `the event store filed an event of stream ${batch.stream} under revision ${revision} which was written as revision ${last.revision}: the stream was deleted on the server while it was written to, and went on numbering. The log is damaged from position ${position} on: stop, and restore it from a copy.`,
        position,
      );
    }
    for (const { revision: at, event, hash } of events)
      heads.follow(batch.stream, { revision: at, id: event.id, hash });
    return ok({ events: events.map((event) => justRecorded(event, position)), repeated: false });
  };

  const appendInTurn = async (batch: AdmittedBatch): Promise<Outcome> => {
    let reason = '';
    for (let attempt = 0; attempt <= APPEND_PAUSES.length; attempt += 1) {
      assertOpen();
      const placement = await placed(batch, attempt > 0);
      if (!placement.ok) return placement;
      if (placement.value.kind === 'repeated') {
        // What an earlier attempt of this very call wrote was not there before.
        return ok({ events: placement.value.events.map(asRecorded), repeated: attempt === 0 });
      }
      const { events } = placement.value;
      if (events.length === 0) return ok({ events: [], repeated: false });
      const answer = await appends.send(`${prefix}${batch.stream}`, batch.expected, events);
      switch (answer.kind) {
        case 'written':
          if (answer.position !== null)
            return written(batch, events, answer.revision, answer.position);
          reason = 'the server did not say where it wrote';
          break;
        case 'wrong-revision':
          reason = 'the stream kept changing while it was looked at';
          heads.forget(batch.stream);
          continue;
        case 'tombstoned':
          heads.forget(batch.stream);
          // Reading says it, in the words that an auditor needs.
          reason = 'the stream was tombstoned';
          continue;
        case 'too-large':
          return tooLarge(
            events.reduce((sum, event) => sum + appendBytes(event), 0),
            answer.limit,
          );
        case 'denied':
          throw new EventLogUnavailable(
            `appending to stream ${batch.stream} failed: the event store denies access. Its user needs to write our streams: see its ACLs and the credentials in the connection string.`,
          );
        case 'unreadable':
          throw answer.error;
        case 'unknown':
          reason = answer.reason;
      }
      const pause = APPEND_PAUSES[attempt];
      if (pause !== undefined) await sleep(pause);
    }
    throw new EventLogUnavailable(
      `appending to stream ${batch.stream} was not acknowledged after ${APPEND_PAUSES.length + 1} attempts (${reason}). Whether it was written is not known: send the very same events again when the event store answers, and they are written once.`,
    );
  };

  /** Waits for the appends of the same stream that were asked before. */
  const inTurn = <T>(stream: string, act: () => Promise<T>): Promise<T> => {
    const before = turns.get(stream) ?? Promise.resolve();
    const turn = before.then(act, act);
    const settled = turn.catch(() => {});
    turns.set(stream, settled);
    void settled.then(() => {
      if (turns.get(stream) === settled) turns.delete(stream);
    });
    return turn;
  };

  /** Gives events on, and passes on what of the stream's end was seen. */
  async function* forwards<T>(
    stream: string,
    from: number,
    limit: number,
    whole: boolean,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    const page = await server.slice(stream, from, 'forwards', Math.min(limit, FIRST_PAGE));
    if (page === null) {
      heads.none(stream);
      return;
    }
    const first = page.events[0];
    if (whole && first !== undefined && first.revision > from)
      await server.truncated(stream, first.revision);
    let next = from;
    for (const stored of page.events) {
      yield as(stored);
      heads.follow(stream, stored);
      next = stored.revision + 1;
    }
    const left = Math.min(limit - page.events.length, (page.last ?? -1) + 1 - next);
    if (left <= 0 || page.events.length === 0) return;
    for await (const stored of server.stream(stream, next, 'forwards', left)) {
      yield as(stored);
      heads.follow(stream, stored);
    }
  }

  async function* backwards<T>(
    stream: string,
    from: number | 'end',
    limit: number,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    const page = await server.slice(stream, from, 'backwards', Math.min(limit, FIRST_PAGE));
    let given = 0;
    let next = from === 'end' ? (page?.last ?? -1) + 1 : from + 1;
    for (const stored of page?.events ?? []) {
      yield as(stored);
      given += 1;
      next = stored.revision;
    }
    if (given === FIRST_PAGE && given < limit && next > 0)
      for await (const stored of server.stream(stream, next - 1, 'backwards', limit - given)) {
        yield as(stored);
        given += 1;
        next = stored.revision;
      }
    if (page !== null && given < limit && next > 0) await server.truncated(stream, next);
  }

  async function* byRevision<T>(
    stream: string,
    { from, direction = 'forwards', limit = Infinity }: ReadOptions,
    whole: boolean,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    assertOpen();
    if (limit <= 0) return;
    if (direction === 'forwards') yield* forwards(stream, from ?? 0, limit, whole, as);
    else yield* backwards(stream, from ?? 'end', limit, as);
  }

  async function* byPosition<T>(
    after: number,
    limit: number,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    assertOpen();
    if (limit <= 0) return;
    const last = await server.lastPosition();
    if (last === null || last <= after) return;
    for await (const stored of server.all(after, last, limit)) yield as(stored);
  }

  return {
    append: async (stream, expected, events) => {
      assertOpen();
      const admitted = admit(types, stream, expected, events);
      if (!admitted.ok) return admitted;
      return inTurn(stream, () => appendInTurn(admitted.value));
    },

    readStream: <E extends Fact>(stream: string, options: ReadOptions = {}) => {
      const linked = linkCheck(options.direction ?? 'forwards');
      return byRevision(
        stream,
        options,
        true,
        (stored) => linked(asRecorded(stored)) as RecordedEvent<E>,
      );
    },

    readAll: ({ after = 0, limit = Infinity } = {}) => byPosition(after, limit, asRecorded),

    readStored: (options = {}) =>
      'stream' in options
        ? byRevision(options.stream, {}, false, asStored)
        : byPosition(options.after ?? 0, options.limit ?? Infinity, asStored),

    async *subscribe({ after = 0, signal }) {
      const ended = AbortSignal.any([signal, over.signal]);
      for await (const stored of server.follow(after, ended)) {
        if (ended.aborted) return;
        yield asRecorded(stored);
      }
    },

    close: async () => {
      if (over.signal.aborted) return;
      while (turns.size > 0) await Promise.all(turns.values());
      over.abort();
      appends.close();
      await connection.close();
    },
  };
};

/** What `openKurrentEventLog` of the door opens. */
export const openKurrentEventLog = async (
  { connectionString, prefix = '', deadline = 10_000 }: KurrentOptions,
  types: EventTypes,
): Promise<Result<OpenedKurrentEventLog, KurrentRefusal>> => {
  if (prefix !== '' && !PREFIX.test(prefix)) {
    return refused({
      code: 'connection-string-unreadable',
      message: `the prefix of our streams is ${JSON.stringify(prefix)}; it has 1 to 64 characters, no blanks, no $ in front`,
    });
  }
  let connection: KurrentConnection;
  try {
    connection = connectKurrent(connectionString, deadline);
  } catch (error) {
    return refused({
      code: 'connection-string-unreadable',
      message: (error as Error).message,
    });
  }
  try {
    const { version, methods } = await connection.features();
    if (!methods.has(BATCH_APPEND)) {
      await connection.close();
      return refused({
        code: 'event-store-unsuitable',
        message: `the event store is version ${version} and cannot append in batches; use EventStoreDB 23.10 or newer`,
      });
    }
    const log = kurrentEventLog(connection, prefix, types);
    // Reading the end of the log is what every reader needs; without the right to it nothing works.
    await kurrentStreams(connection, prefix).lastPosition();
    return ok({ log, serverVersion: version });
  } catch (error) {
    await connection.close();
    return refused({
      code: 'event-store-unreachable',
      message: unreachable('opening the event log', error).message,
    });
  }
};
