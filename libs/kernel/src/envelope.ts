import type { Fact } from './decider.ts';

export const ROLES = ['agent', 'researcher', 'reviewer', 'auditor', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Who caused an event. The id is opaque: a name never stands in the log. */
export interface Actor {
  readonly role: Role | 'harness';
  readonly id: string;
}

/** What a writer says of an event besides its data. */
export interface Metadata {
  /** The id that ties a whole run together. */
  readonly correlationId: string;
  /** The id of the event or command that caused this one. */
  readonly causationId: string;
  readonly actor: Actor;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly schemaVersion: number;
}

/** An event that is about to be appended; its id derives from its command and its ordinal. */
export interface NewEvent<E extends Fact = Fact> {
  readonly id: string;
  readonly type: E['type'];
  readonly data: E['data'];
  readonly metadata: Metadata;
}

/** An event as the log holds it. */
export interface RecordedEvent<E extends Fact = Fact> {
  /** Place in the whole log: grows strictly, may have holes. */
  readonly position: number;
  readonly stream: string;
  /** Place in the stream, from 0, without holes. */
  readonly revision: number;
  readonly id: string;
  readonly type: E['type'];
  /** The payload in its newest version (upcast after the hash was checked). */
  readonly data: E['data'];
  readonly metadata: Metadata;
  /** `hash` of the stream's previous event, null for its first. */
  readonly prev: string | null;
  /** SHA-256, lower-case hex, of `canonical`. */
  readonly hash: string;
  /** The stored bytes: RFC 8785 canonical JSON of {@link HashedBody}. */
  readonly canonical: Uint8Array;
}

/** An event exactly as a log stores it: not parsed, not checked, not upcast. A {@link RecordedEvent} is one too. */
export type StoredEvent = Pick<
  RecordedEvent,
  'position' | 'stream' | 'revision' | 'id' | 'type' | 'hash' | 'canonical'
>;

/** What is hashed and stored: everything of an event but its own hash and its place in the whole log. */
export interface HashedBody {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Metadata & { readonly prev: string | null };
}
