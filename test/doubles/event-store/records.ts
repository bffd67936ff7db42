/** What the double keeps in place of a server's files: records in log order, and the rules that the server applies. */

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly json: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface DoubleRecord extends Proposed {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: number;
  readonly time: number;
}

export type Expected = bigint | 'no-stream' | 'any' | 'stream-exists';

export type Decision =
  | { readonly kind: 'written'; readonly revision: bigint; readonly position: number }
  | { readonly kind: 'wrong-expected-version'; readonly current: bigint | 'no-stream' }
  | { readonly kind: 'deleted' };

export type Visible =
  | { readonly kind: 'none' }
  | { readonly kind: 'deleted' }
  | {
      readonly kind: 'events';
      readonly events: readonly DoubleRecord[];
      readonly first: bigint;
      readonly last: bigint;
    };

const TOMBSTONE_REVISION = 9223372036854775807n;
const SOFT_DELETED = TOMBSTONE_REVISION;

/** Data that outlive the double that wrote them, so that it can be stopped and started again. */
export interface DoubleData {
  readonly log: DoubleRecord[];
  readonly streams: Map<string, DoubleRecord[]>;
  end: number;
}

export const emptyData = (): DoubleData => ({ log: [], streams: new Map(), end: 0 });

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

export const doubleRecords = (data: DoubleData) => {
  const listeners = new Set<(record: DoubleRecord) => void>();

  const add = (stream: string, revision: bigint, event: Proposed): DoubleRecord => {
    const record = { ...event, stream, revision, position: data.end, time: Date.now() };
    // A record's place is where it begins; no other number is one, as in the server's files.
    data.end += 128 + event.data.byteLength + event.metadata.byteLength + 2 * event.type.length;
    data.log.push(record);
    const found = data.streams.get(stream);
    if (found === undefined) data.streams.set(stream, [record]);
    else found.push(record);
    for (const listener of [...listeners]) listener(record);
    return record;
  };

  // A server writes settings of its own streams before anybody else can write: no event of ours is at position 0.
  if (data.log.length === 0)
    add('$$$stats', 0n, {
      id: crypto.randomUUID(),
      type: '$metadata',
      json: true,
      data: Buffer.from('{"$maxAge":2592000}'),
      metadata: new Uint8Array(),
    });

  const own = (stream: string): readonly DoubleRecord[] => data.streams.get(stream) ?? [];
  const isTombstoned = (stream: string): boolean =>
    own(stream).at(-1)?.revision === TOMBSTONE_REVISION;

  /** `$tb` and `$maxCount` of a stream; the double knows no other setting, and says so. */
  const settings = (stream: string): { before: bigint; count: bigint | null } => {
    const last = stream.startsWith('$$') ? undefined : own(`$$${stream}`).at(-1);
    const json = last === undefined ? '{}' : text(last.data);
    if (json.includes('$maxAge')) throw new Error('this double does not know $maxAge');
    const number = (name: string): bigint | null => {
      const found = new RegExp(`"\\$${name}"\\s*:\\s*(\\d+)`).exec(json)?.[1];
      return found === undefined ? null : BigInt(found);
    };
    return { before: number('tb') ?? 0n, count: number('maxCount') };
  };

  const isSoftDeleted = (stream: string): boolean => settings(stream).before === SOFT_DELETED;
  const lastRevision = (stream: string): bigint => BigInt(own(stream).length) - 1n;

  const setTruncation = (stream: string, before: bigint): DoubleRecord =>
    add(`$$${stream}`, lastRevision(`$$${stream}`) + 1n, {
      id: crypto.randomUUID(),
      type: '$metadata',
      json: true,
      data: Buffer.from(`{"$tb":${before}}`),
      metadata: new Uint8Array(),
    });

  const visible = (stream: string): Visible => {
    if (isTombstoned(stream)) return { kind: 'deleted' };
    const events = own(stream);
    const last = lastRevision(stream);
    const { before, count } = settings(stream);
    if (last < 0n || before === SOFT_DELETED) return { kind: 'none' };
    const kept = count === null ? 0n : last - count + 1n;
    const first = before > kept ? before : kept;
    return { kind: 'events', events, first: first < 0n ? 0n : first, last };
  };

  return {
    append: (stream: string, expected: Expected, events: readonly Proposed[]): Decision => {
      if (isTombstoned(stream)) return { kind: 'deleted' };
      const current = lastRevision(stream);
      const there = own(stream);
      const wanted =
        typeof expected === 'bigint' ? expected : expected === 'no-stream' ? -1n : current;
      if (expected === 'stream-exists' && (current < 0n || isSoftDeleted(stream)))
        return current < 0n
          ? { kind: 'wrong-expected-version', current: 'no-stream' }
          : { kind: 'deleted' };
      if (wanted < current && events.length > 0) {
        // The server compares ids, nothing else: other content under the same ids counts as written.
        const first = Number(wanted) + 1;
        if (events.every(({ id }, index) => there[first + index]?.id === id)) {
          const last = there[first + events.length - 1]!;
          return { kind: 'written', revision: last.revision, position: last.position };
        }
      }
      const revived = isSoftDeleted(stream);
      if (wanted !== current && !(expected === 'no-stream' && revived))
        return {
          kind: 'wrong-expected-version',
          current: current < 0n ? 'no-stream' : current,
        };
      let last: DoubleRecord | null = null;
      for (const event of events) last = add(stream, (last?.revision ?? current) + 1n, event);
      // A soft-deleted stream that is written to goes on numbering from where it was.
      if (revived && last !== null) setTruncation(stream, current + 1n);
      return {
        kind: 'written',
        revision: last?.revision ?? current,
        position: last?.position ?? data.end,
      };
    },

    softDelete: (stream: string): Decision => {
      if (isTombstoned(stream)) return { kind: 'deleted' };
      const { position } = setTruncation(stream, SOFT_DELETED);
      return { kind: 'written', revision: lastRevision(stream), position };
    },

    tombstone: (stream: string): Decision => {
      if (isTombstoned(stream)) return { kind: 'deleted' };
      const record = add(stream, TOMBSTONE_REVISION, {
        id: crypto.randomUUID(),
        type: '$streamDeleted',
        json: false,
        data: new Uint8Array(),
        metadata: new Uint8Array(),
      });
      return { kind: 'written', revision: record.revision, position: record.position };
    },

    visible,

    /** Index of the first record at or after `position`; null when `position` lies inside a record. */
    indexAt: (position: number): number | null => {
      if (position >= data.end) return data.log.length;
      let [low, high] = [0, data.log.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (data.log[middle]!.position < position) low = middle + 1;
        else high = middle;
      }
      return data.log[low]?.position === position ? low : null;
    },

    /** Removes from the whole log what no stream shows any more. A stream keeps its numbering. */
    scavenge: () => {
      const hidden = (record: DoubleRecord): boolean => {
        if (record.stream.startsWith('$') || record.revision === TOMBSTONE_REVISION) return false;
        const found = visible(record.stream);
        // The server keeps the last event of a soft-deleted stream, so that it knows the number to go on with.
        if (found.kind === 'none') return record.revision < lastRevision(record.stream);
        return found.kind !== 'events' || record.revision < found.first;
      };
      const kept = data.log.filter((record) => !hidden(record));
      data.log.splice(0, data.log.length, ...kept);
    },

    log: data.log as readonly DoubleRecord[],

    listen: (listener: (record: DoubleRecord) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

export type DoubleRecords = ReturnType<typeof doubleRecords>;
