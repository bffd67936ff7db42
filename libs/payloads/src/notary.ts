import { ArrayMaxSize, IsArray, Matches } from 'class-validator';
import { Nullable } from '#libs/event-log';
import { ALARMS, ANCHORS } from '#libs/notary';
import type {
  CheckpointAnchored,
  CheckpointSigned,
  NotaryAlarmRaised,
  NotaryAlarmSettled,
  NotaryKeyRotated,
  NotaryOpened,
} from '#libs/notary';
import type { PrivateText } from '#libs/kernel';
import { Count, Nested, OneOf, Ordinal, Sha256, Text, Words } from './checks.ts';
import { HumanText, type DataOf } from './shared.ts';

/** C2SP signed-note vkey of an Ed25519 key or cosigner: 33 bytes in base64 after name and id. */
const VerifierKey = () => Matches(/^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
/** A hash of the Merkle tree: 32 bytes in base64. */
const TreeHash = () => Matches(/^[A-Za-z0-9+/]{43}=$/);
/** A signed note: a few lines and their signatures. */
const Note = () => Text(10_000);

export class NotaryOpenedPayload implements DataOf<NotaryOpened> {
  @Text(200) origin!: string;
  @VerifierKey() verifierKey!: string;
}

export class NotaryKeyRotatedPayload implements DataOf<NotaryKeyRotated> {
  @VerifierKey() from!: string;
  @VerifierKey() to!: string;
  @Note() note!: string;
}

export class LeafPayload {
  @Text(300) stream!: string;
  @Count() revision!: number;
  @Sha256() hash!: string;
}

/** A consistency proof (RFC 6962) has at most one hash more than the tree has levels. */
const Proof = (): PropertyDecorator => (target, key) => {
  IsArray()(target, key);
  ArrayMaxSize(64)(target, key);
  Matches(/^[A-Za-z0-9+/]{43}=$/, { each: true })(target, key);
};

export class HeadsPayload {
  @Ordinal() streams!: number;
  @TreeHash() root!: string;
}

export class FollowsPayload {
  @Count() revision!: number;
  @Sha256() hash!: string;
}

export class CheckpointSignedPayload implements DataOf<CheckpointSigned> {
  @Ordinal() size!: number;
  @TreeHash() root!: string;
  @Note() note!: string;
  @Proof() extendsLast!: readonly string[];
  @Nested(() => LeafPayload) newest!: LeafPayload;
  @Nullable() @Nested(() => HeadsPayload) heads!: HeadsPayload | null;
  @Nullable() @Nested(() => FollowsPayload) follows!: FollowsPayload | null;
}

/** Cosignature lines, the id of a tag object, or base64 of a timestamp token, which holds certificates and is long. */
const Evidence = () =>
  Matches(
    /^(?:\u2014 \S+ \S+(?:\n\u2014 \S+ \S+)*|[0-9a-f]{40}|(?:[A-Za-z0-9+/]{4}){50,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/u,
  );

export class CheckpointAnchoredPayload implements DataOf<CheckpointAnchored> {
  @Ordinal() size!: number;
  @TreeHash() root!: string;
  @OneOf(ANCHORS) kind!: CheckpointAnchored['data']['kind'];
  @Text(500) by!: string;
  @Text(100_000) @Evidence() evidence!: string;
}

export class AppendPayload {
  @Text(300) stream!: string;
  @Count() from!: number;
  @Count() to!: number;
  @Sha256() hash!: string;
}

export class NotaryAlarmRaisedPayload implements DataOf<NotaryAlarmRaised> {
  @OneOf(ALARMS) reason!: NotaryAlarmRaised['data']['reason'];
  @Count() size!: number;
  @Words() found!: string;
  @Words() expected!: string;
  @Nullable() @Nested(() => AppendPayload) append!: AppendPayload | null;
}

export class NotaryAlarmSettledPayload implements DataOf<NotaryAlarmSettled> {
  @Nullable() @Count() alarm!: number | null;
  @HumanText() reason!: PrivateText;
  @Nullable() @Nested(() => AppendPayload) accepts!: AppendPayload | null;
  @Nullable() @Note() note!: string | null;
}
