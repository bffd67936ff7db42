import type {
  RunCounted,
  SealedRowsOpened,
  SpendCounted,
  SplitCommitted,
  StudyRegistered,
} from '#libs/studies';
import { Count, Id, Ordinal, Sha256, Text, Whole } from './checks.ts';
import type { DataOf } from './shared.ts';

export class StudyRegisteredPayload implements DataOf<StudyRegistered> {
  @Id() studyId!: string;
  @Text(500) title!: string;
}

export class SplitCommittedPayload implements DataOf<SplitCommitted> {
  @Sha256() dataDigest!: string;
  @Sha256() commitment!: string;
}

export class RunCountedPayload implements DataOf<RunCounted> {
  @Id() runId!: string;
  @Ordinal() number!: number;
  @Whole() seed!: number;
}

export class SealedRowsOpenedPayload implements DataOf<SealedRowsOpened> {
  @Id() runId!: string;
  @Ordinal() look!: number;
}

export class SpendCountedPayload implements DataOf<SpendCounted> {
  @Id() runId!: string;
  @Count() spent!: number;
  @Count() totalSpent!: number;
}
