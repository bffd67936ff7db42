/** What is known of the end of a stream. */
export interface KnownHead {
  /** -1 when it has no events. */
  readonly revision: number;
  readonly hash: string | null;
  /** The ids of its last events, by revision: {@link ID_WINDOW} of them, or all. */
  readonly ids: ReadonlyMap<string, number>;
}

/** How many events back an id is known again at another place of its stream. */
export const ID_WINDOW = 1000;

/** Streams whose heads are kept; the one that was not used for longest is dropped first. */
const MAX_STREAMS = 500;

interface Seen {
  readonly revision: number;
  readonly id: string;
  readonly hash: string;
}

/**
 * The heads of the streams that this process has read or written, so that an append needs no reading. What is known
 * may be out of date, never wrong about the past: the server's check of the expected revision finds that out.
 */
export interface Heads {
  readonly get: (stream: string) => KnownHead | null;
  /** Learns of a stream without events. */
  readonly none: (stream: string) => void;
  /** Learns the end of a stream: events in order, without gaps, with the last one or all of them. */
  readonly learn: (stream: string, events: readonly Seen[]) => void;
  /** Learns the next event of a stream; forgets nothing when it does not follow on what is known. */
  readonly follow: (stream: string, event: Seen) => void;
  readonly forget: (stream: string) => void;
}

export const knownHeads = (): Heads => {
  const heads = new Map<
    string,
    { revision: number; hash: string | null; ids: Map<string, number> }
  >();

  const keep = (
    stream: string,
    head: { revision: number; hash: string | null; ids: Map<string, number> },
  ) => {
    heads.delete(stream);
    heads.set(stream, head);
    if (heads.size <= MAX_STREAMS) return;
    for (const oldest of heads.keys()) {
      heads.delete(oldest);
      return;
    }
  };

  const extend = (
    head: { revision: number; hash: string | null; ids: Map<string, number> },
    { revision, id, hash }: Seen,
  ) => {
    head.revision = revision;
    head.hash = hash;
    head.ids.set(id, revision);
    if (head.ids.size <= ID_WINDOW) return;
    for (const oldest of head.ids.keys()) {
      head.ids.delete(oldest);
      return;
    }
  };

  return {
    get: (stream) => heads.get(stream) ?? null,

    none: (stream) => keep(stream, { revision: -1, hash: null, ids: new Map() }),

    learn: (stream, events) => {
      const head = { revision: -1, hash: null, ids: new Map<string, number>() };
      for (const event of events) extend(head, event);
      keep(stream, head);
    },

    follow: (stream, event) => {
      const head = heads.get(stream);
      if (head !== undefined && event.revision === head.revision + 1) {
        extend(head, event);
        keep(stream, head);
      } else if (head === undefined && event.revision === 0) {
        const first = { revision: -1, hash: null, ids: new Map<string, number>() };
        extend(first, event);
        keep(stream, first);
      }
    },

    forget: (stream) => void heads.delete(stream),
  };
};
