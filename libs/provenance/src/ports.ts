import type { Signature, StoredEvent } from '#libs/kernel';
import type { AttestationContext } from './attestations.ts';

/** A hash as lower-case hex; passed in, so that the verifier runs anywhere. */
export type Hash = (bytes: Uint8Array) => string;

/**
 * Whether `publicKey` (base64 of the raw 32 bytes) signed `value` in this context; false for what is malformed. The
 * answer may come later (signatures are most of what a verification costs, and another thread can do them), and then
 * never as a rejection.
 */
export type VerifySignature = (
  publicKey: string,
  context: AttestationContext,
  value: unknown,
  signature: Signature,
) => boolean | Promise<boolean>;

/** What stands behind an object's name. Corrupt: stored bytes that can't be read as the object. */
export type FoundObject =
  | { readonly state: 'present'; readonly type: string; readonly content: Uint8Array }
  | { readonly state: 'absent' }
  | { readonly state: 'corrupt'; readonly reason: string };

/** Reads a git object by its id. What it gives is hashed again here, so it needn't be trusted. */
export type ReadObject = (oid: string) => Promise<FoundObject>;

/** What the verifier reads: the bytes are the only thing that is believed. */
export type { StoredEvent as StoredBytes } from '#libs/kernel';

/**
 * An event out of a file that says nothing of it beside its bytes. `position` is its place in the order of all events
 * as far as that is known, NaN where not: what needs the order of such an event fails.
 */
export interface BareEvent extends Pick<StoredEvent, 'position' | 'canonical'> {
  /** What `canonical` spells as JSON, where whoever read the file has parsed it already. */
  readonly spelled?: unknown;
}
