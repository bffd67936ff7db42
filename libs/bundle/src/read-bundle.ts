import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { collectFaults, type BareEvent, type Faults, type FoundObject } from '#libs/provenance';
import { spelled } from './canonical-form.ts';
import {
  isPlaced,
  LIMITS,
  NOTARY,
  type BundledStream,
  type BundleHeader,
  type Leaf,
} from './format.ts';
import {
  parseEnd,
  parseEvent,
  parseHeader,
  parseLeaf,
  parseObject,
  looksLikeHeader,
  looksLikeSummary,
  parseSummary,
  tailOf,
  typeAtEnd,
  type EventTail,
} from './lines.ts';
import { objectIndex } from './object-index.ts';
import { lineBlocks, type BundleSource, type LineBlock } from './source.ts';

/**
 * An event that the first reading shows: one of the notary, one that tells its place in the log, a stream's first, or what
 * closed a run.
 */
export interface ShownEvent {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly body: Uint8Array;
  /** Whether it has to tell its place. */
  readonly isPlaced: boolean;
  readonly leaf: Leaf | null;
  readonly isLast: boolean;
}

export type BundleRefusalCode =
  /** The bytes are no bundle, or one of a version that is unknown here. */
  'no-bundle';

/** A bundle whose lines have been looked at once: what is where, and what is not as the format says. */
export interface OpenedBundle {
  /** Null where the first line can't be read: nothing else of the bundle is known then. */
  readonly header: BundleHeader | null;
  readonly lines: number;
  readonly objects: number;
  readonly summary: string | null;
  /**
   * What is not as the format says: of the lines when the bundle is opened, of the bodies of events as they are read for
   * the first time.
   */
  readonly faults: Faults;
  /**
   * A stream's events, as far as the bundle holds them, some at a time; none of a stream that it does not name. Go
   * through each lot before the next is asked for.
   */
  readonly events: (stream: string) => AsyncGenerator<Iterable<BareEvent>>;
  /** Reads the events that nobody has read, so that no body is left that was not looked at. */
  readonly readRest: () => Promise<void>;
  /** A git object out of the bundle. What it gives is not hashed here: the verifier does that. */
  readonly readObject: (oid: string) => Promise<FoundObject>;
  /** Objects that `readObject` never gave. */
  readonly unreadObjects: () => Promise<{
    readonly count: number;
    readonly named: readonly string[];
  }>;
}

/** Where a stream's lines begin, how many of them there are, and of how many the body was looked at. */
interface Place {
  offset: number;
  events: number;
  looked: number;
}

interface Segment {
  readonly named: BundledStream;
  readonly tail: EventTail;
  readonly place: Place;
}

const foreign = (found: string): Result<never, Refusal<BundleRefusalCode>> =>
  refused({
    code: 'no-bundle',
    message: `found ${found}, expected a Holdfast bundle of version 1; one is made by: holdfast bundle`,
  });

/**
 * Looks at every line of a bundle once. Refuses what is no bundle; whatever else is wrong with it is a fault, and is
 * looked past as far as that goes. Memory does not grow with the number of events.
 *
 * @param show is called for each event of the notary, each that tells its place, each stream's first and each that closed
 * a run, in the order of the file
 */
export const openBundle = async (
  source: BundleSource,
  show: (event: ShownEvent) => void = () => undefined,
): Promise<Result<OpenedBundle, Refusal<BundleRefusalCode>>> => {
  const faults = collectFaults();
  let lines = 0;
  const fault = (found: string): void => {
    faults.add(`line ${lines}: ${found}`);
  };

  let header: BundleHeader | null = null;
  let segments: readonly Segment[] = [];
  const objects = objectIndex(source);
  let part = 'header' as 'header' | 'objects' | 'events' | 'end' | 'after';
  let segment = 0;
  let lastOid = '';
  let leaves = 0;
  let summary: string | null = null;

  const readEvent = (bytes: Uint8Array, start: number, end: number, offset: number): void => {
    const { named, tail, place } = segments[segment]!;
    if (place.events === 0) place.offset = offset + start;
    const revision = place.events;
    place.events += 1;
    const isLast = place.events === named.events;
    if (isLast) segment += 1;
    const line = parseEvent(bytes, start, end);
    if (line === null) {
      fault(`found another line, expected event ${revision} of ${named.stream}`);
      return;
    }
    const { bodyFrom, bodyTo, leafFrom, leafTo } = line;
    const type = typeAtEnd(bytes, bodyFrom, bodyTo, tail, revision);
    if (type === null) {
      fault(`found another event, expected event ${revision} of ${named.stream}`);
      return;
    }
    const wanted = isPlaced(named.stream, type, isLast);
    const leaf = leafFrom < 0 ? null : parseLeaf(bytes, leafFrom, leafTo);
    if (leafFrom >= 0 && leaf === null) fault('found a place that is not written as one');
    else if ((leaf !== null) !== wanted)
      fault(
        wanted
          ? `${type}, event ${revision} of ${named.stream}, tells no place in the log`
          : `${type}, event ${revision} of ${named.stream}, tells a place in the log, which it must not`,
      );
    if (leaf !== null) {
      leaves += 1;
      if (leaves === LIMITS.leaves + 1) fault(`found more than ${LIMITS.leaves} places in the log`);
      if (leaves > LIMITS.leaves) return;
    }
    if (named.stream === NOTARY || wanted || revision === 0 || type === 'RunClosed')
      show({
        ...{ stream: named.stream, revision, type, leaf, isLast, isPlaced: wanted },
        body: bytes.subarray(bodyFrom, bodyTo),
      });
  };

  /** What is missing of the events is said once. */
  const endEvents = (): void => {
    const { named, place } = segments[segment] ?? {};
    if (named === undefined || place === undefined) return;
    fault(`found ${place.events} events of ${named.stream}, expected ${named.events}`);
    segment = segments.length;
  };

  const readHeader = (line: Uint8Array): string | null => {
    const read = parseHeader(line);
    if (read.state === 'foreign') return read.found;
    part = 'objects';
    if (read.state === 'malformed') fault(read.found);
    else {
      header = read.header;
      segments = read.header.streams.map((named) => ({
        ...{ named, tail: tailOf(named.stream) },
        place: { offset: 0, events: 0, looked: 0 },
      }));
    }
    return null;
  };

  /** Reads one line; a text only where it shows that this is no bundle. */
  const readLine = (
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
  ): string | null => {
    lines += 1;
    // A longer line is none of those that are read as a whole.
    const line = bytes.subarray(start, end - start <= LIMITS.text ? end : start);
    if (part === 'header') return readHeader(line);
    if (part === 'objects') {
      const object = parseObject(bytes, start, end);
      if (object !== null) {
        if (object.oid <= lastOid) fault(`found object ${object.oid} after ${lastOid}`);
        lastOid = object.oid;
        objects.add(object.oid, offset + start);
        return null;
      }
      objects.close(offset + start);
      part = 'events';
    }
    if (part === 'events') {
      if (segment < segments.length && !looksLikeSummary(bytes, start, end)) {
        readEvent(bytes, start, end, offset);
        return null;
      }
      endEvents();
      part = 'end';
      summary = parseSummary(line);
      if (summary === null) fault('found another line, expected the summary');
      return null;
    }
    if (part === 'after') {
      fault('found more lines after the end');
      return null;
    }
    part = 'after';
    const said = parseEnd(line);
    if (said !== lines - 1)
      fault(
        said === null
          ? 'found another line, expected the end'
          : `found ${lines - 1} lines before the end, which says ${said}`,
      );
    return null;
  };

  let read = 0;
  let rest = false;
  for await (const block of lineBlocks(source, 0, LIMITS.line)) {
    let start = 0;
    for (const end of block.ends) {
      const isForeign = readLine(block.bytes, start, end, block.offset);
      if (isForeign !== null) return foreign(isForeign);
      start = end + 1;
    }
    read = block.offset + start;
    rest = block.rest;
  }
  if (lines === 0 && !looksLikeHeader(await source.read(0, LIMITS.name)))
    return foreign(source.size === 0 ? 'an empty file' : 'another beginning');
  if (rest) fault('found bytes after the last line feed, or no line feed at the end');
  else if (read < source.size) fault(`found a line of more than ${LIMITS.line} bytes`);
  if (part !== 'after') fault('found the end of the file, expected more lines: it was cut');
  if (part === 'objects') objects.close(read);

  const opened = {
    header: header as BundleHeader | null,
    lines,
    summary: summary as string | null,
  };
  const byName = new Map(segments.map((each) => [each.named.stream, each.place]));

  /** The events of a stream's lines, of which the first is of this revision. */
  function* eventsIn(
    { bytes, ends }: Pick<LineBlock, 'bytes' | 'ends'>,
    stream: string,
    place: Place,
    first: number,
  ): Generator<BareEvent> {
    let revision = first;
    let start = 0;
    for (const end of ends) {
      if (revision === place.events) return;
      const line = parseEvent(bytes, start, end);
      const leaf =
        line === null || line.leafFrom < 0 ? null : parseLeaf(bytes, line.leafFrom, line.leafTo);
      // A line that is no event is given as it is, so that the chain is seen to break here.
      const canonical = bytes.subarray(line?.bodyFrom ?? start, line?.bodyTo ?? end);
      const { value, isCanonical } = spelled(canonical);
      if (revision === place.looked) {
        place.looked += 1;
        if (line !== null && !isCanonical)
          faults.add(`event ${revision} of ${stream} is not written in RFC 8785 form`);
      }
      yield { position: leaf?.index ?? NaN, canonical, spelled: value };
      revision += 1;
      start = end + 1;
    }
  }

  async function* events(stream: string): AsyncGenerator<Iterable<BareEvent>> {
    const place = byName.get(stream);
    if (place === undefined || place.events === 0) return;
    let revision = 0;
    for await (const block of lineBlocks(source, place.offset, LIMITS.line)) {
      yield eventsIn(block, stream, place, revision);
      revision += block.ends.length;
      if (revision >= place.events) return;
    }
  }

  const readRest = async (): Promise<void> => {
    for (const [stream, place] of byName) {
      if (place.looked === place.events) continue;
      for await (const lot of events(stream)) for (const _ of lot);
    }
  };

  return ok({
    ...opened,
    objects: objects.count(),
    faults,
    events,
    readRest,
    readObject: objects.read,
    unreadObjects: objects.unread,
  });
};
