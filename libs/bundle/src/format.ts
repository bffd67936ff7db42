import canonicalize from 'canonicalize';

/** What a bundle proves: one finding, or a run with all its findings. */
export interface Subject {
  readonly id: string;
  readonly kind: 'finding' | 'run';
}

/** A stream that the bundle holds, from its first event on. */
export interface BundledStream {
  readonly stream: string;
  /** How many of its events, more than none. */
  readonly events: number;
  /** Chain hash of the last of them, 64 lower-case hex digits. */
  readonly head: string;
  /**
   * Where that head stands in the tree of heads to which the newest checkpoint commits, its audit path in base64; null
   * for the notary's own stream, which has no place there.
   */
  readonly heads: { readonly index: number; readonly proof: readonly string[] } | null;
}

/** The first line. */
export interface BundleHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Origin of the log's checkpoints (C2SP tlog-checkpoint). */
  readonly origin: string;
  /** `notary` first, then by name, code unit by code unit: the order in which the events follow. */
  readonly streams: readonly BundledStream[];
  readonly subject: Subject;
}

export const FORMAT = 'holdfast-bundle';
export const VERSION = 1;

/** The stream of the notary, whose events are no leaves. */
export const NOTARY = 'notary';

export const OBJECT_TYPES = ['blob', 'tree', 'commit'] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

/** Where an event stands in the tree of the newest checkpoint, with its audit path (RFC 6962, section 2.1.1). */
export interface Leaf {
  readonly index: number;
  /** Raw hashes, from the leaf's sibling up. */
  readonly proof: readonly Uint8Array[];
}

/** The most of everything: a verifier reads the files of strangers. */
export const LIMITS = {
  /** Bytes of a line, its line feed not counted. */
  line: 64 * 1024 * 1024,
  /** Bytes of the header's and of the summary's line. */
  text: 16 * 1024 * 1024,
  streams: 10_000,
  /** UTF-16 units of an id, a stream's name or an origin. */
  name: 1_000,
  /** Hashes of an audit path: no tree that a double can count is higher. */
  proof: 53,
  /** Lines that carry a proof. */
  leaves: 1_000_000,
} as const;

/** Types of a run's and a study's events that carry their place in the log, since checks ask what came first. */
const PLACED_TYPES: ReadonlySet<string> = new Set(['RunOpened', 'LoopEnded', 'SealedRowsOpened']);

/**
 * Whether an event has to carry its place in the tree: the last of its stream, all of a finding's and of the data's,
 * and of the others those whose order across streams a check asks for. No other event may carry one.
 */
export const isPlaced = (stream: string, type: string, isLast: boolean): boolean =>
  stream !== NOTARY &&
  (isLast || stream.startsWith('finding-') || stream.startsWith('data-') || PLACED_TYPES.has(type));

/** The order of streams and of objects: by UTF-16 code units, as RFC 8785 sorts names. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const inOrder = (streams: readonly BundledStream[]): readonly BundledStream[] =>
  [...streams].sort((a, b) =>
    a.stream === NOTARY ? -1 : b.stream === NOTARY ? 1 : byCodeUnits(a.stream, b.stream),
  );

const utf8 = new TextEncoder();

/** The one way to write a part as a line, its line feed included. @throws for what JSON can't say */
export const lineOf = (part: object): Uint8Array => utf8.encode(`${canonicalize(part)}\n`);
