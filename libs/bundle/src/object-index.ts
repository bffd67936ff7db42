import type { FoundObject } from '#libs/provenance';
import { contentOf, parseObject, type ObjectLine } from './lines.ts';
import type { BundleSource } from './source.ts';

/** Where objects lie in a bundle: of many only every so manieth is remembered, since they stand in order. */
export interface ObjectIndex {
  /** Called for each object's line in the order of the file. */
  readonly add: (oid: string, offset: number) => void;
  /** Where the objects' lines end. */
  readonly close: (end: number) => void;
  readonly count: () => number;
  readonly read: (oid: string) => Promise<FoundObject>;
  /** How many were never read, and the first few of them. */
  readonly unread: () => Promise<{ readonly count: number; readonly named: readonly string[] }>;
}

/** Objects remembered at most: with them the index of a bundle of any size takes a few megabytes. */
const REMEMBERED = 65_536;
const NAMED = 3;
const LINE_FEED = 0x0a;

const foundIn = (bytes: Uint8Array, line: ObjectLine): FoundObject => {
  const content = contentOf(bytes, line);
  return content === null
    ? { state: 'corrupt', reason: 'its content is no base64' }
    : { state: 'present', type: line.type, content };
};

export const objectIndex = (source: BundleSource): ObjectIndex => {
  let oids: string[] = [];
  let offsets: number[] = [];
  let stride = 1;
  let count = 0;
  let end = 0;
  let wasRead = new Uint8Array(1024);

  const mark = (place: number): void => {
    if (place >> 3 >= wasRead.length) {
      const larger = new Uint8Array(Math.max(2 * wasRead.length, (count >> 3) + 1));
      larger.set(wasRead);
      wasRead = larger;
    }
    wasRead[place >> 3]! |= 1 << (place & 7);
  };

  /** The last remembered place whose object does not come after this one; -1 for none. */
  const placeOf = (oid: string): number => {
    let low = 0;
    let high = oids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (oids[middle]! <= oid) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  /** The lines from one remembered object to the next. */
  const blockAt = (at: number): Promise<Uint8Array> => {
    const from = offsets[at]!;
    return source.read(from, (offsets[at + 1] ?? end) - from);
  };

  const oidAt = async (place: number): Promise<string> => {
    const bytes = await blockAt(Math.floor(place / stride));
    let left = place % stride;
    for (let start = 0, stop; start < bytes.length; start = stop + 1) {
      stop = bytes.indexOf(LINE_FEED, start);
      if (stop < 0) break;
      const line = parseObject(bytes, start, stop);
      if (line !== null && left === 0) return line.oid;
      if (line !== null) left -= 1;
    }
    return 'one that is gone';
  };

  return {
    add: (oid, offset) => {
      if (count % stride === 0) {
        if (oids.length === REMEMBERED) {
          oids = oids.filter((_, at) => at % 2 === 0);
          offsets = offsets.filter((_, at) => at % 2 === 0);
          stride *= 2;
        }
        if (count % stride === 0) {
          oids.push(oid);
          offsets.push(offset);
        }
      }
      count += 1;
    },
    close: (at) => {
      end = at;
    },
    count: () => count,
    unread: async () => {
      const named: string[] = [];
      let unread = 0;
      for (let place = 0; place < count; place += 1) {
        if (((wasRead[place >> 3] ?? 0) & (1 << (place & 7))) !== 0) continue;
        unread += 1;
        if (named.length < NAMED) named.push(await oidAt(place));
      }
      return { count: unread, named };
    },
    read: async (oid) => {
      const at = placeOf(oid);
      if (at < 0) return { state: 'absent' };
      const bytes = await blockAt(at);
      let place = at * stride;
      for (let start = 0, stop; start < bytes.length; start = stop + 1) {
        stop = bytes.indexOf(LINE_FEED, start);
        if (stop < 0) break;
        const line = parseObject(bytes, start, stop);
        if (line === null) continue;
        if (line.oid === oid) {
          mark(place);
          return foundIn(bytes, line);
        }
        place += 1;
      }
      return { state: 'absent' };
    },
  };
};
