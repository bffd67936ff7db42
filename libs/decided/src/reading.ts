import { deriveId, type Fact, type Refusal, type Result } from '#libs/kernel';

/** An event of the log with its data in the newest version; a `RecordedEvent` of the kernel is one. */
export interface JudgedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: {
    readonly correlationId: string;
    readonly causationId: string;
    readonly actor: { readonly role: string; readonly id: string };
    readonly schemaVersion: number;
  };
  readonly prev: string | null;
  readonly hash: string;
}

/** Where in the log an append stands. */
export interface Place {
  /** The stream's id: its name less its kind. */
  readonly id: string;
  /** The event before it; null at the beginning of a stream. */
  readonly head: Pick<JudgedEvent, 'id' | 'revision' | 'hash'> | null;
}

/** What a command's id was made of, besides what the reading knows itself. */
type Cause =
  /** Nothing more: there is one such command for ever. */
  | 'itself'
  /** The event before it. */
  | 'head'
  /** An event before it: others can have come in between. */
  | 'earlier';

/** How commands of a kind come by their ids. */
export interface Naming {
  readonly cause: Cause;
  /** The ids that a command of the harness or the command line can have, of one cause. */
  readonly ids: (cause: string) => readonly string[];
  /** Over the API: its id derives from who asks, under which key. The log doesn't hold the key. */
  readonly asked: boolean;
  /** From a random number: its id is known of nothing. */
  readonly random: boolean;
}

/** A command as its events tell it: what they do not hold is filled with what decides alike. */
export interface Reading {
  /** The command; several where the events do not tell which of them it was. */
  readonly commands: readonly string[];
  readonly naming: Naming;
  readonly decide: (commandId: string) => Result<readonly Fact[], Refusal>;
}

const NOBODY: Naming = { cause: 'itself', ids: () => [], asked: false, random: false };

/** An id of these parts, whatever was before. */
export const named = (...parts: readonly string[]): Naming => ({
  ...NOBODY,
  ids: () => [deriveId(...parts)],
});

/**
 * An id of these parts and an event of the stream before it: the last one when the command was made. Another can have come
 * in between, the stream's first one too: then what stands for none was taken.
 */
export const namedAfter = (parts: readonly string[], none = ''): Naming => ({
  ...NOBODY,
  cause: 'earlier',
  ids: (event) => [deriveId(...parts, event), deriveId(...parts, none)],
});

/** What the driving of a run sends: one of these commands, after the event before it. */
export const driven = (...commands: readonly string[]): Naming => ({
  ...NOBODY,
  cause: 'head',
  ids: (event) => commands.map((command) => deriveId('command', event, command)),
});

/** Made in the one way or in the other, of the same cause. */
export const oneOf = (naming: Naming, other: Naming): Naming => ({
  ...naming,
  ids: (cause) => [...naming.ids(cause), ...other.ids(cause)],
});

export const asked = (naming: Naming = NOBODY): Naming => ({ ...naming, asked: true });

export const random = (naming: Naming = NOBODY): Naming => ({ ...naming, random: true });
