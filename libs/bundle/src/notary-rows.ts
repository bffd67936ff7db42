import {
  fromBase64,
  parseNote,
  parseVerifierKey,
  verifyNote,
  type VerifyEd25519,
} from '#libs/checkpoints';
import type { VerdictRow } from '#libs/findings';
import { counted } from '#libs/kernel';
import { sameHash, verifyInclusion } from '#libs/merkle';
import { acceptedText, headLeaf, type CheckpointAnchored } from '#libs/notary';
import { collectFaults } from '#libs/provenance';
import type { FirstReading } from './first-reading.ts';
import { NOTARY, type BundleHeader } from './format.ts';
import type { NotaryReading } from './notary-stream.ts';
import type { BundlePorts } from './ports.ts';
import type { Sighting } from './standing.ts';
import type { Trusted } from './trust.ts';

const utf8 = new TextEncoder();

export const checkpointsRow = ({ reading }: ReturnType<FirstReading['tree']>): VerdictRow => {
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
        : `${counted(checkpoints, 'checkpoint')}, the newest of ${counted(newest?.size ?? 0, 'event')}${vouched === null ? '' : `; ${vouched}`}`),
    expected:
      'each event of the notary follows the one before it and is one that its rules make: every checkpoint signed by the key of its time and shown to extend the one before, every commitment to the event of the notary before it the one that stands before it, every change of keys signed by both; at least one checkpoint, and no alarm that stands',
  };
};

export const logKeyRow = (
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
export const headsRow = (
  { streams }: BundleHeader,
  { firsts, heads, tree }: FirstReading,
  { sha256Bytes }: BundlePorts,
): VerdictRow => {
  const faults = collectFaults();
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
  return {
    row: 'heads',
    ...faults.outcome(
      `the heads of ${streams.length - 1} streams, of ${committed?.streams ?? 0} in the log`,
    ),
    expected: `each stream ends with the event that the newest checkpoint, of ${newest?.size ?? 0} events, commits to as its head`,
  };
};

interface Anchored {
  readonly row: VerdictRow;
  readonly sightings: readonly Sighting[];
  readonly unverified: readonly CheckpointAnchored['data'][];
}

/** Whom of those that are trusted the newest checkpoint was shown to. */
export const checkAnchors = async (
  { newest, anchors }: NotaryReading,
  { witnesses, verifyTimestamp }: Trusted,
  verify: VerifyEd25519,
): Promise<Anchored> => {
  const faults = collectFaults();
  const sightings: Sighting[] = [];
  const unverified: CheckpointAnchored['data'][] = [];
  const note = parseNote(newest?.note ?? '');
  for (const anchor of note.ok ? anchors : []) {
    const text = note.ok ? note.value.text : '';
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
    row: {
      row: 'anchors',
      ...faults.outcome(
        `${seenBy === '' ? 'nobody that you named saw the newest checkpoint' : `seen by ${seenBy}`}${others === '' ? '' : `; not verified: ${others}`}`,
      ),
      expected:
        'each cosignature of the newest checkpoint by a witness whose key was given is its own',
    },
  };
};

export const seenRow = (
  reading: NotaryReading,
  seen: NonNullable<Trusted['seen']>,
  ports: BundlePorts,
): VerdictRow => {
  const faults = collectFaults();
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
  else if (ours === null || !sameHash(ours, root))
    faults.add(
      `you saw another tree of ${size} events than this log's notary says it signed: two histories were shown`,
    );
  return {
    row: 'seen-checkpoint',
    ...faults.outcome(`the checkpoint of ${size} events that you saw is one of this log`),
    expected:
      'the checkpoint that was seen before is among those of this log, which extend each other',
  };
};
