import type { WorkerAdmitted, WorkerDismissed } from '#libs/fleet';
import type { PrivateText } from '#libs/kernel';
import { Id } from './checks.ts';
import { HumanText, KeyId, PublicKey, type DataOf } from './shared.ts';

export class WorkerAdmittedPayload implements DataOf<WorkerAdmitted> {
  @KeyId() keyId!: string;
  @PublicKey() publicKey!: string;
  @Id() label!: string;
}

export class WorkerDismissedPayload implements DataOf<WorkerDismissed> {
  @KeyId() keyId!: string;
  @HumanText() reason!: PrivateText;
}
