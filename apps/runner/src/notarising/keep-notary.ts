import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { formatVerifierKey } from '#libs/checkpoints';
import { deriveId, ok, refused, type RecordedEvent, type Refusal, type Result } from '#libs/kernel';
import { sha256 } from '#libs/log-tree';
import {
  notaryKey,
  notaryReplay,
  rotationText,
  signNote,
  type CheckpointAnchored,
  type CheckpointSigned,
  type NotaryAlarmRaised,
  type NotaryEvent,
  type NotarySigner,
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
  readonly alarm: (NotaryAlarmRaised['data'] & { readonly time: string }) | null;
  /** What stands in the stream and no notary would have recorded; null where nothing does. */
  readonly problem: string | null;
}

/** Reads the notary's stream, deciding each of its events again. */
export const notaryStatus = async (
  log: Pick<Ledger['log'], 'readStream'>,
): Promise<NotaryStatus> => {
  const { initialState, next } = notaryReplay(NOTARY_PORTS);
  let state = initialState;
  let before: RecordedEvent | null = null;
  let status: NotaryStatus = {
    ...{ origin: null, verifierKey: null, verifierKeys: [], checkpoint: null, checkpoints: 0 },
    ...{ anchors: [], alarm: null, problem: null },
  };
  for await (const recorded of log.readStream<NotaryEvent>(NOTARY)) {
    const event = recorded as unknown as NotaryEvent;
    const decided = next(state, event, before);
    before = recorded;
    if (!decided.ok) {
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
  { metadata: { time } }: Pick<RecordedEvent, 'metadata'>,
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
      return { ...status, alarm: { ...event.data, time } };
    case 'NotaryAlarmSettled':
      return { ...status, alarm: null };
  }
};

/** A human looked at the alarm; what is wrong with the log is looked for again before anything is signed. */
export const settleAlarm = async (
  { notary, erasables }: Pick<Ledger, 'notary' | 'erasables'>,
  reason: string,
): Promise<Result<null, Refusal>> => {
  const sealed = await sealReason({ erasables }, reason, {
    stream: NOTARY,
    type: 'NotaryAlarmSettled',
  });
  if (!sealed.ok) return sealed;
  const { head } = await notary.load(NOTARY);
  const sent = await notary.send(
    NOTARY,
    {
      type: 'SettleAlarm',
      id: deriveId('settle-alarm', head?.id ?? ''),
      data: { reason: sealed.value },
    },
    LOCAL_OPERATOR,
  );
  return sent.ok ? ok(null) : sent;
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
      formatVerifierKey(notaryKey(sha256, origin, signer)),
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
        data: { from, to, note: await signNote(sha256, origin, [options.signer, next], text) },
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
