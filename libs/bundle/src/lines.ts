import { fromBase64 } from '#libs/checkpoints';
import { isSha256 } from '#libs/kernel';
import { HASH_BYTES } from '#libs/merkle';
import { base64Bytes, bytesOfBase64 } from './base64.ts';
import { spelled } from './canonical-form.ts';
import {
  byCodeUnits,
  FORMAT,
  inOrder,
  LIMITS,
  lineOf,
  NOTARY,
  OBJECT_TYPES,
  VERSION,
  type BundleHeader,
  type Leaf,
  type ObjectType,
} from './format.ts';

const utf8 = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const startsWith = (bytes: Uint8Array, at: number, end: number, text: Uint8Array): boolean => {
  if (end - at < text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text[i]) return false;
  return true;
};

const endsWith = (bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean =>
  end - start >= text.length && startsWith(bytes, end - text.length, end, text);

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

/** The object that a line spells; null for anything but its RFC 8785 form. */
const canonicalObject = (line: Uint8Array): Record<string, unknown> | null => {
  const { value, isCanonical } = spelled(line);
  return isCanonical && typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
};

const hasKeys = (value: unknown, keys: readonly string[]): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).sort(byCodeUnits).join() === keys.join();

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LIMITS.name;

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0;

const isProof = (value: unknown): boolean =>
  hasKeys(value, ['index', 'proof']) &&
  (value['index'] === 0 || isCount(value['index'])) &&
  Array.isArray(value['proof']) &&
  value['proof'].length <= LIMITS.proof &&
  value['proof'].every(
    (hash) => typeof hash === 'string' && fromBase64(hash)?.length === HASH_BYTES,
  );

const HEADER_START = utf8.encode(`{"format":"${FORMAT}",`);

export const looksLikeHeader = (bytes: Uint8Array): boolean =>
  startsWith(bytes, 0, bytes.length, HEADER_START);

export type HeaderRead =
  | { readonly state: 'header'; readonly header: BundleHeader }
  /** No bundle at all, or one of a version that is not known here. */
  | { readonly state: 'foreign'; readonly found: string }
  /** A bundle's first line that is not as it has to be. */
  | { readonly state: 'malformed'; readonly found: string };

const malformed = (found: string): HeaderRead => ({ state: 'malformed', found });

export const parseHeader = (line: Uint8Array): HeaderRead => {
  if (!looksLikeHeader(line)) return { state: 'foreign', found: 'another first line' };
  const value = canonicalObject(line);
  if (value === null) return malformed('a header that is not the RFC 8785 form of an object');
  const { version } = value;
  if (version !== VERSION)
    return {
      state: 'foreign',
      // Not all that JSON spells has a text.
      found: `version ${typeof version === 'number' ? version : 'of no number'}`,
    };
  if (!hasKeys(value, ['format', 'origin', 'streams', 'subject', 'version']))
    return malformed(`a header with the members ${Object.keys(value).join(', ').slice(0, 200)}`);
  const { origin, streams, subject } = value;
  if (!isName(origin)) return malformed('a header without an origin');
  if (
    !hasKeys(subject, ['id', 'kind']) ||
    !isName(subject['id']) ||
    (subject['kind'] !== 'finding' && subject['kind'] !== 'run')
  )
    return malformed('a header without a subject');
  if (!Array.isArray(streams) || streams.length > LIMITS.streams)
    return malformed(`a header without streams, or with more than ${LIMITS.streams}`);
  const isStream = (each: unknown): boolean =>
    hasKeys(each, ['events', 'head', 'heads', 'stream']) &&
    isName(each['stream']) &&
    isCount(each['events']) &&
    isSha256(each['head']) &&
    (each['stream'] === NOTARY ? each['heads'] === null : isProof(each['heads']));
  if (!streams.every(isStream)) return malformed('a header with a stream that is none');
  const header = value as unknown as BundleHeader;
  const ordered = inOrder(header.streams);
  const isOrdered = header.streams.every(
    (each, at) => each === ordered[at] && each.stream !== header.streams[at + 1]?.stream,
  );
  if (!isOrdered || header.streams[0]?.stream !== NOTARY)
    return malformed(
      'a header whose streams are not notary and then the others by name, each once',
    );
  return { state: 'header', header };
};

/** An object's line: its content begins at the same place in each. */
const OBJECT_START = utf8.encode('{"content":"');
const OID_START = utf8.encode('","oid":"');
const OID_LENGTH = 40;
const OBJECT_ENDS = OBJECT_TYPES.map((type) => ({
  type,
  text: utf8.encode(`","part":"object","type":"${type}"}`),
}));

export interface ObjectLine {
  readonly oid: string;
  readonly type: ObjectType;
  /** Where its base64 stands in the line. */
  readonly from: number;
  readonly to: number;
}

const isHexDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);

/** An object's line without its line feed, its content not looked at; null for any other line. */
export const parseObject = (bytes: Uint8Array, start: number, end: number): ObjectLine | null => {
  if (!startsWith(bytes, start, end, OBJECT_START)) return null;
  for (const { type, text } of OBJECT_ENDS) {
    if (!endsWith(bytes, start, end, text)) continue;
    const oidAt = end - text.length - OID_LENGTH;
    const to = oidAt - OID_START.length;
    const from = start + OBJECT_START.length;
    if (to < from || !startsWith(bytes, to, end, OID_START)) return null;
    for (let at = oidAt; at < oidAt + OID_LENGTH; at += 1) if (!isHexDigit(bytes[at]!)) return null;
    return { oid: strict.decode(bytes.subarray(oidAt, oidAt + OID_LENGTH)), type, from, to };
  }
  return null;
};

/** The content of an object's line; null where it is not the one way to write some bytes. */
export const contentOf = (bytes: Uint8Array, { from, to }: ObjectLine): Uint8Array | null =>
  bytesOfBase64(bytes, from, to);

/** An object's line, its line feed included. */
export const objectLine = (oid: string, type: ObjectType, content: Uint8Array): Uint8Array =>
  concat([
    OBJECT_START,
    base64Bytes(content),
    utf8.encode(`","oid":"${oid}","part":"object","type":"${type}"}\n`),
  ]);

const EVENT_START = utf8.encode('{"body":');
const EVENT_END = utf8.encode(',"part":"event"}');
const LEAF_START = utf8.encode(',"leaf":{"index":');
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const QUOTE = 0x22;
const BRACKET_CLOSE = 0x5d;

/** Where an event's parts stand in its line. `leafFrom` is negative where its place is not told. */
export interface EventLine {
  readonly bodyFrom: number;
  readonly bodyTo: number;
  readonly leafFrom: number;
  readonly leafTo: number;
}

/**
 * An event's line without its line feed; null for any other line. The body ends in a string (its type) and a brace,
 * a place in brackets and a brace: so neither passes for the other.
 */
export const parseEvent = (bytes: Uint8Array, start: number, end: number): EventLine | null => {
  const bodyFrom = start + EVENT_START.length;
  if (
    !startsWith(bytes, start, end, EVENT_START) ||
    !endsWith(bytes, bodyFrom, end, EVENT_END) ||
    bytes[bodyFrom] !== BRACE_OPEN
  )
    return null;
  const to = end - EVENT_END.length;
  if (bytes[to - 1] !== BRACE_CLOSE) return null;
  if (bytes[to - 2] === QUOTE) return { bodyFrom, bodyTo: to, leafFrom: -1, leafTo: -1 };
  if (bytes[to - 2] !== BRACKET_CLOSE) return null;
  // A proof holds no comma before a quote and an "l": looked for from the end it is found at once.
  for (let at = to - LEAF_START.length; at > bodyFrom; at -= 1)
    if (startsWith(bytes, at, to, LEAF_START))
      return bytes[at - 1] === BRACE_CLOSE && bytes[at - 2] === QUOTE
        ? { bodyFrom, bodyTo: at, leafFrom: at + LEAF_START.length, leafTo: to }
        : null;
  return null;
};

const LEAF =
  /^(0|[1-9][0-9]{0,15}),"proof":\[((?:"[A-Za-z0-9+/]{43}="(?:,"[A-Za-z0-9+/]{43}=")*)?)\]\}$/;

/** The place of an event, from what stands after `"index":`; null where it is none. */
export const parseLeaf = (bytes: Uint8Array, from: number, to: number): Leaf | null => {
  // A path of the most hashes is far shorter: nobody is made to match megabytes.
  if (to - from > 64 * (LIMITS.proof + 1)) return null;
  const [, digits = '', list = ''] = LEAF.exec(strictOrNothing(bytes.subarray(from, to))) ?? [];
  const index = Number(digits);
  if (digits === '' || !Number.isSafeInteger(index)) return null;
  const proof: Uint8Array[] = [];
  for (const quoted of list === '' ? [] : list.split(',')) {
    const hash = fromBase64(quoted.slice(1, -1));
    if (hash === null) return null;
    proof.push(hash);
  }
  return proof.length > LIMITS.proof ? null : { index, proof };
};

const strictOrNothing = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes);
  } catch {
    return '';
  }
};

/** An event's line, its line feed included: the stored bytes stand in it as they are. */
export const eventLine = (canonical: Uint8Array, leaf: Leaf | null): Uint8Array => {
  const proof = leaf?.proof.map((hash) => `"${strict.decode(base64Bytes(hash))}"`).join(',');
  const place = leaf === null ? '' : `,"leaf":{"index":${leaf.index},"proof":[${proof}]}`;
  return concat([EVENT_START, canonical, utf8.encode(`${place},"part":"event"}\n`)]);
};

/** Bytes that an event's canonical form has at its end, but for its revision and its type. */
export interface EventTail {
  readonly beforeType: Uint8Array;
}

export const tailOf = (stream: string): EventTail => ({
  beforeType: utf8.encode(`,"stream":${JSON.stringify(stream)},"type":"`),
});

const REVISION = utf8.encode(',"revision":');
const LONGEST_TYPE = 64;

const isLetter = (byte: number): boolean =>
  (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/**
 * The type of the event whose bytes end at `to`, if they end as those of this stream's event of this revision do; null
 * if not. Of what is JSON at all the last members are the ones that count, so that no parsing is needed for this.
 */
export const typeAtEnd = (
  bytes: Uint8Array,
  from: number,
  to: number,
  { beforeType }: EventTail,
  revision: number,
): string | null => {
  let at = to - 2;
  const least = Math.max(from, at - LONGEST_TYPE);
  while (at > least && isLetter(bytes[at - 1]!)) at -= 1;
  if (at === to - 2 || !endsWith(bytes, from, at, beforeType)) return null;
  const digitsTo = at - beforeType.length;
  let left = revision;
  let digit = digitsTo - 1;
  do {
    if (digit < from || bytes[digit] !== 0x30 + (left % 10)) return null;
    left = Math.floor(left / 10);
    digit -= 1;
  } while (left > 0);
  if (!endsWith(bytes, from, digit + 1, REVISION)) return null;
  return typeName(bytes, at, to - 2);
};

/** Types by their bytes, so that a run of a million events makes no million strings. */
const typeNames = new Map<number, { readonly bytes: Uint8Array; readonly name: string }>();
const MOST_NAMES = 1_000;

const typeName = (bytes: Uint8Array, from: number, to: number): string => {
  let key = to - from;
  for (let at = from; at < to; at += 1) key = (Math.imul(key, 31) + bytes[at]!) | 0;
  const known = typeNames.get(key);
  if (known?.bytes.length === to - from && startsWith(bytes, from, to, known.bytes))
    return known.name;
  const copy = bytes.slice(from, to);
  const name = String.fromCharCode(...copy);
  if (typeNames.size < MOST_NAMES) typeNames.set(key, { bytes: copy, name });
  return name;
};

const SUMMARY_START = utf8.encode('{"part":"summary"');

export const looksLikeSummary = (bytes: Uint8Array, start: number, end: number): boolean =>
  startsWith(bytes, start, end, SUMMARY_START);

/** The summary that a line holds; null for any other line. */
export const parseSummary = (line: Uint8Array): string | null => {
  const value = canonicalObject(line);
  if (!hasKeys(value, ['part', 'text']) || value['part'] !== 'summary') return null;
  return typeof value['text'] === 'string' ? value['text'] : null;
};

export const summaryLine = (text: string): Uint8Array => lineOf({ part: 'summary', text });

/** How many lines the last line says that stand before it; null for any other line. */
export const parseEnd = (line: Uint8Array): number | null => {
  const value = canonicalObject(line);
  if (!hasKeys(value, ['lines', 'part']) || value['part'] !== 'end') return null;
  return isCount(value['lines']) ? value['lines'] : null;
};

export const endLine = (lines: number): Uint8Array => lineOf({ lines, part: 'end' });
