import type { Fact, PrivateText } from '#libs/kernel';

/** The log's name among all logs, and the key that signs its checkpoints first. */
export type NotaryOpened = Fact<
  'NotaryOpened',
  {
    /** Origin of the checkpoints (C2SP tlog-checkpoint), and the name of every key that signs them. */
    readonly origin: string;
    /** C2SP signed-note vkey: what an auditor is given. */
    readonly verifierKey: string;
  }
>;

/** Another key signs from here on; both keys signed that they follow each other. */
export type NotaryKeyRotated = Fact<
  'NotaryKeyRotated',
  {
    readonly from: string;
    readonly to: string;
    /** A signed note of both keys over {@link rotationText}. */
    readonly note: string;
  }
>;

/** The notary committed to the log at a size. The events of its own stream are no leaves. */
export type CheckpointSigned = Fact<
  'CheckpointSigned',
  {
    readonly size: number;
    /** Base64 of the Merkle Tree Hash (RFC 6962). */
    readonly root: string;
    /** The signed checkpoint (C2SP tlog-checkpoint). */
    readonly note: string;
    /** Base64 hashes that show it to extend the last checkpoint (RFC 6962, 2.1.2); empty for the first. */
    readonly extendsLast: readonly string[];
    /** The event that is the newest leaf. */
    readonly newest: {
      readonly stream: string;
      readonly revision: number;
      readonly hash: string;
    };
    /**
     * The heads of all streams among these leaves, by their number and the base64 root of their tree (`streamHeads`).
     * Null: it commits to none, as version 1 did.
     */
    readonly heads: { readonly streams: number; readonly root: string } | null;
    /** The event of the notary's own stream before this one, whose chain it so signs; null: as version 1. */
    readonly follows: { readonly revision: number; readonly hash: string } | null;
  }
>;

/** What stands behind a checkpoint outside the operator's reach. */
export const ANCHORS = ['witness', 'timestamp', 'git-tag'] as const;
export type AnchorKind = (typeof ANCHORS)[number];

/** Somebody else holds a checkpoint, or says when he saw it. */
export type CheckpointAnchored = Fact<
  'CheckpointAnchored',
  {
    readonly size: number;
    readonly root: string;
    readonly kind: AnchorKind;
    /** The witness's key name, the authority's address, or the remote's address without its credentials. */
    readonly by: string;
    /**
     * The cosignature line (C2SP tlog-cosignature), the base64 of the RFC 3161 token over the UTF-8 bytes of the signed
     * checkpoint (the note, signatures and all), or the id of the tag object that was pushed.
     */
    readonly evidence: string;
  }
>;

export const ALARMS = [
  /** The log no longer begins with what was signed. */
  'not-an-extension',
  /** It holds fewer events than were signed. */
  'shorter-log',
  /** It holds events that the rules would not have made, or whose hashes don't hold. */
  'not-decided',
] as const;
export type AlarmReason = (typeof ALARMS)[number];

/** The events that one append wrote, from the first to the last revision. */
export interface Append {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  /** Chain hash of the last of them, and so of the bytes of all, and of all that is before them in the stream. */
  readonly hash: string;
}

/** The notary refused to sign. Nothing is signed until a human has settled it. */
export type NotaryAlarmRaised = Fact<
  'NotaryAlarmRaised',
  {
    readonly reason: AlarmReason;
    readonly size: number;
    readonly found: string;
    readonly expected: string;
    /** What holds together and was written well, but would not have been decided; null for everything else. */
    readonly append: Append | null;
  }
>;

/** A human looked at the alarm. What is wrong with the log is still looked for before the next signature. */
export type NotaryAlarmSettled = Fact<
  'NotaryAlarmSettled',
  {
    /** Revision of the NotaryAlarmRaised; null: the one that stands, as version 1 said it. */
    readonly alarm: number | null;
    readonly reason: PrivateText;
    /** The append of the alarm, where the human vouches for it against the rules: it is signed, and no other. */
    readonly accepts: Append | null;
    /** A note of the key that signs now over {@link acceptanceText}: whoever can but write the log accepts nothing. */
    readonly note: string | null;
  }
>;

export type NotaryEvent =
  | NotaryOpened
  | NotaryKeyRotated
  | CheckpointSigned
  | CheckpointAnchored
  | NotaryAlarmRaised
  | NotaryAlarmSettled;
