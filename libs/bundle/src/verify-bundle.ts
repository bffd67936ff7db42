import {
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  verifyNote,
  type Checkpoint,
  type SignedNote,
  type VerifierKey,
  type VerifyEd25519,
} from '#libs/checkpoints';
import type { VerdictRow } from '#libs/findings';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { leafHash, verifyInclusion, type Sha256 } from '#libs/merkle';
import { acceptedText, headLeaf, type CheckpointAnchored } from '#libs/notary';
import { verifyFinding, type FindingStreams, type VerificationPorts } from '#libs/provenance';
import { bytesOfBase64 } from './base64.ts';
import { NOTARY, type BundleHeader, type Subject } from './format.ts';
import { notaryReader, readBody, type ChainedBody, type NotaryReading } from './notary-stream.ts';
import {
  openBundle,
  type BundleRefusalCode,
  type OpenedBundle,
  type ShownEvent,
} from './read-bundle.ts';
import type { BundleSource } from './source.ts';
import { standingOf, type Sighting, type StandingLine } from './standing.ts';
import { proposalOf, type Proposal } from './proposal.ts';
import { summary } from './summary.ts';

/** Whom the auditor trusts, as he was told outside of the bundle. */
export interface AuditorTrust {
  /** The log's verifier key (C2SP signed-note): the one that signs, or one before or after it that the log vouches for. */
  readonly logKey: string;
  /** Verifier keys of witnesses (C2SP tlog-cosignature). */
  readonly witnesses?: readonly string[];
  /** Verifies a timestamp (RFC 3161) over these bytes by the authorities that the auditor trusts; null: he named none. */
  readonly verifyTimestamp?: VerifyTimestamp | null;
  /** A signed checkpoint of this log that he was shown before. */
  readonly seen?: string | null;
}

/** When an authority saw these bytes, a signed checkpoint (ISO 8601); null for a token that does not verify. */
export type VerifyTimestamp = (token: Uint8Array, message: Uint8Array) => Promise<string | null>;

/** What the verifier needs of the world: pure functions. */
export interface BundlePorts extends Pick<
  VerificationPorts,
  'sha256' | 'sha1' | 'verifySignature'
> {
  /** SHA-256 as raw bytes. */
  readonly sha256Bytes: Sha256;
  readonly verifyEd25519: VerifyEd25519;
}

export interface FindingInBundle {
  readonly findingId: string;
  readonly verdict: 'PASS' | 'BLOCK';
  readonly rows: readonly VerdictRow[];
}

export interface BundleVerdict {
  /** PASS only if every row here and every row of each finding holds. */
  readonly verdict: 'PASS' | 'BLOCK';
  /** Null where the bundle's first line can't be read. */
  readonly subject: Subject | null;
  /** What was looked at of the bundle itself. */
  readonly rows: readonly VerdictRow[];
  /** What rests on whose word. */
  readonly standing: readonly StandingLine[];
  readonly checkpoint: { readonly size: number; readonly root: string } | null;
  /** The subject's, then those of other runs that their states were forked from. */
  readonly findings: readonly FindingInBundle[];
}

export type VerifyRefusalCode =
  | BundleRefusalCode
  /** What was given as a key is none, or one of another kind. */
  | 'bad-key'
  /** What was given as a checkpoint that was seen is none. */
  | 'bad-checkpoint';

type Refused<T> = Result<T, Refusal<VerifyRefusalCode>>;

interface Trusted {
  readonly logKey: string;
  readonly witnesses: readonly VerifierKey[];
  readonly verifyTimestamp: VerifyTimestamp | null;
  readonly seen: { readonly note: SignedNote; readonly checkpoint: Checkpoint } | null;
}

const keyOf = (
  { sha256Bytes }: BundlePorts,
  text: string,
  type: VerifierKey['type'],
): Refused<VerifierKey> => {
  const key = parseVerifierKey(sha256Bytes, text);
  if (!key.ok) return refused({ code: 'bad-key', message: key.error.message });
  return key.value.type === type
    ? key
    : refused({
        code: 'bad-key',
        message: `found the key ${text} of kind ${key.value.type}, expected kind ${type} (1 is a log's, 4 a witness's)`,
      });
};

const readTrust = (trust: AuditorTrust, ports: BundlePorts): Refused<Trusted> => {
  const logKey = keyOf(ports, trust.logKey, SIGNATURE_TYPES.ed25519);
  if (!logKey.ok) return logKey;
  const witnesses: VerifierKey[] = [];
  for (const text of trust.witnesses ?? []) {
    const key = keyOf(ports, text, SIGNATURE_TYPES.cosignature);
    if (!key.ok) return key;
    witnesses.push(key.value);
  }
  const given = { logKey: trust.logKey, witnesses, verifyTimestamp: trust.verifyTimestamp ?? null };
  if (typeof trust.seen !== 'string') return ok({ ...given, seen: null });
  const note = parseNote(trust.seen);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!note.ok || !checkpoint.ok)
    return refused({
      code: 'bad-checkpoint',
      message: `what was given as a checkpoint that was seen is none: ${checkpoint.ok ? '' : checkpoint.error.message}`,
    });
  return ok({ ...given, seen: { note: note.value, checkpoint: checkpoint.value } });
};

const NAMED = 12;

/** What is wrong, in the order in which it is found; of very many the first ones are named. */
const collect = () => {
  const named: string[] = [];
  let count = 0;
  return {
    add: (fault: string): void => {
      count += 1;
      if (named.length < NAMED) named.push(fault);
    },
    row: (row: string, good: string, expected: string): VerdictRow => ({
      row,
      passed: count === 0,
      found:
        count === 0
          ? good
          : `${named.join('; ')}${count > named.length ? `; and ${count - named.length} more` : ''}`,
      expected,
    }),
  };
};

type Faults = ReturnType<typeof collect>;

const hexBytes = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    parseInt(hex.slice(2 * at, 2 * at + 2), 16),
  );

const utf8 = new TextEncoder();

const fromBase64 = (text: string): Uint8Array | null => {
  const bytes = utf8.encode(text);
  return bytesOfBase64(bytes, 0, bytes.length);
};

/** What the first reading learns of the events that it is shown. */
const firstReading = (ports: BundlePorts, trusted: Trusted) => {
  const notary = notaryReader(
    { sha256: ports.sha256Bytes, verify: ports.verifyEd25519, hash: ports.sha256 },
    trusted.seen?.checkpoint.size ?? null,
  );
  let read: { readonly reading: NotaryReading; readonly root: Uint8Array | null } | null = null;
  const [inclusion, order] = [collect(), collect()];
  const proposals = new Map<string, Proposal>();
  const firsts = new Map<string, string>();
  const heads = new Map<string, string>();
  const opened = new Map<string, { readonly studyId: unknown; readonly dataDigest: unknown }>();
  const closed = new Map<string, readonly unknown[]>();
  const told: { readonly stream: string; readonly body: ChainedBody }[] = [];
  const taken = new Set<number>();
  let placed = 0;
  let last: { readonly stream: string; readonly index: number } | null = null;

  const tree = () => {
    // The notary's stream comes first: whatever needs the tree comes after its newest checkpoint.
    if (read === null) {
      const reading = notary.reading();
      read = { reading, root: fromBase64(reading.newest?.root ?? '') };
    }
    return read;
  };

  const place = ({ stream, revision, type, leaf }: ShownEvent, digest: string): void => {
    const what = `${type}, event ${revision} of ${stream}`;
    const { reading, root } = tree();
    placed += 1;
    if (leaf === null) {
      inclusion.add(`${what}, has no place`);
      return;
    }
    const { newest } = reading;
    const claim = {
      leafIndex: leaf.index,
      treeSize: newest?.size ?? 0,
      leafHash: leafHash(ports.sha256Bytes, hexBytes(digest)),
      root: root ?? new Uint8Array(),
    };
    if (!verifyInclusion(ports.sha256Bytes, claim, leaf.proof))
      inclusion.add(`${what}, is not shown to be leaf ${leaf.index} of ${claim.treeSize}`);
    if (taken.has(leaf.index)) order.add(`${what}, is leaf ${leaf.index}, as another event is`);
    taken.add(leaf.index);
    if (last?.stream === stream && last.index >= leaf.index)
      order.add(`${what}, is leaf ${leaf.index}, after leaf ${last.index} of the same stream`);
    last = { stream, index: leaf.index };
    if (newest === null) return;
    const { newest: said, size } = newest;
    const isSaid = said.stream === stream && said.revision === revision && said.hash === digest;
    if ((leaf.index === size - 1) !== isSaid)
      order.add(
        `${what}, is leaf ${leaf.index}; the newest leaf, ${size - 1}, is event ${String(said.revision)} of ${String(said.stream)}, says the notary`,
      );
  };

  return {
    show: (event: ShownEvent): void => {
      const { stream, revision, type, body, isLast, isPlaced } = event;
      const digest = ports.sha256(body);
      if (revision === 0) firsts.set(stream, digest);
      if (isLast) heads.set(stream, digest);
      if (stream === NOTARY) {
        notary.observe(body);
        return;
      }
      if (!isPlaced) return;
      place(event, digest);
      const read = readBody(body);
      // What is none fails the rows of the finding that it belongs to.
      if (read === null) return;
      told.push({ stream, body: read });
      if (stream.startsWith('finding-') && revision === 0) {
        const id = stream.slice('finding-'.length);
        const proposal = proposalOf(id, read);
        if (proposal !== null) proposals.set(id, proposal);
      }
      if (!stream.startsWith('run-')) return;
      const id = stream.slice('run-'.length);
      const { data } = read;
      if (type === 'RunOpened' && !opened.has(id)) {
        const pins = data['pins'] as { readonly dataDigest?: unknown } | null | undefined;
        opened.set(id, { studyId: data['studyId'], dataDigest: pins?.dataDigest });
      }
      if (type === 'RunClosed' && Array.isArray(data['findings'])) closed.set(id, data['findings']);
    },
    tree,
    ...{ inclusion, order, proposals, firsts, heads, opened, closed, told },
    placed: () => placed,
  };
};

type FirstReading = ReturnType<typeof firstReading>;

const checkpointsRow = ({ reading }: ReturnType<FirstReading['tree']>): VerdictRow => {
  const { state, checkpoints, newest, accepted, fault } = reading;
  const { alarm } = state;
  const vouched = acceptedText(accepted);
  return {
    row: 'checkpoints',
    passed: fault === null && newest !== null && alarm === null,
    found:
      fault ??
      (alarm !== null
        ? `an alarm stands: ${alarm.reason}: found ${alarm.found}, expected ${alarm.expected}`
        : `${checkpoints} checkpoints, the newest of ${newest?.size ?? 0} events${vouched === null ? '' : `; ${vouched}`}`),
    expected:
      'each event of the notary follows the one before it and is one that its rules make: every checkpoint signed by the key of its time and shown to extend the one before, every commitment to the event of the notary before it the one that stands before it, every change of keys signed by both; at least one checkpoint, and no alarm that stands',
  };
};

const logKeyRow = (
  { reading }: ReturnType<FirstReading['tree']>,
  logKey: string,
  origin: string,
): VerdictRow => {
  const { keys, state } = reading;
  const isOrigin = state.origin === origin;
  const found = isOrigin
    ? `${keys.length === 0 ? 'no key' : keys.join(', then ')} of the log ${origin}`
    : `the log ${state.origin ?? 'of no name'} in a bundle of ${origin}`;
  return {
    row: 'log-key',
    passed: isOrigin && keys.includes(logKey),
    found,
    expected: `a log that is signed with the key that was given, ${logKey}, or with one that follows it or that it follows by a change that both signed`,
  };
};

/** Whether each stream ends where the newest checkpoint says: what was cut off its end is missed here. */
const headsRow = (
  { streams }: BundleHeader,
  { firsts, heads, tree }: FirstReading,
  { sha256Bytes }: BundlePorts,
): VerdictRow => {
  const faults = collect();
  const { newest } = tree().reading;
  const committed = newest?.heads ?? null;
  const root = fromBase64(committed?.root ?? '');
  if (committed === null || root === null)
    faults.add(
      `${newest === null ? 'no checkpoint' : `a newest checkpoint, of ${newest.size} events,`} that commits to the heads of streams: ask for a bundle of today`,
    );
  else
    for (const { stream, events, heads: place } of streams) {
      if (stream === NOTARY) continue;
      const [first, hash] = [firsts.get(stream), heads.get(stream)];
      const proof = (place?.proof ?? []).map(fromBase64);
      const holds =
        first !== undefined &&
        hash !== undefined &&
        place !== null &&
        proof.every((each) => each !== null) &&
        verifyInclusion(
          sha256Bytes,
          {
            leafIndex: place.index,
            treeSize: committed.streams,
            leafHash: headLeaf(sha256Bytes, { stream, first, revision: events - 1, hash }),
            root,
          },
          proof,
        );
      if (!holds)
        faults.add(
          `${stream} ends with event ${events - 1} (${hash ?? 'which is not here'}), which is not shown to be its head`,
        );
    }
  return faults.row(
    'heads',
    `the heads of ${streams.length - 1} streams, of ${committed?.streams ?? 0} in the log`,
    `each stream ends with the event that the newest checkpoint, of ${newest?.size ?? 0} events, commits to as its head`,
  );
};

interface Anchored {
  readonly row: VerdictRow;
  readonly sightings: readonly Sighting[];
  readonly unverified: readonly CheckpointAnchored['data'][];
}

/** Whom of those that are trusted the newest checkpoint was shown to. */
const checkAnchors = async (
  { newest, anchors }: NotaryReading,
  { witnesses, verifyTimestamp }: Trusted,
  verify: VerifyEd25519,
): Promise<Anchored> => {
  const faults = collect();
  const sightings: Sighting[] = [];
  const unverified: CheckpointAnchored['data'][] = [];
  const note = newest === null ? null : parseNote(newest.note);
  for (const anchor of note?.ok === true ? anchors : []) {
    const { text } = note!.ok ? note!.value : { text: '' };
    const { kind, by, evidence } = anchor;
    if (kind === 'witness') {
      const cosigned = parseNote(`${text}\n${evidence}\n`);
      const verified = cosigned.ok ? verifyNote(cosigned.value, witnesses, verify) : cosigned;
      const isKnown = witnesses.some(({ name }) => name === by);
      const ours = verified.ok
        ? verified.value.find(({ key, seconds }) => key.name === by && seconds !== null)
        : undefined;
      if (ours?.seconds !== undefined && ours.seconds !== null)
        sightings.push({ kind, by, time: new Date(ours.seconds * 1000).toISOString() });
      else if (isKnown)
        faults.add(
          `the cosignature of ${by} is not its own: ${verified.ok ? 'it is of another' : verified.error.message}`,
        );
      else unverified.push(anchor);
    } else if (kind === 'timestamp' && verifyTimestamp !== null) {
      const token = fromBase64(evidence);
      const message = utf8.encode(newest?.note ?? '');
      const time = token === null ? null : await verifyTimestamp(token, message);
      if (time === null) unverified.push(anchor);
      else sightings.push({ kind, by, time });
    } else unverified.push(anchor);
  }
  const seenBy = sightings.map(({ kind, by, time }) => `${by} (${kind}) at ${time}`).join(', ');
  const others = unverified.map(({ kind, by }) => `${by} (${kind})`).join(', ');
  return {
    sightings,
    unverified,
    row: faults.row(
      'anchors',
      `${seenBy === '' ? 'nobody that you named saw the newest checkpoint' : `seen by ${seenBy}`}${others === '' ? '' : `; not verified: ${others}`}`,
      'each cosignature of the newest checkpoint by a witness whose key was given is its own',
    ),
  };
};

const seenRow = (
  reading: NotaryReading,
  seen: NonNullable<Trusted['seen']>,
  ports: BundlePorts,
): VerdictRow => {
  const faults = collect();
  const { origin, size, root } = seen.checkpoint;
  const keys = reading.keys.flatMap((text) => {
    const key = parseVerifierKey(ports.sha256Bytes, text);
    return key.ok ? [key.value] : [];
  });
  const newest = reading.newest?.size ?? 0;
  const ours = fromBase64(reading.rootAt(size) ?? '');
  const signed = verifyNote(seen.note, keys, ports.verifyEd25519);
  if (origin !== reading.state.origin)
    faults.add(
      `you saw a checkpoint of ${origin}, this is the log ${String(reading.state.origin)}`,
    );
  else if (!signed.ok) faults.add(`the checkpoint that you saw: ${signed.error.message}`);
  else if (size > newest)
    faults.add(
      `you saw ${size} events, this bundle ends at ${newest}: ask for one that covers at least ${size}`,
    );
  else if (ours?.length !== root.length || !ours.every((byte, at) => byte === root[at]))
    faults.add(
      `you saw another tree of ${size} events than this log's notary says it signed: two histories were shown`,
    );
  return faults.row(
    'seen-checkpoint',
    `the checkpoint of ${size} events that you saw is one of this log`,
    'the checkpoint that was seen before is among those of this log, which extend each other',
  );
};

/** Streams that no finding's check reads have to be chains as well. */
const checkChain = async (
  { events }: OpenedBundle,
  stream: string,
  { sha256 }: BundlePorts,
  faults: Faults,
): Promise<void> => {
  let prev: string | null = null;
  let revision = 0;
  for await (const { canonical } of events(stream)) {
    const body = readBody(canonical);
    if (body?.stream !== stream || body.revision !== revision || body.metadata.prev !== prev) {
      faults.add(`event ${revision} of ${stream} does not follow the one before it`);
      return;
    }
    prev = sha256(canonical);
    revision += 1;
  }
};

/**
 * Verifies a bundle with a key and nothing else: no server, log, repository or configuration. Every row is answered;
 * nothing that the bundle holds makes it throw. Refused is only what is no bundle at all, or a key or a checkpoint of
 * the auditor's that is none. Events are read twice and not kept.
 *
 * @throws what `source.read` throws
 * @example
 * const verified = await verifyBundle(bytesSource(bytes), { logKey }, ports);
 */
export const verifyBundle = async (
  source: BundleSource,
  trust: AuditorTrust,
  ports: BundlePorts,
): Promise<Refused<BundleVerdict>> => {
  const read = readTrust(trust, ports);
  if (!read.ok) return read;
  const trusted = read.value;
  const first = firstReading(ports, trusted);
  const opening = await openBundle(source, first.show);
  if (!opening.ok) return opening;
  const bundle = opening.value;
  const form = collect();
  for (const fault of bundle.faults) form.add(fault);
  if (bundle.header === null)
    return ok({
      verdict: 'BLOCK',
      subject: null,
      rows: [formRow(bundle, form)],
      standing: [],
      checkpoint: null,
      findings: [],
    });

  const { header } = bundle;
  const { findings, subject } = await verifyFindings(bundle, header, first, ports);
  for (const { stream, head } of header.streams)
    if (first.heads.get(stream) !== head)
      form.add(
        `the last event of ${stream} hashes to ${first.heads.get(stream) ?? 'nothing'}, the header says ${head}`,
      );
  const unread = await bundle.unreadObjects();
  if (unread.count > 0)
    form.add(
      `${unread.count} objects that nothing asks for, ${unread.named.join(', ')} among them`,
    );

  const tree = first.tree();
  const { newest, signedAt, accepted } = tree.reading;
  const anchored = await checkAnchors(tree.reading, trusted, ports.verifyEd25519);
  const seen = trusted.seen === null ? null : seenRow(tree.reading, trusted.seen, ports);
  const told = summary(header.subject);
  for (const { stream, body } of first.told) told.observe(stream, body);
  const isSummary = bundle.summary === told.text();
  const rows: readonly VerdictRow[] = [
    formRow(bundle, form),
    subject,
    checkpointsRow(tree),
    logKeyRow(tree, trusted.logKey, header.origin),
    anchored.row,
    first.inclusion.row(
      'inclusion',
      `${first.placed()} events, the newest of each stream among them, in the tree of ${newest?.size ?? 0}`,
      'the newest event of each stream, and each whose order a check asks for, stands in the tree of the newest checkpoint where the bundle says',
    ),
    headsRow(header, first, ports),
    ...(seen === null ? [] : [seen]),
    first.order.row(
      'order',
      'the order of the log',
      "the places of each stream's events grow, no two events share one, and the newest leaf is the event that the notary names",
    ),
    {
      row: 'summary',
      passed: isSummary,
      found: isSummary ? 'the text that the events give' : 'another text',
      expected: 'the text that the events give',
    },
  ];
  const holds =
    rows.every(({ passed }) => passed) && findings.every(({ verdict }) => verdict === 'PASS');
  return ok({
    verdict: holds ? 'PASS' : 'BLOCK',
    subject: header.subject,
    rows,
    standing: standingOf({
      size: newest?.size ?? null,
      commits: (newest?.heads ?? null) !== null,
      signedAt,
      sightings: anchored.sightings,
      unverified: anchored.unverified,
      seen: seen?.passed === true,
      accepted,
      streams: header.streams.map(({ stream }) => stream),
    }),
    checkpoint: newest === null ? null : { size: newest.size, root: newest.root },
    findings,
  });
};

const formRow = (
  { lines, objects, faultCount, faults }: OpenedBundle,
  form: Faults,
): VerdictRow => {
  for (let more = faults.length; more < faultCount; more += 1) form.add('');
  return form.row(
    'bundle-form',
    `${lines} lines, ${objects} objects`,
    'every line as version 1 of the format writes it, in its place; none missing, none that nothing asks for',
  );
};

/** Verifies every finding that the bundle is about, and sees that it holds their streams and no others. */
const verifyFindings = async (
  bundle: OpenedBundle,
  { subject, streams }: BundleHeader,
  { proposals, opened, closed }: FirstReading,
  ports: BundlePorts,
): Promise<{ readonly findings: readonly FindingInBundle[]; readonly subject: VerdictRow }> => {
  const faults = collect();
  const read = new Set<string>([NOTARY]);
  const events = (stream: string) => {
    read.add(stream);
    return bundle.events(stream);
  };
  const streamsOf = (findingId: string): FindingStreams => {
    const { runId = '', studyId = '' } = proposals.get(findingId) ?? {};
    return {
      events: events(`run-${runId}`),
      findingEvents: events(`finding-${findingId}`),
      studyEvents: events(`study-${studyId}`),
      dataEvents: (digest) => events(`data-${digest}`),
    };
  };
  const byNumber = [...proposals.values()].sort((a, b) => a.number - b.number);
  const ids =
    subject.kind === 'finding'
      ? [subject.id]
      : byNumber.filter(({ runId }) => runId === subject.id).map(({ findingId }) => findingId);

  const findings: FindingInBundle[] = [];
  const shown = [...ids];
  for (const findingId of shown) {
    const { verdict, rows } = await verifyFinding({
      ...streamsOf(findingId),
      forkPoint: ({ runId, mutationId, tree }) => {
        const found = byNumber.find(
          (each) =>
            each.runId === runId && each.toTree === tree && each.lastMutation === mutationId,
        );
        if (found === undefined) return Promise.resolve(null);
        // Its rows are shown as well: a fork's own row says only whether they hold.
        if (!shown.includes(found.findingId)) shown.push(found.findingId);
        return Promise.resolve(streamsOf(found.findingId));
      },
      ...ports,
      readObject: bundle.readObject,
    });
    findings.push({ findingId, verdict, rows });
  }

  const asked = new Set(read);
  if (subject.kind === 'finding') {
    if (!proposals.has(subject.id)) faults.add(`no claim of finding ${subject.id}`);
  } else {
    const run = opened.get(subject.id);
    if (run === undefined) faults.add(`no opening of run ${subject.id}`);
    // A run may have claimed nothing; it is shown all the same.
    asked.add(`run-${subject.id}`);
    const study = `study-${String(run?.studyId)}`;
    asked.add(study);
    // Of a run without findings nothing else misses it.
    if (!streams.some(({ stream }) => stream === study)) faults.add(`${study} is not here`);
    asked.add(`data-${String(run?.dataDigest)}`);
    for (const each of closed.get(subject.id) ?? []) {
      const { findingId } = (each ?? {}) as { readonly findingId?: unknown };
      if (!ids.includes(String(findingId)))
        faults.add(`the run closed with finding ${String(findingId)}, which is not here`);
    }
  }
  for (const { stream } of streams) {
    if (!asked.has(stream)) faults.add(`${stream} is here, which nothing asks for`);
    if (!read.has(stream)) await checkChain(bundle, stream, ports, faults);
  }
  return {
    findings,
    subject: faults.row(
      'subject',
      `${subject.kind} ${subject.id}: ${streams.length} streams, ${ids.length} findings${
        findings.length > ids.length ? `, forked from ${findings.length - ids.length} more` : ''
      }`,
      'the streams of the subject from their first events on, every finding that the run closed with, and no other streams',
    ),
  };
};
