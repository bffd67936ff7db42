import { Nullable } from '#libs/event-log';
import type {
  LookCounted,
  RunCounted,
  RunRefused,
  RunRequested,
  SealedRowsOpened,
  SpendCounted,
  SplitCommitted,
  SplitFixed,
  TableFixed,
  StudyPlaced,
  StudyRegistered,
} from '#libs/studies';
import { Count, Id, Nested, OneOf, Ordinal, Path, Sha256, Text, Whole, Words } from './checks.ts';
import { SplitPayload } from './policy.ts';
import type { DataOf } from './shared.ts';

export class StudyRegisteredPayload implements DataOf<StudyRegistered> {
  @Id() studyId!: string;
  @Text(500) title!: string;
}

export class StudyPlacedPayload implements DataOf<StudyPlaced> {
  @Id() project!: string;
  @Path() folder!: string;
  @OneOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) priority!: number;
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

export class RunRequestedPayload implements DataOf<RunRequested> {
  @Id() runId!: string;
  @Ordinal() number!: number;
  @Whole() seed!: number;
  @Nullable() @Id() agent!: string | null;
}

export class RunRefusedPayload implements DataOf<RunRefused> {
  @Id() runId!: string;
  @Id() code!: string;
  @Words() reason!: string;
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

export class SplitFixedPayload implements DataOf<SplitFixed> {
  @Sha256() dataDigest!: string;
  @Sha256() commitment!: string;
  @Nullable() @Text(500) rowId!: string | null;
  @Nested(() => SplitPayload) split!: SplitPayload;
}

export class TableFixedPayload implements DataOf<TableFixed> {
  @Sha256() dataDigest!: string;
  @Sha256() commitment!: string;
  @Id() studyId!: string;
  @Id() runId!: string;
  @Sha256() table!: string;
}

export class LookCountedPayload implements DataOf<LookCounted> {
  @Sha256() dataDigest!: string;
  @Id() studyId!: string;
  @Id() runId!: string;
  @Ordinal() look!: number;
}
