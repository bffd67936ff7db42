import { StreamGone, CorruptEvent } from './errors.ts';
import {
  exceptionOf,
  grpcCode,
  isDenied,
  unreachable,
  type KurrentConnection,
} from './kurrent-connection.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { storedFrom, streamOf, TOMBSTONE, typeOf, wholeNumber } from './kurrent-records.ts';
import {
  allRequest,
  probeRequest,
  streamRequest,
  subscriptionRequest,
} from './kurrent-requests.ts';
import type { StoredEvent } from './port.ts';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';

/** How a reading is made good that fails before it gave anything: it changes nothing, so it can be made again. */
const READ_PAUSES = [50, 250, 1000];

/** A reconnection waits so long, doubled each time up to the second one, in milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;

const SOFT_DELETED = 9223372036854775807n;

/** One answer to a reading of a stream. */
export interface StreamSlice {
  readonly events: readonly StoredEvent[];
  /** The last revision of the stream as the server told it after these events; null when it told none. */
  readonly last: number | null;
}

/** What can be asked of the server about our streams, in our names and numbers. */
export interface KurrentStreams {
  /** A slice of a stream in memory. Throws {@link StreamGone} unless the stream never was: that is null. */
  readonly slice: (
    stream: string,
    from: number | 'end',
    direction: 'forwards' | 'backwards',
    count: number,
  ) => Promise<StreamSlice | null>;
  /** Shows the last `count` events of a stream, the last one first. False when the stream never was. */
  readonly ending: (
    stream: string,
    count: number,
    see: (event: StoredEvent) => void,
  ) => Promise<boolean>;
  /** What `slice` gives, one by one, of a stream that is there. */
  readonly stream: (
    stream: string,
    from: number,
    direction: 'forwards' | 'backwards',
    count: number,
  ) => AsyncGenerator<StoredEvent>;
  /** The position of our last event, null when there is none. */
  readonly lastPosition: () => Promise<number | null>;
  /** Our events after `after`, in log order, `count` at most. */
  readonly all: (after: number, upTo: number, count: number) => AsyncGenerator<StoredEvent>;
  /** The same for ever, through any number of connections, until `signal` aborts. */
  readonly follow: (after: number, signal: AbortSignal) => AsyncGenerator<StoredEvent>;
  /** Throws that `stream` is not all there, with what its settings on the server say. */
  readonly truncated: (stream: string, first: number) => Promise<never>;
}

const isTombstoned = (error: unknown): boolean => exceptionOf(error) === 'stream-deleted';

const tombstoned = (stream: string, position: number | null = null): StreamGone =>
  new StreamGone(
    stream,
    'tombstoned',
    `stream ${stream} was tombstoned on the server${position === null ? '' : ` (position ${position})`}: somebody with rights to delete removed it for ever. What was appended to it can be had from a copy of the log only; ask who holds those rights, and see the server's audit log.`,
    position,
  );

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

export const kurrentStreams = (connection: KurrentConnection, prefix: string): KurrentStreams => {
  /** Makes a reading that failed before its first answer again, a few times. */
  async function* reading(request: ReadReq, doing: string): AsyncGenerator<ReadResp> {
    for (let attempt = 0; ; attempt += 1) {
      let answered = false;
      try {
        for await (const response of connection.read(request)) {
          answered = true;
          yield response;
        }
        return;
      } catch (error) {
        const pause = READ_PAUSES[attempt];
        if (
          answered ||
          pause === undefined ||
          isTombstoned(error) ||
          isDenied(error) ||
          isOffBoundary(error)
        )
          throw isTombstoned(error) || isOffBoundary(error) ? error : unreachable(doing, error);
        await sleep(pause);
      }
    }
  }

  /** The last settings of a stream on the server, as JSON text; null when it has none. */
  const settingsOf = async (stream: string): Promise<string | null> => {
    const request = streamRequest(`$$${prefix}${stream}`, 'end', 'backwards', 1);
    for await (const response of reading(request, `reading the settings of stream ${stream}`)) {
      const record = response.getEvent()?.getEvent();
      if (record !== undefined) return textOf(record.getData_asU8());
    }
    return null;
  };

  /** Passes when a stream that the server does not find never was. */
  const mustBeNew = async (stream: string): Promise<void> => {
    const settings = await settingsOf(stream);
    const before = settings === null ? null : /"\$tb"\s*:\s*(\d+)/.exec(settings);
    if (before?.[1] === undefined) return;
    throw new StreamGone(
      stream,
      BigInt(before[1]) === SOFT_DELETED ? 'deleted' : 'truncated',
      `stream ${stream} was deleted on the server (its settings there: ${settings}): its events are hidden, and a scavenge removes them. It is not a new stream, since its next event would not be number 0. Bring it back by setting $tb to 0 before the next scavenge, and ask who deleted it.`,
    );
  };

  const truncated = async (stream: string, first: number): Promise<never> => {
    const settings = await settingsOf(stream);
    throw new StreamGone(
      stream,
      'truncated',
      `stream ${stream} begins at revision ${first} on the server, so ${first} ${first === 1 ? 'event is' : 'events are'} hidden or removed (its settings there: ${settings ?? 'none'}). $maxCount, $maxAge or $tb did that, or a delete after which the stream went on. Take them away before the next scavenge, and ask who set them.`,
    );
  };

  async function* records(
    stream: string,
    request: ReadReq,
  ): AsyncGenerator<{ event: StoredEvent } | { last: number } | { first: number } | 'none'> {
    try {
      for await (const response of reading(request, `reading stream ${stream}`)) {
        if (response.hasStreamNotFound()) yield 'none';
        if (response.hasLastStreamPosition())
          yield { last: wholeNumber(response.getLastStreamPosition(), 'the revision') };
        if (response.hasFirstStreamPosition())
          yield { first: wholeNumber(response.getFirstStreamPosition(), 'the revision') };
        const record = response.getEvent()?.getEvent();
        if (record !== undefined) yield { event: storedFrom(record, prefix) };
      }
    } catch (error) {
      throw isTombstoned(error) ? tombstoned(stream) : error;
    }
  }

  const ours = (record: ReadResp.ReadEvent.RecordedEvent): StoredEvent => {
    if (typeOf(record) === TOMBSTONE)
      throw tombstoned(
        streamOf(record).slice(prefix.length),
        wholeNumber(record.getCommitPosition(), 'the position'),
      );
    return storedFrom(record, prefix);
  };

  /** Where a reading starts: the server takes the position of a record only, so any other one means the beginning. */
  const startOf = async (after: number): Promise<number | 'start'> => {
    if (after <= 0) return 'start';
    try {
      for await (const _response of reading(probeRequest(after), 'reading the event store'));
      return after;
    } catch (error) {
      if (isOffBoundary(error)) return 'start';
      throw unreachable('reading the event store', error);
    }
  };

  return {
    slice: async (stream, from, direction, count) => {
      const events: StoredEvent[] = [];
      let last: number | null = null;
      const request = streamRequest(`${prefix}${stream}`, from, direction, count);
      for await (const found of records(stream, request)) {
        if (found === 'none') {
          await mustBeNew(stream);
          return null;
        }
        if ('event' in found) events.push(found.event);
        if ('last' in found) last = found.last;
      }
      return { events, last };
    },

    ending: async (stream, count, see) => {
      for await (const found of records(
        stream,
        streamRequest(`${prefix}${stream}`, 'end', 'backwards', count),
      )) {
        if (found === 'none') {
          await mustBeNew(stream);
          return false;
        }
        if ('event' in found) see(found.event);
      }
      return true;
    },

    async *stream(stream, from, direction, count) {
      const request = streamRequest(`${prefix}${stream}`, from, direction, count);
      for await (const found of records(stream, request))
        if (found !== 'none' && 'event' in found) yield found.event;
    },

    lastPosition: async () => {
      const request = allRequest(prefix, 'end', 'backwards', 1);
      for await (const response of reading(request, 'reading the end of the log')) {
        const record = response.getEvent()?.getEvent();
        if (record !== undefined) return wholeNumber(record.getCommitPosition(), 'the position');
      }
      return null;
    },

    async *all(after, upTo, count) {
      const from = await startOf(after);
      let left = count;
      // The server counts the record at `from` too, and gives it again.
      const asked = count === Infinity ? Infinity : from === after ? count + 1 : Infinity;
      const request = allRequest(prefix, from, 'forwards', asked);
      for await (const response of reading(request, 'reading the event store')) {
        const record = response.getEvent()?.getEvent();
        if (record === undefined) continue;
        const position = wholeNumber(record.getCommitPosition(), 'the position');
        if (position <= after) continue;
        if (position > upTo) return;
        yield ours(record);
        left -= 1;
        if (left <= 0 || position === upTo) return;
      }
    },

    async *follow(after, signal) {
      const over = (): boolean => signal.aborted;
      let last = after;
      let from: number | 'start' | null = null;
      let pause = FIRST_PAUSE;
      while (!over()) {
        try {
          from ??= await startOf(last);
          const request = subscriptionRequest(prefix, from);
          for await (const response of connection.read(request, { signal, mayWait: true })) {
            pause = FIRST_PAUSE;
            const checkpoint = response.getCheckpoint();
            if (checkpoint !== undefined)
              from = wholeNumber(checkpoint.getCommitPosition(), 'the position');
            const record = response.getEvent()?.getEvent();
            if (record === undefined) continue;
            const position = wholeNumber(record.getCommitPosition(), 'the position');
            if (position <= last) continue;
            yield ours(record);
            if (over()) return;
            last = position;
            from = position;
          }
        } catch (error) {
          if (over()) return;
          if (error instanceof StreamGone || error instanceof CorruptEvent) throw error;
          if (isDenied(error)) throw unreachable('following the event store', error);
          if (isOffBoundary(error) || grpcCode(error) === UNKNOWN) from = null;
        }
        await sleep(pause, undefined, { signal }).catch(() => {});
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    },

    truncated,
  };
};

const UNKNOWN = 2;

/** What the server says of a position at which no record starts. */
const isOffBoundary = (error: unknown): boolean =>
  grpcCode(error) === UNKNOWN && /ReadAllResult: Error/.test((error as Error).message);
