import {
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  type Checkpoint,
  type SignedNote,
  type VerifierKey,
} from '#libs/checkpoints';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { Sha256 } from '#libs/merkle';

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

export type TrustRefusalCode =
  /** What was given as a key is none, or one of another kind. */
  | 'bad-key'
  /** What was given as a checkpoint that was seen is none. */
  | 'bad-checkpoint';

type Refused<T> = Result<T, Refusal<TrustRefusalCode>>;

/** The same, read. */
export interface Trusted {
  readonly logKey: string;
  readonly witnesses: readonly VerifierKey[];
  readonly verifyTimestamp: VerifyTimestamp | null;
  readonly seen: { readonly note: SignedNote; readonly checkpoint: Checkpoint } | null;
}

const keyOf = (sha256: Sha256, text: string, type: VerifierKey['type']): Refused<VerifierKey> => {
  const key = parseVerifierKey(sha256, text);
  if (!key.ok) return refused({ code: 'bad-key', message: key.error.message });
  return key.value.type === type
    ? key
    : refused({
        code: 'bad-key',
        message: `found the key ${text} of kind ${key.value.type}, expected kind ${type} (1 is a log's, 4 a witness's)`,
      });
};

export const readTrust = (trust: AuditorTrust, sha256: Sha256): Refused<Trusted> => {
  const logKey = keyOf(sha256, trust.logKey, SIGNATURE_TYPES.ed25519);
  if (!logKey.ok) return logKey;
  const witnesses: VerifierKey[] = [];
  for (const text of trust.witnesses ?? []) {
    const key = keyOf(sha256, text, SIGNATURE_TYPES.cosignature);
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
