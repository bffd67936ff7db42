import type { WorkerAdmitted, WorkerDismissed } from '#libs/fleet';
import { Id, Text } from './checks.ts';
import { KeyId, PublicKey, type DataOf } from './shared.ts';

export class WorkerAdmittedPayload implements DataOf<WorkerAdmitted> {
  @KeyId() keyId!: string;
  @PublicKey() publicKey!: string;
  @Id() label!: string;
}

export class WorkerDismissedPayload implements DataOf<WorkerDismissed> {
  @KeyId() keyId!: string;
  @Text(500) reason!: string;
}
