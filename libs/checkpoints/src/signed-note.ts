import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { Sha256 } from '#libs/merkle';
import { fromBase64, toBase64 } from './base64.ts';

/** What a key signs: the text of a note, or a checkpoint that it saw, with the time (C2SP tlog-cosignature). */
export const SIGNATURE_TYPES = { ed25519: 0x01, cosignature: 0x04 } as const;
export type SignatureType = (typeof SIGNATURE_TYPES)[keyof typeof SIGNATURE_TYPES];

/** A key that notes are verified with, as `vkey`: name, id and kind are one tuple. */
export interface VerifierKey {
  readonly name: string;
  /** The first four bytes of SHA-256 over name, kind and key. */
  readonly id: number;
  readonly type: SignatureType;
  /** The raw 32 bytes of Ed25519 (RFC 8032). */
  readonly publicKey: Uint8Array;
}

/** One signature line. `signature` is without the key's id. */
export interface NoteSignature {
  readonly name: string;
  readonly id: number;
  readonly signature: Uint8Array;
}

/** A text that keys sign; it ends in a newline. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Whether this key (raw 32 bytes) signed this message with Ed25519; false for what is malformed. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

export type NoteRefusalCode =
  /** The bytes are no signed note, or no verifier key. */
  | 'malformed'
  /** A signature of a known key does not verify: the whole note is thrown away. */
  | 'bad-signature'
  /** No known key signed it. */
  | 'no-known-signature';

type Refused<T> = Result<T, Refusal<NoteRefusalCode>>;

const malformed = (message: string): Refused<never> => refused({ code: 'malformed', message });

const PUBLIC_KEY_BYTES = 32;
const ID_BYTES = 4;
/** Longest note, in UTF-16 units, and its most signatures: a verifier reads notes of strangers. */
const LONGEST_NOTE = 1_000_000;
const MOST_SIGNATURES = 100;

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const KEY_NAME = /^[^\s+\p{White_Space}]+$/u;

/** Key names are not empty and hold neither spaces nor a plus. */
export const isKeyName = (name: string): boolean => KEY_NAME.test(name) && name.isWellFormed();

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const uint32 = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);

const bytesOfUint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(ID_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

/** The key of this name and kind, with the id that C2SP signed-note gives it. */
export const verifierKey = (
  sha256: Sha256,
  name: string,
  type: SignatureType,
  publicKey: Uint8Array,
): VerifierKey => {
  if (!isKeyName(name)) throw new RangeError(`no key name: ${JSON.stringify(name)}`);
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new RangeError(`a public key of ${publicKey.length} bytes, expected ${PUBLIC_KEY_BYTES}`);
  const digest = sha256(joined(utf8.encode(`${name}\n`), Uint8Array.of(type), publicKey));
  return { name, id: uint32(digest), type, publicKey };
};

const hexOf = (id: number): string => id.toString(16).padStart(8, '0');

/** `<name>+<id in hex>+<base64 of kind and key>`: what an auditor is given. */
export const formatVerifierKey = ({ name, id, type, publicKey }: VerifierKey): string =>
  `${name}+${hexOf(id)}+${toBase64(joined(Uint8Array.of(type), publicKey))}`;

/** Refuses a key whose id is not its own, and kinds that are unknown. */
export const parseVerifierKey = (sha256: Sha256, text: string): Refused<VerifierKey> => {
  const form = '<name>+<8 hex digits>+<base64 of the kind and the 32 bytes of an Ed25519 key>';
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  const [, name = '', id = '', encoded = ''] = match ?? [];
  const material = fromBase64(encoded);
  if (!isKeyName(name) || material?.length !== 1 + PUBLIC_KEY_BYTES)
    return malformed(`found ${JSON.stringify(text.slice(0, 200))}, expected ${form}`);
  const type = Object.values(SIGNATURE_TYPES).find((known) => known === material[0]);
  if (type === undefined)
    return malformed(
      `found a verifier key of kind ${material[0]}, expected 1 (Ed25519) or 4 (Ed25519 cosignature)`,
    );
  const key = verifierKey(sha256, name, type, material.slice(1));
  return hexOf(key.id) === id
    ? ok(key)
    : malformed(`found the key id ${id}, expected ${hexOf(key.id)} of this name and key`);
};

/** ASCII control characters; a newline is none here. */
export const hasControls = (text: string): boolean =>
  Array.from(text).some((character) => character < ' ' && character !== '\n');

/** Reads a note without believing it: see {@link verifyNote}. */
export const parseNote = (note: string | Uint8Array): Refused<SignedNote> => {
  let content: string;
  try {
    content = typeof note === 'string' ? note : strictUtf8.decode(note);
  } catch {
    return malformed('found bytes that are no UTF-8, expected a signed note');
  }
  if (content.length > LONGEST_NOTE)
    return malformed(
      `found a note of ${content.length} characters, expected ${LONGEST_NOTE} at most`,
    );
  if (!content.isWellFormed() || hasControls(content))
    return malformed('found control characters or lone surrogates in a note, expected plain text');
  const split = content.lastIndexOf('\n\n');
  if (split < 0 || !content.endsWith('\n'))
    return malformed('found no signatures after an empty line, expected a signed note');
  const text = content.slice(0, split + 1);
  const lines = content.slice(split + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES)
    return malformed(`found ${lines.length} signatures, expected ${MOST_SIGNATURES} at most`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name = '', encoded = ''] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    if (!isKeyName(name) || bytes === null || bytes.length <= ID_BYTES)
      return malformed(
        `found the line ${JSON.stringify(line.slice(0, 200))}, expected "\u2014 <key name> <base64>"`,
      );
    signatures.push({ name, id: uint32(bytes), signature: bytes.slice(ID_BYTES) });
  }
  return ok({ text, signatures });
};

/** A signature as its line says it, without the newline. */
export const formatSignature = ({ name, id, signature }: NoteSignature): string =>
  `\u2014 ${name} ${toBase64(joined(bytesOfUint32(id), signature))}`;

export const formatNote = ({ text, signatures }: SignedNote): string =>
  `${text}\n${signatures.map((signature) => `${formatSignature(signature)}\n`).join('')}`;

/** Who signs a note with Ed25519. */
export interface NoteSigner {
  readonly key: VerifierKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The signature of a note's text; of a cosigner's kind see {@link cosign}. */
export const signText = ({ key, sign }: NoteSigner, text: string): NoteSignature => {
  if (key.type !== SIGNATURE_TYPES.ed25519)
    throw new RangeError(`a key of kind ${key.type} signs no text`);
  if (!text.endsWith('\n') || hasControls(text) || !text.isWellFormed())
    throw new RangeError('a note is plain text that ends in a newline');
  return { name: key.name, id: key.id, signature: sign(utf8.encode(text)) };
};

/** What a cosigner signs: the text under the time at which it saw it. */
const cosignedMessage = (text: string, seconds: bigint): Uint8Array =>
  utf8.encode(`cosignature/v1\ntime ${seconds}\n${text}`);

const TIME_BYTES = 8;
/** 9999-12-31T23:59:59Z: later times are not written in one way everywhere. */
const LATEST = 253_402_300_799n;

/** A cosignature of a checkpoint's text at a time in whole seconds since 1970 (C2SP tlog-cosignature, Ed25519). */
export const cosign = ({ key, sign }: NoteSigner, text: string, seconds: number): NoteSignature => {
  if (key.type !== SIGNATURE_TYPES.cosignature)
    throw new RangeError(`a key of kind ${key.type} does not cosign`);
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new RangeError(`no time of a cosignature: ${seconds}`);
  const time = new Uint8Array(TIME_BYTES);
  new DataView(time.buffer).setBigUint64(0, BigInt(seconds));
  const signature = joined(time, sign(cosignedMessage(text, BigInt(seconds))));
  return { name: key.name, id: key.id, signature };
};

/** A signature that verified, and by a cosigner when. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970; null for a plain signature, which says no time. */
  readonly seconds: number | null;
}

const verifyOne = (
  verify: VerifyEd25519,
  text: string,
  key: VerifierKey,
  signature: Uint8Array,
): VerifiedSignature | null => {
  if (key.type === SIGNATURE_TYPES.ed25519)
    return verify(key.publicKey, utf8.encode(text), signature) ? { key, seconds: null } : null;
  if (signature.length <= TIME_BYTES) return null;
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const isTime = seconds <= LATEST;
  const rest = signature.subarray(TIME_BYTES);
  return isTime && verify(key.publicKey, cosignedMessage(text, seconds), rest)
    ? { key, seconds: Number(seconds) }
    : null;
};

/**
 * Which of the known keys signed a note. Signatures of unknown keys are passed over; one of a known key that does not
 * verify refuses the whole note, and so does a note that no known key signed (C2SP signed-note).
 */
export const verifyNote = (
  { text, signatures }: SignedNote,
  keys: readonly VerifierKey[],
  verify: VerifyEd25519,
): Refused<readonly VerifiedSignature[]> => {
  const verified: VerifiedSignature[] = [];
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && known.id === id);
    if (key === undefined) continue;
    const found = verifyOne(verify, text, key, signature);
    if (found === null)
      return refused({
        code: 'bad-signature',
        message: `found a signature of ${name} (${hexOf(id)}) that does not verify, expected one of this text`,
      });
    verified.push(found);
  }
  if (verified.length > 0) return ok(verified);
  const signers = signatures.map((each) => `${each.name} (${hexOf(each.id)})`).join(', ');
  const known = keys.map((key) => `${key.name} (${hexOf(key.id)})`).join(', ');
  return refused({
    code: 'no-known-signature',
    message: `found signatures of ${signers || 'nobody'}, expected one of ${known || 'a known key, and none is known'}`,
  });
};
