import type { PrivateText, SealedText } from '#libs/kernel';

/** Where a text stands: sealed for one place, it opens in no other. */
export interface TextPlace {
  readonly stream: string;
  /** Type of the event. */
  readonly type: string;
}

/** Who somebody is to those who let him in. */
export interface Identity {
  /** The identity provider as its tokens name it; `local`: a token that this ledger handed out. */
  readonly issuer: string;
  readonly subject: string;
}

/** The identity and the opaque id that stands for it in events. */
export interface Person extends Identity {
  readonly personId: string;
  /** When he was first seen, RFC 3339. */
  readonly since: string;
}

/** erased: its key is gone, and the text with it. altered: it is not what was sealed for this place. */
export type ReadText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'erased' }
  | { readonly kind: 'altered' };

/**
 * What has to be erasable, and so stands outside the log, the views and every bundle: the keys of what people wrote, and
 * who the ids of people stand for.
 *
 * Promises, held by the contract suite for every adapter: what was sealed or named is durable before it is given, so that
 * no event holds a text that was never readable; what was erased is gone from the store's own files, not only from its
 * answers. Every method throws ErasablesUnavailable where nobody can tell.
 */
export interface Erasables {
  /** Encrypts a text with a key of its own (AES-256-GCM, 256 random bits), which is kept first. */
  seal(text: string, place: TextPlace): Promise<SealedText>;
  /** Reads a text where it stands. */
  read(text: PrivateText, place: TextPlace): Promise<ReadText>;
  /** Whether the key of a text is still there. */
  hasKey(keyId: string): Promise<boolean>;
  /** Erases the keys of texts; those that are gone already stay gone. */
  eraseTexts(keyIds: readonly string[]): Promise<void>;
  /** The opaque id of somebody, made at random when he is first seen. */
  personOf(identity: Identity): Promise<string>;
  /** Who an id stands for; null: nobody, or erased. */
  person(personId: string): Promise<Person | null>;
  /** All of them, in the order in which they were first seen. */
  people(): Promise<readonly Person[]>;
  /** Erases who these ids stand for; one who comes again is given a new id. */
  erasePeople(personIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** The store of the keys and of the people is down, refuses, is full or locked. */
export class ErasablesUnavailable extends Error {
  override readonly name = 'ErasablesUnavailable';
}

/** Issuer of the tokens that a ledger hands out itself. */
export const LOCAL_ISSUER = 'local';
