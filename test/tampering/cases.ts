import { hash } from 'node:crypto';
import {
  formatCheckpoint,
  formatNote,
  formatSignature,
  formatVerifierKey,
  cosign,
  signText,
  toBase64,
  type NoteSigner,
} from '#libs/checkpoints';
import { NOTARY } from '#libs/bundle';
import type { StoredBytes } from '#libs/provenance';
import {
  inTurn,
  notaryFacts,
  ORIGIN,
  treeOver,
  type NotaryFact,
} from '../../libs/bundle/src/testing/fixture.ts';
import {
  assembled,
  bodiesOf,
  partsOf,
  rehashed,
  renotarised,
  type Body,
  type Parts,
} from './assemble.ts';
import { classesOf, type Group, type PositionClass } from './classes.ts';
import {
  drawOf,
  goldenOf,
  honestOf,
  KINDS,
  logKey,
  noteOf,
  pick,
  WITNESSES,
  witnessKey,
  type Draw,
  type Honest,
  type Kind,
  type Signers,
  type Trust,
} from './honest.ts';

export interface Case {
  readonly number: number;
  readonly family: Family;
  /** What was done, to which bundle. */
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly trust: Trust;
  /** One of these rows has to say it. */
  readonly rows: readonly string[];
  /** No other row may: nothing else is wrong. */
  readonly alone: boolean;
  /** Whether it may be no bundle any more. */
  readonly mayBeNone: boolean;
}

type Tampered = Pick<Case, 'what' | 'bytes' | 'rows'> &
  Partial<Pick<Case, 'trust' | 'mayBeNone' | 'alone'>>;

/** Null where this bundle has nothing of the kind: another one is tried. */
type Tamper = (
  draw: Draw,
  honest: Honest,
  pool: Pool,
) => Promise<Tampered | null> | Tampered | null;

export interface Pool {
  readonly honest: readonly Honest[];
  /** Bundles in which somebody forged signatures. */
  readonly forged: readonly (Honest & { readonly rows: readonly string[] })[];
  /** Every class of positions, each as it stands in the bundles that have it. */
  readonly classes: readonly (readonly ClassInBundle[])[];
}

type ClassInBundle = PositionClass & { readonly of: Honest };

/** Rows that may name what was changed in a part of the file. */
const ROWS: Readonly<Record<Group, readonly string[]>> = {
  header: ['bundle-form', 'subject', 'log-key', 'heads'],
  object: ['bundle-form', 'objects'],
  // The last event of a stream is held by the header and the tree, every other one by the event after it.
  event: ['bundle-form', 'hash-chain', 'inclusion', 'subject'],
  leaf: ['bundle-form', 'inclusion'],
  notary: ['bundle-form', 'checkpoints', 'log-key'],
  summary: ['bundle-form', 'summary'],
  end: ['bundle-form'],
  'line feed': ['bundle-form'],
};

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts));
const utf8 = new TextEncoder();

/** The bytes with those from `from` up to `to` replaced. */
const spliced = (bytes: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array =>
  joined(bytes.subarray(0, from), by, bytes.subarray(to));

export const OPERATIONS = ['flip', 'delete', 'insert', 'reorder', 'truncate'] as const;

/** One operation on the bytes of a span. */
const operated = (
  draw: Draw,
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  operation: (typeof OPERATIONS)[number],
): Uint8Array => {
  const at = from + draw(to - from);
  switch (operation) {
    case 'flip': {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1 << draw(8);
      return changed;
    }
    case 'delete':
      return draw(2) === 0
        ? spliced(bytes, at, at + 1, new Uint8Array())
        : spliced(bytes, from, to, new Uint8Array());
    case 'insert':
      return draw(2) === 0
        ? spliced(bytes, at, at, Uint8Array.of(draw(256)))
        : spliced(bytes, to, to, bytes.subarray(from, to));
    case 'reorder': {
      const changed = Uint8Array.from(bytes);
      const other = from + draw(to - from);
      [changed[at], changed[other]] = [bytes[other]!, bytes[at]!];
      return changed;
    }
    case 'truncate': {
      const end = bytes.indexOf(10, at);
      return draw(2) === 0 ? bytes.slice(0, at) : spliced(bytes, at, end, new Uint8Array());
    }
  }
};

/** The nth class of positions, with the nth operation on it: of so many as both make, each comes once. */
const byteCase = (n: number, draw: Draw, { classes }: Pool): Tampered => {
  const { group, name, spans, of } = pick(draw, classes[n % classes.length]!);
  const operation = OPERATIONS[(n + Math.floor(n / classes.length)) % OPERATIONS.length]!;
  const firstLine = of.bytes.indexOf(10);
  for (;;) {
    const span = pick(draw, spans);
    const bytes = operated(draw, of.bytes, span, operation);
    if (Buffer.compare(bytes, of.bytes) === 0) {
      // Bytes that are all the same can't change places: one of them is flipped.
      if (operation === 'reorder' && draw(8) > 0) continue;
      const flipped = operated(draw, of.bytes, span, 'flip');
      return {
        what: `${of.what}: flip ${name}`,
        bytes: flipped,
        rows: ROWS[group],
        trust: of.trust,
        mayBeNone: span.from <= firstLine,
      };
    }
    return {
      what: `${of.what}: ${operation} ${name} at ${span.from}`,
      bytes,
      trust: of.trust,
      rows: bytes.length < span.to && operation === 'truncate' ? ['bundle-form'] : ROWS[group],
      mayBeNone: span.from <= firstLine,
    };
  }
};

const linesOf = (bytes: Uint8Array): Uint8Array[] => {
  const lines: Uint8Array[] = [];
  for (
    let start = 0, end = bytes.indexOf(10);
    end >= 0;
    start = end + 1, end = bytes.indexOf(10, start)
  )
    lines.push(bytes.subarray(start, end + 1));
  return lines;
};

/** Whole lines, with or without an end that says so many. */
const lineCase: Tamper = (draw, honest, { honest: others }) => {
  const lines = linesOf(honest.bytes);
  const at = draw(lines.length);
  const other = draw(lines.length);
  const what = pick(draw, [
    'deleted',
    'twice',
    'exchanged',
    'of another bundle',
    'cut off after',
    'empty',
    'moved',
  ]);
  const line = lines[at]!;
  switch (what) {
    case 'deleted':
      lines.splice(at, 1);
      break;
    case 'twice':
      lines.splice(other, 0, line);
      break;
    case 'exchanged':
      if (at === other) return null;
      [lines[at], lines[other]] = [lines[other]!, line];
      break;
    case 'of another bundle': {
      const theirs = pick(draw, linesOf(pick(draw, others).bytes));
      if (Buffer.compare(theirs, line) === 0) return null;
      lines[at] = theirs;
      break;
    }
    case 'cut off after':
      if (at === lines.length - 1) return null;
      lines.splice(at + 1);
      break;
    case 'empty':
      lines[at] = utf8.encode('\n');
      break;
    default:
      if (at === other) return null;
      lines.splice(at, 1);
      lines.splice(other, 0, line);
  }
  const says = draw(2) === 0 && at < lines.length - 1 && what !== 'cut off after';
  if (says) lines[lines.length - 1] = utf8.encode(`{"lines":${lines.length - 1},"part":"end"}\n`);
  const bytes = joined(...lines);
  if (Buffer.compare(bytes, honest.bytes) === 0) return null;
  const parts = Buffer.from(line).toString('latin1', 0, 24);
  return {
    what: `line ${at} ${what}${says ? ', and the end says so' : ''}: ${parts}`,
    bytes,
    rows: ['bundle-form', 'summary', 'objects', 'hash-chain', 'inclusion'],
    mayBeNone: true,
  };
};

/** Other ways to write the same, and what is no text at all. */
const spellingCase: Tamper = (draw, honest, { classes }) => {
  const own = classes.flat().filter(({ of }) => of === honest);
  const { group, name, spans } = pick(draw, own);
  const { from, to } = pick(draw, spans);
  const text = Buffer.from(honest.bytes.subarray(from, to)).toString('latin1');
  const end = honest.bytes.indexOf(10, from);
  const done = (what: string, bytes: Uint8Array): Tampered => ({
    ...{ what: `${name}: ${what}`, bytes, rows: ROWS[group] },
    mayBeNone: from <= honest.bytes.indexOf(10),
  });
  const put = (what: string, by: string | Uint8Array, at = from, until = to): Tampered =>
    done(
      what,
      spliced(honest.bytes, at, until, typeof by === 'string' ? Buffer.from(by, 'latin1') : by),
    );
  switch (draw(10)) {
    case 0:
      return put(
        'bytes that are no UTF-8',
        pick(
          draw,
          [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0xe2, 0x82]].map((each) =>
            Uint8Array.from(each),
          ),
        ),
        from + 1,
        from + 1,
      );
    case 1:
      return put('a NUL', '\0', from + 1, from + 1);
    case 2:
      return put('a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf), from, from);
    case 3:
      return put('CR before the line feed', '\r', end, end);
    case 4:
      return put('white space', ' ', from, from);
    case 5: {
      // A letter by its escape.
      const letter = /[A-Za-z]/.exec(text);
      if (letter === null || !text.startsWith('"')) return null;
      const at = from + letter.index;
      return put(
        'a letter by its escape',
        `\\u00${letter[0].charCodeAt(0).toString(16)}`,
        at,
        at + 1,
      );
    }
    case 6:
      return /^[0-9]+$/.test(text) ? put('a number with a point', `${text}.0`) : null;
    case 7:
      return text.startsWith('"') && !name.endsWith('name of a member')
        ? put('a member twice', `${text},"part":"object"`)
        : null;
    case 8: {
      const padded = text.replace(/=+"$/, '"');
      return padded === text ? null : put('base64 without its padding', padded);
    }
    default: {
      // The bits that no byte needs.
      const match = /([A-Za-z0-9+/])(=+)"$/.exec(text);
      if (match === null) return null;
      const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
      const next = ALPHABET[ALPHABET.indexOf(match[1]!) ^ 1]!;
      return put('base64 with a bit too many', `${text.slice(0, match.index)}${next}${match[2]}"`);
    }
  }
};

/** A value that is not the one before. */
const changed = (draw: Draw, value: unknown): unknown => {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') {
    if (value === '') return 'x';
    const at = draw(value.length);
    const next = value[at] === '0' ? '1' : '0';
    return `${value.slice(0, at)}${next}${value.slice(at + 1)}`;
  }
  return value === null ? 'something' : null;
};

/** The data with one value changed somewhere. */
const changedData = (draw: Draw, data: unknown): unknown => {
  if (Array.isArray(data) && data.length > 0) {
    const at = draw(data.length);
    return data.with(at, changedData(draw, data[at]));
  }
  if (typeof data === 'object' && data !== null && Object.keys(data).length > 0) {
    const name = pick(draw, Object.keys(data).sort());
    return { ...data, [name]: changedData(draw, (data as Record<string, unknown>)[name]) };
  }
  return changed(draw, data);
};

type Bodies = { readonly body: Body; readonly was: string }[];

/** Where a stream's events stand in the log. */
const placesOf = (
  events: readonly StoredBytes[],
  isTaken: (event: StoredBytes) => boolean,
): readonly number[] => events.flatMap((event, at) => (isTaken(event) ? [at] : []));

/** Somebody writes to the log and hashes everything behind that anew. */
const rewritten = (
  draw: Draw,
  events: readonly StoredBytes[],
  places: readonly number[],
): { readonly what: string; readonly events: readonly StoredBytes[] } | null => {
  const at = pick(draw, places);
  const { type, stream } = events[at]!;
  const bodies: Bodies = bodiesOf(events);
  const what = pick(draw, [
    'changed',
    'changed',
    'changed',
    'deleted',
    'twice',
    'exchanged',
    'cut off',
    'its envelope changed',
    'another type',
  ]);
  const { body, was } = bodies[at]!;
  switch (what) {
    case 'changed':
      bodies[at] = { was, body: { ...body, data: changedData(draw, body.data) as Body['data'] } };
      break;
    case 'deleted':
      bodies.splice(at, 1);
      break;
    case 'twice':
      bodies.splice(at, 0, { body, was: '' });
      break;
    case 'exchanged': {
      const other = pick(
        draw,
        placesOf(events, (event) => event.stream === stream),
      );
      if (other === at) return null;
      [bodies[at], bodies[other]] = [bodies[other]!, bodies[at]!];
      break;
    }
    case 'cut off':
      for (const place of placesOf(events, (event) => event.stream === stream)
        .filter((place) => place > at)
        .reverse())
        bodies.splice(place, 1);
      if (bodies.length === events.length) return null;
      break;
    case 'its envelope changed': {
      const others = {
        time: '2027-01-01T00:00:00.000Z',
        actor: { role: 'reviewer', id: 'x' },
        schemaVersion: 9,
      };
      const name = pick(draw, ['id', 'time', 'actor', 'schemaVersion'] as const);
      bodies[at] = {
        was,
        body:
          name === 'id'
            ? { ...body, id: changed(draw, body['id']) }
            : {
                ...body,
                metadata: {
                  ...(body['metadata'] as object),
                  [name]: others[name],
                },
              },
      };
      break;
    }
    default:
      bodies[at] = { was, body: { ...body, type: `${type}Too` } };
  }
  return { what: `${type} of ${stream} ${what}`, events: rehashed(bodies) };
};

/** Signs as the log's key does, with another secret. */
const impostorOf = ({ key }: NoteSigner): NoteSigner => ({ ...logKey('intruder'), key });

const eventCase: Tamper = async (draw, { world, signers, trust }) => {
  const written = rewritten(
    draw,
    world.events,
    placesOf(world.events, ({ stream }) => world.streams.includes(stream)),
  );
  if (written === null) return null;
  const { events } = written;
  const intruder = logKey('intruder');
  const by: readonly [string, () => readonly NotaryFact[], readonly string[]][] = [
    ['the notary said nothing of it', () => world.facts, ['inclusion']],
    [
      'signed by another key',
      () =>
        renotarised(
          world.facts,
          events,
          signers.map((_, at) => logKey(`intruder ${at}`)),
        ),
      ['log-key'],
    ],
    [
      "signed by another key under the log's name",
      () => renotarised(world.facts, events, signers.map(impostorOf)),
      ['checkpoints'],
    ],
    [
      'signed by another key that says to follow the log’s',
      () => {
        const say = notaryFacts(events);
        return inTurn(world.facts[0]!, say.rotated(impostorOf(signers[0]!), intruder), (after) =>
          say.signed(intruder, events.length, null, after),
        );
      },
      ['checkpoints'],
    ],
    [
      'signed by another key after the log’s own',
      () => {
        const first = world.facts.findIndex(({ type }) => type === 'CheckpointSigned');
        const say = notaryFacts(events);
        const { size } = world.facts[first]!.data as { readonly size: number };
        const isLonger = size < events.length;
        return inTurn(...world.facts.slice(0, isLonger ? first + 1 : first), (after) =>
          say.signed(intruder, events.length, isLonger ? size : null, after),
        );
      },
      ['checkpoints'],
    ],
  ];
  const [how, facts, rows] = pick(draw, by);
  const parts = partsOf({ ...world, events, facts: facts() });
  return {
    what: `${written.what}, ${how}`,
    bytes: await assembled(parts),
    rows,
    trust: { ...trust, seen: null, witnesses: [], logKey: formatVerifierKey(signers[0]!.key) },
  };
};

/** The notary is deceived (or lends its key), the runner and the workers are not. */
const signedEventCase: Tamper = async (draw, { world, signers }) => {
  const inLoop = placesOf(world.events, ({ stream, revision, type }) => {
    const end = world.events.find((event) => event.stream === stream && event.type === 'LoopEnded');
    return (
      world.streams.includes(stream) &&
      stream.startsWith('run-') &&
      type !== 'RunOpened' &&
      revision <= (end?.revision ?? -1)
    );
  });
  const written = rewritten(draw, world.events, inLoop);
  if (written === null || written.what.includes('cut off')) return null;
  const { events } = written;
  const parts = partsOf({ ...world, events, facts: renotarised(world.facts, events, signers) });
  return {
    what: `${written.what}, and the notary signed it`,
    bytes: await assembled(parts),
    rows: ['run-head-signed'],
    trust: { logKey: formatVerifierKey(signers[0]!.key), witnesses: [], seen: null },
  };
};

const newestOf = (facts: readonly NotaryFact[]): number =>
  facts.findLastIndex(({ type }) => type === 'CheckpointSigned');
const before = (facts: readonly NotaryFact[], at: number): number =>
  facts.slice(0, at).findLastIndex(({ type }) => type === 'CheckpointSigned');

const replayCase: Tamper = async (draw, { world, signers, trust, bytes }) => {
  const { events, facts } = world;
  const newest = newestOf(facts);
  const older = before(facts, newest);
  switch (draw(4)) {
    case 0: {
      const more = Array.from({ length: 1 + draw(3) }, (_, at) => events[at]!);
      const grown = [...events, ...more];
      const seen = noteOf(notaryFacts(grown).signed(signers.at(-1)!, grown.length, null, facts));
      return {
        what: 'an older bundle than the auditor knows',
        bytes,
        rows: ['seen-checkpoint'],
        alone: true,
        trust: { ...trust, seen },
      };
    }
    case 1:
      return older < 0
        ? null
        : {
            what: 'the newest checkpoint left out',
            bytes: await assembled(partsOf({ ...world, facts: facts.slice(0, newest) })),
            rows: ['inclusion'],
          };
    case 2: {
      if (older < 0) return null;
      const { note } = facts[older]!.data as { readonly note: string };
      const data = { ...(facts[newest]!.data as object), note };
      return {
        what: 'an older note in the newest checkpoint',
        bytes: await assembled(
          partsOf({ ...world, facts: facts.with(newest, { type: 'CheckpointSigned', data }) }),
        ),
        rows: ['checkpoints'],
      };
    }
    default: {
      if (older < 0) return null;
      const again = {
        ...facts[older]!,
        data: { ...(facts[older]!.data as object), extendsLast: [] },
      };
      return {
        what: 'an older checkpoint after the newest',
        bytes: await assembled(partsOf({ ...world, facts: [...facts, again] })),
        rows: ['checkpoints'],
      };
    }
  }
};

const withStream = (
  parts: Parts,
  stream: string,
  events: Parts['streams'][number]['events'],
): Parts => ({
  ...parts,
  streams: parts.streams.map((each) => (each.stream === stream ? { stream, events } : each)),
});

const swapCase: Tamper = async (draw, { world, what }, { honest: others }) => {
  const other = pick(draw, others);
  if (other.what === what) return null;
  const [ours, theirs] = [partsOf(world), partsOf(other.world)];
  switch (draw(4)) {
    case 0: {
      const taken = pick(draw, ours.objects);
      const alike = theirs.objects.filter(
        ({ type, oid }) => type === taken.type && oid !== taken.oid,
      );
      if (alike.length === 0) return null;
      const put = pick(draw, alike);
      const objects = ours.objects.map((each) =>
        each === taken ? { ...each, content: put.content } : each,
      );
      return {
        what: `an object (${taken.type}) with the content of one of ${other.what}`,
        bytes: await assembled({ ...ours, objects }),
        rows: ['objects'],
      };
    }
    case 1:
      return {
        what: `all objects of ${other.what}`,
        bytes: await assembled({ ...ours, objects: theirs.objects }),
        rows: ['objects', 'bundle-form'],
      };
    case 2: {
      const { stream, events } = pick(
        draw,
        theirs.streams.filter(({ stream: name }) => name !== NOTARY),
      );
      const own = ours.streams.find((each) => each.stream === stream);
      if (own === undefined) return null;
      const same =
        events.length === own.events.length &&
        events.every(
          ({ canonical }, at) => Buffer.compare(canonical, own.events[at]!.canonical) === 0,
        );
      return same
        ? null
        : {
            what: `${stream} of ${other.what}`,
            bytes: await assembled(withStream(ours, stream, events)),
            rows: ['inclusion'],
          };
    }
    default:
      return {
        what: `the notary's stream of ${other.what}`,
        bytes: await assembled(withStream(ours, NOTARY, theirs.streams[0]!.events)),
        rows: ['inclusion', 'checkpoints', 'log-key'],
      };
  }
};

/** Without any key: streams or their ends cut off, and what the notary recorded without a note left out or changed. */
const cutCase: Tamper = async (draw, { world }) => {
  const parts = partsOf(world);
  const what = pick(draw, ['a stream', 'its end', 'its end', 'of the notary'] as const);
  if (what === 'a stream') {
    const { stream } = pick(draw, parts.streams.slice(1));
    const streams = parts.streams.filter((each) => each.stream !== stream);
    return {
      what: `${stream} left out`,
      bytes: await assembled({ ...parts, streams }),
      rows: ['subject', 'hash-chain', 'fork-point', 'fork-origin'],
    };
  }
  if (what === 'its end') {
    const { stream, events } = pick(
      draw,
      parts.streams.filter(({ stream: name }) => name !== NOTARY),
    );
    // To an event whose place is proven, so that nothing else is missed.
    const ends = events.flatMap(({ leaf }, at) =>
      leaf !== null && at < events.length - 1 ? [at] : [],
    );
    if (ends.length === 0) return null;
    const end = pick(draw, ends);
    return {
      what: `${stream} cut off after ${events[end]!.type}`,
      bytes: await assembled(withStream(parts, stream, events.slice(0, end + 1))),
      rows: ['heads'],
    };
  }
  const { facts } = world;
  const newest = newestOf(facts);
  const unsigned = facts.flatMap(({ type }, at) =>
    at < newest && type !== 'NotaryOpened' && type !== 'CheckpointSigned' ? [at] : [],
  );
  if (unsigned.length === 0) return null;
  const at = pick(draw, unsigned);
  const { type, data } = facts[at]!;
  const isAlarm = type.startsWith('NotaryAlarm');
  const which = isAlarm && draw(2) === 0 ? 'an alarm and its settlement' : type;
  const [from, to] =
    which === type ? [at, at + 1] : type === 'NotaryAlarmRaised' ? [at, at + 2] : [at - 1, at + 1];
  const said =
    which === 'NotaryAlarmRaised'
      ? facts.with(at, { type, data: { ...(data as object), found: '8 events' } })
      : facts.toSpliced(from, to - from);
  return {
    what: `${which} left out or changed`,
    bytes: await assembled(partsOf({ ...world, facts: said })),
    rows: ['checkpoints'],
  };
};

const lastByteFlipped = (draw: Draw, base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[bytes.length - 1 - draw(60)]! ^= 1 << draw(8);
  return bytes.toString('base64');
};

/** Signatures of runner and workers that others made come from the pool; those of notary and witnesses are made here. */
const forgeCase: Tamper = async (draw, { world, signers, trust }, { forged }) => {
  const { facts, events } = world;
  const newest = newestOf(facts);
  const { size, root, note } = facts[newest]!.data as {
    readonly size: number;
    readonly root: string;
    readonly note: string;
  };
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const signed = (by: NoteSigner, of = text) =>
    formatNote({ text, signatures: [signText(by, of)] });
  const remade = async (
    what: string,
    said: readonly NotaryFact[],
    rows: readonly string[],
    given: Trust = trust,
  ): Promise<Tampered> => ({
    ...{ what, rows, trust: given, alone: rows.includes('anchors') },
    bytes: await assembled(partsOf({ ...world, facts: said })),
  });
  const withNote = (what: string, changedNote: string) =>
    remade(
      what,
      facts.with(newest, {
        type: 'CheckpointSigned',
        data: { ...(facts[newest]!.data as object), note: changedNote },
      }),
      ['checkpoints'],
    );
  const anchored = (what: string, witness: NoteSigner, evidence: string) =>
    remade(
      what,
      [
        ...facts.slice(0, newest + 1),
        {
          type: 'CheckpointAnchored',
          data: { size, root, kind: 'witness', by: witness.key.name, evidence },
        },
      ],
      ['anchors'],
      { ...trust, witnesses: WITNESSES.map(({ key }) => formatVerifierKey(key)) },
    );
  const signer = signers.at(-1)!;
  const witness = pick(draw, WITNESSES);
  const rotation = facts.findIndex(({ type }) => type === 'NotaryKeyRotated');
  switch (draw(12)) {
    case 0: {
      const { what, rows, bytes, trust: theirs } = pick(draw, forged);
      return { what, rows, bytes, trust: theirs };
    }
    case 1:
      return withNote(
        'a note that another signed under the notary’s key id',
        signed(impostorOf(signer)),
      );
    case 2:
      return withNote('a note that another signed', signed(logKey('intruder')));
    case 3:
      return withNote(
        'a note with the signature of another text',
        signed(signer, `${ORIGIN}\n${size}\n${toBase64(new Uint8Array(32))}\n`),
      );
    case 4: {
      const [line] = note.slice(note.lastIndexOf('\n\n') + 2).split('\n');
      const [dash, name, base64] = line!.split(' ');
      return withNote(
        'a signature with a bit flipped',
        `${text}\n${dash} ${name} ${lastByteFlipped(draw, base64!)}\n`,
      );
    }
    case 5: {
      const other = formatCheckpoint({
        origin: ORIGIN,
        size,
        root: treeOver([...events].reverse()).root(size),
        extensions: [],
      });
      return withNote(
        'a note of another tree, signed',
        formatNote({ text: other, signatures: [signText(signer, other)] }),
      );
    }
    case 6:
      return withNote('a note without signatures', `${text}\n`);
    case 7:
      return anchored(
        'a cosignature by another witness of the same name',
        witness,
        formatSignature(cosign(witnessKey('intruder', witness.key.name), text, 1_800_000_000)),
      );
    case 8:
      return anchored(
        'a cosignature by another witness under the key’s id',
        witness,
        formatSignature(
          cosign({ ...witnessKey('intruder'), key: witness.key }, text, 1_800_000_000),
        ),
      );
    case 9: {
      const other = formatCheckpoint({
        origin: ORIGIN,
        size: size + 1,
        root: treeOver(events).root(size),
        extensions: [],
      });
      return anchored(
        'a cosignature of another checkpoint',
        witness,
        formatSignature(cosign(witness, other, 1_800_000_000)),
      );
    }
    case 10: {
      const line = formatSignature(cosign(witness, text, 1_800_000_000));
      const [dash, name, base64] = line.split(' ');
      const bytes = Buffer.from(base64!, 'base64');
      // The eight bytes of the time stand after the key's id.
      bytes[4 + draw(8)]! ^= 1 << draw(7);
      return anchored(
        'a cosignature at another time',
        witness,
        `${dash} ${name} ${bytes.toString('base64')}`,
      );
    }
    default: {
      if (rotation < 0) return null;
      const data = facts[rotation]!.data as {
        readonly from: string;
        readonly to: string;
        readonly note: string;
      };
      const at = signers.findIndex(({ key }) => formatVerifierKey(key) === data.from);
      const [old, next] = [signers[at]!, signers[at + 1]!];
      const said = data.note.slice(0, data.note.lastIndexOf('\n\n') + 1);
      const by = pick(draw, [
        [old],
        [next],
        [old, impostorOf(next)],
        [impostorOf(old), next],
        [old, old],
      ] as const);
      const rotated = formatNote({
        text: said,
        signatures: by.map((each) => signText(each, said)),
      });
      return remade(
        'a change of keys that not both signed',
        facts.with(rotation, { type: 'NotaryKeyRotated', data: { ...data, note: rotated } }),
        ['checkpoints'],
      );
    }
  }
};

/** One log and two histories of it, both signed with the log's key: the second auditor has seen the first one's checkpoint. */
const historiesCase: Tamper = async (draw, { world, signers, trust }) => {
  const elsewhere = placesOf(world.events, ({ stream }) => !world.streams.includes(stream));
  if (elsewhere.length === 0) return null;
  const at = pick(draw, elsewhere);
  const seen = world.facts.filter(
    ({ type, data }) =>
      type === 'CheckpointSigned' && (data as { readonly size: number }).size > at,
  );
  const bodies: Bodies = bodiesOf(world.events);
  const { body } = bodies[at]!;
  bodies[at] = { was: '', body: { ...body, data: changedData(draw, body.data) as Body['data'] } };
  const events = rehashed(bodies);
  const facts = renotarised(world.facts, events, signers);
  return {
    what: `two histories that part at leaf ${at} of ${events.length}`,
    bytes: await assembled(partsOf({ ...world, events, facts })),
    rows: ['seen-checkpoint'],
    alone: true,
    trust: { ...trust, seen: noteOf(pick(draw, seen)) },
  };
};

export const FAMILIES = [
  'bytes',
  'lines',
  'spelling',
  'events',
  'signed events',
  'replay',
  'swap',
  'forgery',
  'histories',
  'cuts',
] as const;
export type Family = (typeof FAMILIES)[number];

const TAMPER: Readonly<Record<Exclude<Family, 'bytes'>, Tamper>> = {
  lines: lineCase,
  spelling: spellingCase,
  events: eventCase,
  'signed events': signedEventCase,
  replay: replayCase,
  swap: swapCase,
  forgery: forgeCase,
  histories: historiesCase,
  cuts: cutCase,
};

/** Every other case is one of single bytes, since of their classes there are the most. */
const TURNS: readonly Exclude<Family, 'bytes'>[] = [
  'events',
  'lines',
  'spelling',
  'events',
  'signed events',
  'replay',
  'swap',
  'forgery',
  'forgery',
  'histories',
  'cuts',
];

/** The case of this number: the same each time, of the same pool. */
export const caseOf = async (number: number, pool: Pool): Promise<Case> => {
  const draw = drawOf(1_000_003 + number);
  const half = Math.floor(number / 2);
  const given = {
    trust: { logKey: '', witnesses: [], seen: null },
    mayBeNone: false,
    alone: false,
  };
  if (number % 2 === 0) return { number, family: 'bytes', ...given, ...byteCase(half, draw, pool) };
  const family = TURNS[half % TURNS.length]!;
  for (;;) {
    const honest = pick(draw, pool.honest);
    const tampered = await TAMPER[family](draw, honest, pool);
    if (tampered === null) continue;
    // Two runs may hold the same objects, two events say the same: then nothing was changed.
    const isChanged = Buffer.compare(tampered.bytes, honest.bytes) !== 0;
    if (isChanged || tampered.trust !== undefined)
      return {
        number,
        family,
        mayBeNone: false,
        alone: false,
        trust: honest.trust,
        ...tampered,
        what: `${honest.what}: ${tampered.what}`,
      };
  }
};

const FORGERS: readonly [Signers, readonly string[]][] = [
  ['runner', ['run-head-signed']],
  ['worker', ['training-signatures', 'worker-signatures']],
];

/** Honest bundles to tamper with: one of a run that really ran, and so many of each kind. */
export const poolOf = async (each: number): Promise<Pool> => {
  const honest: Honest[] = [];
  for (let seed = 0; seed < each * KINDS.length; seed += 1)
    honest.push(await honestOf(KINDS[seed % KINDS.length]!, seed));
  // It is large: of what the others hold too, they are changed.
  const large = await goldenOf('v2-pay', 'finding');
  honest.push(large);
  const forged = [];
  for (const [at, kind] of (['finding', 'run', 'fork'] satisfies Kind[]).entries())
    for (const [who, rows] of FORGERS) {
      const made = await honestOf(kind, 1_000 + at, { forged: [who] });
      forged.push({
        ...made,
        rows,
        what: `${made.what}: another signed as the ${who}`,
        trust: { ...made.trust, seen: null },
      });
    }
  const classes = new Map<string, ClassInBundle[]>();
  for (const of of honest)
    for (const one of classesOf(of.bytes).values()) {
      const known = classes.get(one.name);
      if (known === undefined) classes.set(one.name, [{ ...one, of }]);
      else if (of !== large) known.push({ ...one, of });
    }
  // In no order, so that few cases see many kinds of them.
  const key = (name: string): string => hash('sha256', name);
  const inNoOrder = [...classes].sort(([a], [b]) => (key(a) < key(b) ? -1 : 1));
  return { honest, forged, classes: inNoOrder.map(([, each]) => each) };
};
