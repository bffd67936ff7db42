import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askTimestamp, askWitness, readCertificates, type ProveFrom } from '#libs/anchors';
import { parseVerifierKey, SIGNATURE_TYPES, toBase64 } from '#libs/checkpoints';
import { sha256 as sha256Hex } from '#libs/event-log';
import {
  deriveId,
  ok,
  reasonOf,
  refused,
  type RecordedEvent,
  type Refusal,
  type Result,
} from '#libs/kernel';
import type { AnchorKind, CheckpointSigned } from '#libs/notary';
import { pushTag, shownRemote } from '#libs/source-tree';
import { NOTARY_PORTS } from '../streams.ts';
import { lastSigned, type Notary, type NotaryLedger, type SealRefusal } from './notary.ts';

/** Somebody outside the operator's reach who is given each checkpoint. */
export interface Anchor {
  readonly kind: AnchorKind;
  readonly by: string;
  /**
   * Hands a checkpoint over, and gives the evidence of it. `inconsistent` says that this one was given another history
   * of the log; every other refusal that it couldn't be asked, or said no.
   */
  readonly hold: (
    checkpoint: RecordedEvent<CheckpointSigned>,
    proveFrom: ProveFrom,
  ) => Promise<Result<string, Refusal>>;
}

export interface AnchorSettings {
  readonly remote: string | null;
  readonly witnesses: readonly { readonly url: string; readonly verifierKey: string }[];
  readonly timestampAuthorities: readonly { readonly url: string; readonly caFile: string }[];
}

/** Nobody is given the checkpoints. */
export const NO_ANCHORS: AnchorSettings = {
  remote: null,
  witnesses: [],
  timestampAuthorities: [],
};

const witness = (url: string, verifierKey: string): Result<Anchor, Refusal> => {
  const key = parseVerifierKey(NOTARY_PORTS.sha256, verifierKey);
  if (!key.ok || key.value.type !== SIGNATURE_TYPES.cosignature)
    return refused({
      code: 'environment',
      message: `HOLDFAST_WITNESSES: ${key.ok ? 'found a key that signs logs, expected one that cosigns (kind 4)' : key.error.message}`,
    });
  /** What this process knows that it saw last; it says so itself where that is another size. */
  let seen = 0;
  return ok({
    kind: 'witness',
    by: key.value.name,
    hold: async ({ data }, proveFrom) => {
      const asked = { url, keys: [key.value] };
      const answer = await askWitness(asked, data.note, seen, proveFrom, NOTARY_PORTS.verify);
      if (!answer.ok) return answer;
      seen = data.size;
      return ok(answer.value.map(({ line }) => line).join('\n'));
    },
  });
};

const timestampAuthority = async (
  url: string,
  caFile: string,
): Promise<Result<Anchor, Refusal>> => {
  let trusted: readonly Uint8Array[];
  try {
    trusted = readCertificates(await readFile(caFile, 'utf8'));
  } catch (error) {
    return refused({
      code: 'environment',
      message: `HOLDFAST_TIMESTAMP_AUTHORITIES: found ${caFile} (${reasonOf(error)}), expected a PEM file of certificates`,
    });
  }
  return ok({
    kind: 'timestamp',
    by: url,
    hold: async ({ data }) => {
      const answer = await askTimestamp({ url, trusted }, Buffer.from(data.note, 'utf8'));
      return answer.ok ? ok(toBase64(answer.value.token)) : answer;
    },
  });
};

/** Tags of one log in a remote; the remote may hold those of others. */
export const tagSeries = (origin: string): string =>
  `holdfast/${sha256Hex(Buffer.from(origin, 'utf8')).slice(0, 16)}`;

const gitTag = (gitdir: string, remote: string): Anchor => ({
  kind: 'git-tag',
  by: shownRemote(remote),
  hold: async ({ data: { size, note }, metadata }) => {
    const [origin = ''] = note.split('\n');
    const pushed = await pushTag(gitdir, remote, {
      ...{ series: tagSeries(origin), number: size, time: metadata.time },
      // Every line of the note stands in the tag, signatures and all: it is the evidence by itself.
      message: `Checkpoint of ${origin} at ${size} events\n\n${note}`,
      files: { checkpoint: note },
    });
    return pushed.ok ? ok(pushed.value.oid) : pushed;
  },
});

/** The anchors that are configured; what is wrong with the configuration is said before anything is signed. */
export const openAnchors = async (
  folder: string,
  { remote, witnesses, timestampAuthorities }: AnchorSettings,
): Promise<Result<readonly Anchor[], Refusal>> => {
  const anchors: Anchor[] = remote === null ? [] : [gitTag(join(folder, 'objects.git'), remote)];
  for (const { url, verifierKey } of witnesses) {
    const anchor = witness(url, verifierKey);
    if (!anchor.ok) return anchor;
    anchors.push(anchor.value);
  }
  for (const { url, caFile } of timestampAuthorities) {
    const anchor = await timestampAuthority(url, caFile);
    if (!anchor.ok) return anchor;
    anchors.push(anchor.value);
  }
  return ok(anchors);
};

/** How it went with one anchor; null: it holds the checkpoint. */
export interface Anchored {
  readonly kind: AnchorKind;
  readonly by: string;
  readonly problem: string | null;
}

/**
 * Hands the newest checkpoint to all who don't hold it yet. Who can't be reached is asked again with the next one; who
 * was given another history raises the alarm.
 */
export const anchorNewest = async (
  { log }: Pick<NotaryLedger, 'log'>,
  notary: Notary,
  anchors: readonly Anchor[],
): Promise<Result<readonly Anchored[], SealRefusal>> => {
  const outcomes: Anchored[] = [];
  const checkpoint = await lastSigned(log);
  if (checkpoint === null) return ok(outcomes);
  const { size, root } = checkpoint.data;
  const { anchored } = await notary.state();
  for (const { kind, by, hold } of anchors) {
    if (anchored.includes(`${kind} ${by}`)) {
      outcomes.push({ kind, by, problem: null });
      continue;
    }
    const held = await hold(checkpoint, notary.proveFrom);
    if (held.ok) {
      const kept = await notary.record({
        type: 'RecordAnchor',
        id: deriveId('anchor', checkpoint.id, kind, by),
        data: { size, root, kind, by, evidence: held.value },
      });
      if (!kept.ok) return kept;
    } else if (held.error.code === 'inconsistent') {
      // Another notary may have signed more and shown that to them, while this one stood still.
      if ((await lastSigned(log))?.id !== checkpoint.id)
        return refused({
          code: 'lost-race',
          message: `another notary signed more than the ${size} events that were shown to ${by}: seal again`,
        });
      return notary.raise({
        reason: 'not-an-extension',
        found: `${by}: ${held.error.message}`,
        expected: 'that all who hold checkpoints of this log hold the same history',
      });
    }
    outcomes.push({ kind, by, problem: held.ok ? null : held.error.message });
  }
  return ok(outcomes);
};
