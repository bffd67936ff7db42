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
