import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { formatVerifierKey } from '#libs/checkpoints';
import { deriveId, ok, refused, type RecordedEvent, type Refusal, type Result } from '#libs/kernel';
import {
  acceptanceText,
  notaryKey,
  notaryReplay,
  rotationText,
  signNote,
  type Accepted,
  type Append,
  type CheckpointAnchored,
  type CheckpointSigned,
  type NotaryAlarmRaised,
  type NotaryEvent,
  type NotarySigner,
  type NotaryState,
} from '#libs/notary';
import { openKey } from '#libs/signatures';
import { LOCAL_OPERATOR } from '../actors.ts';
import type { Ledger } from '../ledger.ts';
import { sealReason } from '../private-texts.ts';
import { NOTARY, NOTARY_PORTS } from '../streams.ts';
import { asNotary, type NotaryLedger, type NotaryOptions, type SealRefusal } from './notary.ts';
import { signerOf } from './notary-key.ts';

/** What is known of a log's signatures, read off the notary's own stream. */
export interface NotaryStatus {
  readonly origin: string | null;
  /** The vkey that signs now. */
  readonly verifierKey: string | null;
  /** All keys that signed, the first one first. */
  readonly verifierKeys: readonly string[];
  readonly checkpoint: (CheckpointSigned['data'] & { readonly time: string }) | null;
  readonly checkpoints: number;
  /** Who else holds the newest checkpoint. */
  readonly anchors: readonly Pick<CheckpointAnchored['data'], 'kind' | 'by' | 'evidence'>[];
  /** The alarm that stands, and the revision by which it is settled. */
  readonly alarm:
    (NotaryAlarmRaised['data'] & { readonly revision: number; readonly time: string }) | null;
  /** Appends that humans vouched for against the rules: every checkpoint after that rests on it. */
  readonly accepted: readonly Accepted[];
  /** What stands in the stream and no notary would have recorded; null where nothing does. */
  readonly problem: string | null;
}

/** Reads the notary's stream, deciding each of its events again. */
export const notaryStatus = async (
  log: Pick<Ledger['log'], 'readStream'>,
): Promise<NotaryStatus> => {
  const { initialState, next, passOver } = notaryReplay(NOTARY_PORTS);
  let state = initialState;
  let before: RecordedEvent | null = null;
  let status: NotaryStatus = {
    ...{ origin: null, verifierKey: null, verifierKeys: [], checkpoint: null, checkpoints: 0 },
    ...{ anchors: [], alarm: null, accepted: [], problem: null },
  };
  for await (const recorded of log.readStream<NotaryEvent>(NOTARY)) {
    const event = recorded as unknown as NotaryEvent;
    const decided = next(state, event, before, recorded.metadata.actor);
    before = recorded;
    if (!decided.ok) {
      state = passOver(state);
      status = {
        ...status,
        problem: status.problem ?? `event ${recorded.revision}: ${decided.error.message}`,
      };
      continue;
    }
    state = decided.value;
    status = shown(status, event, recorded);
  }
  return status;
};

const shown = (
  status: NotaryStatus,
  event: NotaryEvent,
  { revision, metadata: { time, actor } }: Pick<RecordedEvent, 'revision' | 'metadata'>,
): NotaryStatus => {
  switch (event.type) {
    case 'NotaryOpened': {
      const { origin, verifierKey } = event.data;
      return { ...status, origin, verifierKey, verifierKeys: [verifierKey] };
    }
    case 'NotaryKeyRotated': {
      const { to } = event.data;
      return { ...status, verifierKey: to, verifierKeys: [...status.verifierKeys, to] };
    }
    case 'CheckpointSigned':
      return {
        ...status,
        checkpoint: { ...event.data, time },
        checkpoints: status.checkpoints + 1,
        anchors: [],
      };
    case 'CheckpointAnchored': {
      const { kind, by, evidence } = event.data;
      return { ...status, anchors: [...status.anchors, { kind, by, evidence }] };
    }
    case 'NotaryAlarmRaised':
      return { ...status, alarm: { ...event.data, revision, time } };
    case 'NotaryAlarmSettled': {
      const { accepts: append } = event.data;
      const more = append === null ? [] : [{ append, by: actor, time }];
      return { ...status, alarm: null, accepted: [...status.accepted, ...more] };
    }
  }
};

/** What a human decided about an alarm. */
export interface Settlement {
  /** Revision of the alarm in the notary's stream. */
  readonly alarm: number;
  readonly reason: string;
  /**
   * Where the human vouches for the append that the alarm is about: the chain hash of its last event, and the notary's
   * key, which signs that. Null: for none.
   */
  readonly accepts: { readonly hash: string; readonly signer: NotarySigner } | null;
}

/** The append that a human accepts, and what is signed about it. */
const acceptance = async (
  { origin, verifierKey, alarm: standing }: NotaryState,
  alarm: number,
  accepts: Settlement['accepts'],
): Promise<Result<{ readonly accepts: Append; readonly note: string } | null, Refusal>> => {
  // What does not stand is settled by nobody, whatever he accepts.
  if (accepts === null || origin === null || standing?.revision !== alarm) return ok(null);
  const { hash, signer } = accepts;
  const { append } = standing;
  if (append?.hash !== hash)
    return refused({
      code: 'other-append',
      message: `found ${hash} to accept, expected ${append === null ? `nothing: alarm ${alarm} found no append that could be accepted; restore the log from a copy` : `the hash that alarm ${alarm} names, ${append.hash}`}`,
    });
  const key = formatVerifierKey(notaryKey(NOTARY_PORTS.sha256, origin, signer));
  if (key !== verifierKey)
    return refused({
      code: 'other-notary',
      message: `found the key ${key} to sign the acceptance with, expected ${verifierKey ?? 'none'}, which signs this log: accept where the notary's key is`,
    });
  const text = acceptanceText(origin, alarm, append, LOCAL_OPERATOR);
  return ok({
    accepts: append,
    note: await signNote(NOTARY_PORTS.sha256, origin, [signer], text),
  });
};

/**
 * A human looked at the alarm. What is wrong with the log is looked for again before anything is signed; an append that
 * the human accepts is signed, as it is now and no other.
 */
export const settleAlarm = async (
  { notary, erasables }: Pick<Ledger, 'notary' | 'erasables'>,
  { alarm, reason, accepts }: Settlement,
): Promise<Result<Append | null, Refusal>> => {
  const { head, state } = await notary.load(NOTARY);
  const accepted = await acceptance(state, alarm, accepts);
  if (!accepted.ok) return accepted;
  const sealed = await sealReason({ erasables }, reason, {
    stream: NOTARY,
    type: 'NotaryAlarmSettled',
  });
  if (!sealed.ok) return sealed;
  const sent = await notary.send(
    NOTARY,
    {
      type: 'SettleAlarm',
      id: deriveId('settle-alarm', head?.id ?? ''),
      data: {
        ...{ alarm, reason: sealed.value },
        ...(accepted.value ?? { accepts: null, note: null }),
      },
    },
    LOCAL_OPERATOR,
    // Nobody settled it, or raised another, since it was looked at.
    head ?? undefined,
  );
  return sent.ok ? ok(accepted.value?.accepts ?? null) : sent;
};

export interface Rotated {
  readonly origin: string;
  readonly from: string;
  readonly to: string;
}

/** Both keys sign that the second one follows the first, which then signs no more. */
export const rotateKey = (
  ledger: NotaryLedger,
  options: NotaryOptions,
  next: NotarySigner,
): Promise<Result<Rotated, SealRefusal | Refusal<'not-open'>>> =>
  asNotary<Rotated, SealRefusal | Refusal<'not-open'>>(ledger, options, async (notary) => {
    const { origin, verifierKey } = await notary.state();
    if (origin === null || verifierKey === null)
      return refused({
        code: 'not-open',
        message:
          'found a log that nobody signed yet, expected one with a key: sign it first with "holdfast notary seal"',
      });
    const [from, to] = [options.signer, next].map((signer) =>
      formatVerifierKey(notaryKey(NOTARY_PORTS.sha256, origin, signer)),
    ) as [string, string];
    // Recorded already, by a process that was stopped before it put the new key into its place.
    if (verifierKey === to) return ok({ origin, from, to });
    if (verifierKey !== from)
      return refused({
        code: 'other-notary',
        message: `found the key ${from}, expected ${verifierKey}, which signs this log: only it can hand over`,
      });
    const text = rotationText(origin, from, to);
    const recorded = await notary.record(
      {
        type: 'RotateNotaryKey',
        id: deriveId('rotate-notary-key', from, to),
        data: {
          from,
          to,
          note: await signNote(NOTARY_PORTS.sha256, origin, [options.signer, next], text),
        },
      },
      LOCAL_OPERATOR,
    );
    return recorded.ok ? ok({ origin, from, to }) : recorded;
  });

/**
 * Makes a new key in the home's key folder, has both sign that it follows, and puts it into the place of the old one,
 * of which nothing is left. Stopped half-way, the next call goes on.
 */
export const rotateKeyFile = async (
  ledger: NotaryLedger,
  options: NotaryOptions,
): Promise<Result<Rotated, Refusal>> => {
  const folder = join(ledger.folder, 'keys');
  const next = await openKey(folder, 'notary-next');
  if (!next.ok) return next;
  const rotated = await rotateKey(ledger, options, signerOf(next.value));
  if (!rotated.ok) return rotated;
  await rename(join(folder, 'notary-next.pem'), join(folder, 'notary.pem'));
  return rotated;
};
