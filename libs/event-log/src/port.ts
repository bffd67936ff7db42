import type { Fact, NewEvent, RecordedEvent, Refusal, Result, StoredEvent } from '#libs/kernel';

export type { StoredEvent };

/** Every append states exactly where it expects the stream to stand. */
export type ExpectedRevision = number | 'no-stream';

export type AppendRefusalCode =
  /** The stream stands elsewhere: somebody else appended. Reload and decide again. */
  | 'wrong-expected-revision'
  /**
   * An id of the batch is in the log with other content, or at another place. SQLite and memory know every id of the
   * log. EventStoreDB cannot look an id up: there it is known again where the batch would stand, and among the last
   * 1,000 events of its stream, but not in another stream.
   */
  | 'event-id-reused'
  /** The payload's type or version is unknown, or it does not fit its schema; all problems are named. */
  | 'invalid-event'
  /** The server takes fewer bytes in one append (EventStoreDB only; SQLite takes every batch that is valid). */
  | 'batch-too-large';

export interface Appended {
  /**
   * What was appended, as reading gives it. Only the last one's `position` is bound to be its own: EventStoreDB tells
   * no other when it writes a batch, and all of a batch then carry it. Read the stream where each one's matters.
   */
  readonly events: readonly RecordedEvent[];
  /**
   * True when the very same events were there already (an idempotent retry); nothing was written. Of two equal appends
   * at the same moment by two processes EventStoreDB may tell both false; they were written once.
   */
  readonly repeated: boolean;
}

export interface ReadOptions {
  /** First revision to give (inclusive). Default: the stream's first, or its last when reading backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

/** What a verifier reads: one stream by revision, or the log by position, from just after `after`. */
export type StoredReadOptions =
  { readonly stream: string } | { readonly after?: number; readonly limit?: number };

/**
 * The append-only truth. Adapters: in memory, SQLite, EventStoreDB. Where they differ is said at the member, and the
 * contract suite tests each for what it does promise.
 *
 * Promises, held by the contract suite for every adapter: an acknowledged append survives a crash; a batch is
 * written whole or not at all; revisions are dense from 0; a retry of the same events is acknowledged without
 * being written again; each event's `prev` is the hash of the one before it.
 */
export interface EventLog {
  /**
   * Writes `events` to the end of `stream` (1,000 events, 1 MiB each at most; an empty batch only checks
   * `expected`; EventStoreDB takes fewer bytes: see `batch-too-large`). Throws EventLogUnavailable when the log can't
   * be written: nothing was acknowledged then, and the same events may be sent again. Throws StreamGone when the
   * server no longer has the stream.
   */
  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<Result<Appended, Refusal<AppendRefusalCode>>>;
  /**
   * A stream's events up to where it stands when the reading starts; none when there is no such stream.
   * Every event's hash and its link to its neighbour are checked: throws CorruptEvent, and
   * UnknownEventVersion for what this program does not know, StreamGone for a stream that the server hides in whole
   * or in part (EventStoreDB: a tombstone, a soft delete, $maxCount, $maxAge, $tb).
   */
  readStream<E extends Fact = Fact>(
    stream: string,
    options?: ReadOptions,
  ): AsyncIterable<RecordedEvent<E>>;
  /**
   * All streams in log order, from just after `after` (default: the start), up to where the log stands when
   * the reading starts. Hashes are checked, links are not. Throws as `readStream` does; EventStoreDB keeps the events
   * of a hidden stream here until a scavenge, and a tombstone throws StreamGone where it stands. `after` is best a
   * position that the log gave: EventStoreDB reads from its beginning for any other number.
   */
  readAll(options?: {
    readonly after?: number;
    readonly limit?: number;
  }): AsyncIterable<RecordedEvent>;
  /** Like `readAll`, but goes on with what is appended later, until `signal` aborts. */
  subscribe(options: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<RecordedEvent>;
  /**
   * What is stored, whatever it is: damaged and unknown events too, and what is left of a stream that the server
   * shortened. Throws StreamGone for a tombstone and for a stream of which nothing can be read.
   */
  readStored(options?: StoredReadOptions): AsyncIterable<StoredEvent>;
  /** Finishes what was appended, ends subscriptions. Using the log afterwards throws. */
  close(): Promise<void>;
}
