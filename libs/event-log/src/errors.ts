/**
 * The log cannot be reached or written: a full disk, an input/output error, a lock that was not given in
 * time, a closed log. Nothing of the append was acknowledged; it may be tried again with the same events.
 */
export class EventLogUnavailable extends Error {
  override readonly name = 'EventLogUnavailable';
}

/** A stored event is not what was written: it does not hash to its hash, or stands where it does not belong. */
export class CorruptEvent extends Error {
  override readonly name = 'CorruptEvent';
}

/** The log holds an event that this program does not know: it must not be guessed at. */
export class UnknownEventVersion extends Error {
  override readonly name = 'UnknownEventVersion';
  readonly type: string;
  /** The version that was found. */
  readonly version: number;
  /** The newest version that this program knows, null when the type itself is unknown. */
  readonly known: number | null;

  constructor(type: string, version: number, known: number | null) {
    super(
      known === null
        ? `the log holds an event of type ${type}, version ${version}; this program does not know the type. Read it with a program that does.`
        : `the log holds an event of type ${type}, version ${version}; this program knows versions 1 to ${known}. Read it with a newer program.`,
    );
    this.type = type;
    this.version = version;
    this.known = known;
  }
}

/** How a stream that should be there is not there, or not all of it. */
export type StreamGoneKind =
  /** Deleted for ever: nobody can read or write it again. */
  | 'tombstoned'
  /** Soft-deleted: its events are hidden until a scavenge removes them, and a new first event would not be number 0. */
  | 'deleted'
  /** Its first events are hidden or removed by $maxCount, $maxAge or $tb, or by a soft delete that went on. */
  | 'truncated';

/**
 * The server no longer gives what was appended to a stream. That is not an empty stream and not a damaged event:
 * somebody with rights on the server removed or hid events, or a setting of the server did.
 */
export class StreamGone extends Error {
  override readonly name = 'StreamGone';
  readonly stream: string;
  readonly kind: StreamGoneKind;
  /** Where in the whole log the record of it stands, when the whole log was read; reading can go on after it. */
  readonly position: number | null;

  constructor(
    stream: string,
    kind: StreamGoneKind,
    message: string,
    position: number | null = null,
  ) {
    super(message);
    this.stream = stream;
    this.kind = kind;
    this.position = position;
  }
}
