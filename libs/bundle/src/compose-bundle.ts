import { toBase64 } from '#libs/checkpoints';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import {
  verifyFindings,
  type FindingStreams,
  type ReadObject,
  type StoredBytes,
  type VerificationPorts,
  type Verdict,
} from '#libs/provenance';
import type { ForkPoint } from '#libs/run';
import {
  byCodeUnits,
  isPlaced,
  NOTARY,
  OBJECT_TYPES,
  type BundledStream,
  type Leaf,
  type ObjectType,
  type Subject,
} from './format.ts';
import { readBody } from './notary-stream.ts';
import { proposalOf, type Proposal } from './proposal.ts';
import { summary, type Summary } from './summary.ts';
import type { BundleContent, StreamToBundle } from './write-bundle.ts';

/** The log up to one checkpoint, and the repository: what a bundle is made from. */
export interface BundleWorld extends Pick<
  VerificationPorts,
  'sha256' | 'sha1' | 'verifySignature'
> {
  readonly origin: string;
  /** A stream's events as they are stored, of those that the checkpoint covers; the notary's, up to its next checkpoint. */
  readonly stream: (name: string) => AsyncIterable<StoredBytes> | Iterable<StoredBytes>;
  /** Where the event at this position of the log stands in the checkpoint's tree. */
  readonly leafOf: (position: number) => Leaf;
  /** Where this stream's head stands in the tree of heads to which the checkpoint commits. */
  readonly headOf: (stream: string) => Leaf;
  readonly readObject: ReadObject;
  /** The findings of a run, by their number. */
  readonly findingsOf: (runId: string) => Promise<readonly string[]>;
  /** The finding that leads to a state which a run was forked from. */
  readonly findingAt: (point: ForkPoint) => Promise<string | null>;
}

export type ComposeRefusalCode =
  /** There is no such finding or run in the log up to the checkpoint. */
  | 'subject-unknown'
  /** Its first event can't be read, and so not which streams it needs. */
  | 'subject-unreadable';

export interface Composed {
  readonly content: BundleContent;
  /** How each finding of the bundle was judged while it was made: a bundle of a BLOCK shows why. */
  readonly verdicts: readonly (Pick<Verdict, 'verdict'> & { readonly findingId: string })[];
}

/** One reading of a stream: how long it is and where it ends; what it tells of itself goes into a summary. */
interface Measured {
  readonly events: number;
  readonly head: string;
}

const measure = async (
  { stream: read }: BundleWorld,
  stream: string,
  told: Summary,
): Promise<Measured | null> => {
  let last: StoredBytes | null = null;
  let events = 0;
  let lastTold = -1;
  const tell = ({ canonical }: StoredBytes): void => {
    const body = readBody(canonical);
    if (body !== null) told.observe(stream, body);
    lastTold = events;
  };
  for await (const event of read(stream)) {
    events += 1;
    if (isPlaced(stream, event.type, false)) tell(event);
    last = event;
  }
  if (last === null) return null;
  if (stream !== NOTARY && lastTold !== events) tell(last);
  return { events, head: last.hash };
};

/**
 * Gathers all that a bundle of a finding or a run holds: the streams that its verification reads, and exactly the
 * objects that it asks for, which it finds out by verifying.
 */
export const composeBundle = async (
  world: BundleWorld,
  subject: Subject,
): Promise<Result<Composed, Refusal<ComposeRefusalCode>>> => {
  const names = new Set<string>([NOTARY]);
  const oids = new Map<string, ObjectType>();
  const named = (stream: string) => {
    names.add(stream);
    return world.stream(stream);
  };
  const readObject: ReadObject = async (oid) => {
    const found = await world.readObject(oid);
    const type = OBJECT_TYPES.find((each) => found.state === 'present' && each === found.type);
    if (type !== undefined) oids.set(oid, type);
    return found;
  };
  const streamsOf = ({ findingId, runId, studyId }: Proposal): FindingStreams => ({
    events: named(`run-${runId}`),
    findingEvents: named(`finding-${findingId}`),
    studyEvents: named(`study-${studyId}`),
    dataEvents: (digest) => named(`data-${digest}`),
  });
  const proposal = async (findingId: string): Promise<Proposal | null> => {
    for await (const { canonical } of world.stream(`finding-${findingId}`)) {
      const body = readBody(canonical);
      return body === null ? null : proposalOf(findingId, body);
    }
    return null;
  };

  const ids = subject.kind === 'finding' ? [subject.id] : await world.findingsOf(subject.id);
  const verdicts: { findingId: string; verdict: Verdict['verdict'] }[] = [];
  const claimed: Proposal[] = [];
  for (const findingId of ids) {
    const claim = await proposal(findingId);
    if (claim === null)
      return refused({
        code: 'subject-unreadable',
        message: `found no claim of ${findingId} that can be read in the log up to the checkpoint, expected its FindingProposed`,
      });
    claimed.push(claim);
  }
  for (const claims of Map.groupBy(claimed, ({ runId }) => runId).values()) {
    const findings = claims.map(streamsOf);
    const found = await verifyFindings({
      ...world,
      events: findings[0]!.events,
      findings,
      readObject,
      forkPoint: async (point) => {
        const leads = await world.findingAt(point);
        const before = leads === null ? null : await proposal(leads);
        return before === null ? null : streamsOf(before);
      },
    });
    for (const [at, { verdict }] of found.entries())
      verdicts.push({ findingId: claims[at]!.findingId, verdict });
  }
  if (subject.kind === 'run') {
    const opened = await openingOf(world, subject.id);
    if (opened === null)
      return refused({
        code: 'subject-unknown',
        message: `found no run ${subject.id} in the log up to the checkpoint, expected its RunOpened`,
      });
    names.add(`run-${subject.id}`);
    for (const name of [`study-${opened.studyId}`, `data-${opened.dataDigest}`])
      for await (const _ of world.stream(name)) {
        names.add(name);
        break;
      }
  }

  const streams: StreamToBundle[] = [];
  const told = summary();
  for (const stream of [...names].sort(byCodeUnits)) {
    const measured = await measure(world, stream, told);
    // A stream that is missing is missed by the verifier.
    if (measured === null) continue;
    streams.push({
      ...{ stream, ...measured },
      heads: stream === NOTARY ? null : proven(world.headOf(stream)),
      read: () => toBundle(world, stream),
    });
  }
  return ok({
    verdicts,
    content: {
      origin: world.origin,
      subject,
      streams,
      objects: objectsOf(world, oids),
      summary: told.text(subject),
    },
  });
};

const proven = ({ index, proof }: Leaf): BundledStream['heads'] => ({
  index,
  proof: proof.map(toBase64),
});

const openingOf = async (
  world: BundleWorld,
  runId: string,
): Promise<{ readonly studyId: string; readonly dataDigest: string } | null> => {
  for await (const { canonical } of world.stream(`run-${runId}`)) {
    const { studyId, pins } = (readBody(canonical)?.data ?? {}) as {
      readonly studyId?: unknown;
      readonly pins?: { readonly dataDigest?: unknown };
    };
    return { studyId: String(studyId), dataDigest: String(pins?.dataDigest) };
  }
  return null;
};

async function* toBundle(
  { stream: read, leafOf }: BundleWorld,
  stream: string,
): AsyncGenerator<{
  readonly type: string;
  readonly canonical: Uint8Array;
  readonly leaf: () => Leaf;
}> {
  for await (const { type, canonical, position } of read(stream))
    yield { type, canonical, leaf: () => leafOf(position) };
}

async function* objectsOf(
  { readObject }: BundleWorld,
  oids: ReadonlyMap<string, ObjectType>,
): AsyncGenerator<{
  readonly oid: string;
  readonly type: ObjectType;
  readonly content: Uint8Array;
}> {
  for (const oid of [...oids.keys()].sort(byCodeUnits)) {
    const found = await readObject(oid);
    if (found.state !== 'present') throw new Error(`object ${oid} went away`);
    yield { oid, type: oids.get(oid)!, content: found.content };
  }
}
