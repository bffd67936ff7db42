import {
  formatSignature,
  parseNote,
  verifyNote,
  type VerifiedSignature,
  type VerifierKey,
  type VerifyEd25519,
  toBase64,
} from '#libs/checkpoints';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { exchange } from './exchange.ts';

/** A witness that cosigns checkpoints (C2SP tlog-witness). */
export interface Witness {
  /** The submission prefix, without a slash at the end. */
  readonly url: string;
  /** The keys of it that are trusted: cosignatures (kind 4). */
  readonly keys: readonly VerifierKey[];
}

export type WitnessRefusalCode =
  /** It could not be reached, or answered too late or too long. */
  | 'unreachable'
  /** It knows no log of this origin, or not this key. */
  | 'unknown-log'
  /** It saw another log than this one: the log was forked, or rolled back. */
  | 'inconsistent'
  /** Its answer is no cosignature of a trusted key. */
  | 'no-cosignature';

export interface Cosignature {
  /** As it stands in a note. */
  readonly line: string;
  readonly verified: VerifiedSignature;
}

/** Proves the checkpoint to extend one of `size` leaves; empty for none. */
export type ProveFrom = (size: number) => Promise<readonly Uint8Array[]>;

type Answer = Result<readonly Cosignature[], Refusal<WitnessRefusalCode>>;

const fail = (code: WitnessRefusalCode, message: string): Answer => refused({ code, message });

const request = (old: number, proof: readonly Uint8Array[], note: string): string =>
  `old ${old}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`;

/**
 * Asks a witness to cosign a signed checkpoint (C2SP tlog-witness, add-checkpoint). The witness says which size it saw
 * last; the proof from there is made and sent once more.
 *
 * @param lastSeen the size that this witness cosigned last, as far as it is known; 0 where it isn't
 */
export const askWitness = async (
  witness: Witness,
  note: string,
  lastSeen: number,
  prove: ProveFrom,
  verify: VerifyEd25519,
): Promise<Answer> => {
  const parsed = parseNote(note);
  if (!parsed.ok) throw new RangeError(parsed.error.message);
  let old = lastSeen;
  for (let attempt = 1; ; attempt += 1) {
    const proof = await provenFrom(prove, old);
    // A size that this log never had can't be proved from: the witness saw more than there is.
    if (proof === null)
      return fail('inconsistent', `found that it saw ${old} leaves, more than this log has`);
    const sent = await exchange(
      `${witness.url}/add-checkpoint`,
      'text/plain; charset=utf-8',
      request(old, proof, note),
    );
    if (!sent.ok) return fail('unreachable', sent.error.message);
    const { status } = sent.value;
    const body = new TextDecoder().decode(sent.value.body);
    const size = /^(0|[1-9][0-9]{0,15})\n$/.exec(body)?.[1];
    if (status !== 409 || attempt > 1 || size === undefined)
      return cosignatures(witness, parsed.value.text, status, body, old, verify);
    old = Number(size);
  }
};

const provenFrom = async (
  prove: ProveFrom,
  size: number,
): Promise<readonly Uint8Array[] | null> => {
  try {
    return await prove(size);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
};

const cosignatures = (
  { url, keys }: Witness,
  text: string,
  status: number,
  body: string,
  old: number,
  verify: VerifyEd25519,
): Answer => {
  switch (status) {
    case 200: {
      const answered = parseNote(`${text}\n${body}`);
      if (!answered.ok) return fail('no-cosignature', answered.error.message);
      const found: Cosignature[] = [];
      for (const signature of answered.value.signatures) {
        const one = verifyNote({ text, signatures: [signature] }, keys, verify);
        if (one.ok && one.value[0] !== undefined)
          found.push({ line: formatSignature(signature), verified: one.value[0] });
      }
      return found.length > 0
        ? ok(found)
        : fail('no-cosignature', `found no cosignature of a trusted key in the answer of ${url}`);
    }
    case 403:
    case 404:
      return fail(
        'unknown-log',
        `found that ${url} does not take checkpoints of this log and key (${status}): have its operator add them`,
      );
    case 409:
    case 422:
      return fail(
        'inconsistent',
        `found that ${url} does not take this log for the continuation of the ${old} leaves that it saw (${status}); expected the same log: it was forked or rolled back`,
      );
    default:
      return fail('no-cosignature', `found ${status} from ${url}, expected 200 and a cosignature`);
  }
};
