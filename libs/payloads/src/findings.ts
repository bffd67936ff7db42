import { Nullable } from '#libs/event-log';
import type { PrivateText } from '#libs/kernel';
import type {
  AcceptedLineReverted,
  Claim,
  FindingAccepted,
  FindingChain,
  FindingDiscarded,
  FindingProposed,
  FindingReplayed,
  FindingReviewed,
  FindingVerified,
  Look,
  ReplayClass,
  ReplayRow,
  VerdictRow,
  VerificationRequested,
} from '#libs/findings';
import {
  Count,
  every,
  Finite,
  Flag,
  Id,
  Ids,
  Nested,
  NestedList,
  Oid,
  OneOf,
  Ordinal,
  Sha256,
  Text,
  Texts,
  WordList,
  Words,
} from './checks.ts';
import { EnvironmentPayload } from './run.ts';
import {
  ArtefactRefPayload,
  HumanText,
  SignaturePayload,
  VERDICTS,
  type DataOf,
} from './shared.ts';

const KINDS = every<Claim['kind']>({ line: true, step: true });
const DECISIONS = every<FindingReviewed['data']['decision']>({ accepted: true, rejected: true });

class CohortPayload {
  @Text(4000) description!: string;
  @Text(200) outcome!: string;
}

class IntervalPayload {
  @Finite(0) level!: number;
  @Finite() lower!: number;
  @Finite() upper!: number;
}

class LookPayload implements Look {
  @Sha256() dataDigest!: string;
  @Ordinal() ofStudy!: number;
  @Ordinal() ofData!: number;
  @Ordinal() runs!: number;
  @Count() spent!: number;
  @Ordinal() claims!: number;
  @Finite(0) share!: number;
  @Finite(0) multiplier!: number;
}

class ClaimPayload implements Claim {
  @OneOf(KINDS) kind!: Claim['kind'];
  @Nested(() => CohortPayload) cohort!: CohortPayload;
  @OneOf(['log-loss-reduction']) statistic!: 'log-loss-reduction';
  @Finite() estimate!: number;
  @Finite(0) standardError!: number;
  @Nested(() => IntervalPayload) interval!: IntervalPayload;
  @Finite() relative!: number;
  @Count() n!: number;
  @Texts(4000) changes!: readonly string[];
  @Texts(200) planted!: readonly string[];
  @Nullable() @Nested(() => LookPayload) look!: LookPayload | null;
}

class RunHeadPayload {
  @Count() revision!: number;
  @Sha256() hash!: string;
}

class ChainPayload implements FindingChain {
  @Id() runId!: string;
  @Id() studyId!: string;
  @Nested(() => RunHeadPayload) runHead!: RunHeadPayload;
  @Oid() sourceCommit!: string;
  @Oid() sourceTree!: string;
  @Oid() fromTree!: string;
  @Oid() toTree!: string;
  @Ids() mutations!: readonly string[];
}

export class FindingProposedPayload implements DataOf<FindingProposed> {
  @Id() findingId!: string;
  @Ordinal() number!: number;
  // Composed of the claim: as long as the changes that a night can keep.
  @Words() statement!: string;
  @Nested(() => ClaimPayload) claim!: ClaimPayload;
  @Nested(() => ChainPayload) chain!: ChainPayload;
  @Ordinal() sealedLook!: number;
  @NestedList(() => ArtefactRefPayload) predictions!: readonly ArtefactRefPayload[];
}

class VerdictRowPayload implements VerdictRow {
  @Text(200) row!: string;
  @Flag() passed!: boolean;
  @Words() found!: string;
  @Words() expected!: string;
}

export class FindingVerifiedPayload implements DataOf<FindingVerified> {
  @Id() findingId!: string;
  @OneOf(VERDICTS) verdict!: 'PASS' | 'BLOCK';
  @NestedList(() => VerdictRowPayload) rows!: readonly VerdictRowPayload[];
  @OneOf(['self-signed, unanchored']) trust!: 'self-signed, unanchored';
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
}

export class FindingDiscardedPayload implements DataOf<FindingDiscarded> {
  @Id() findingId!: string;
  @WordList() reasons!: readonly string[];
}

export class AcceptedLineRevertedPayload implements DataOf<AcceptedLineReverted> {
  @Id() findingId!: string;
  @Oid() fromTree!: string;
  @Oid() toTree!: string;
}

export class FindingReviewedPayload implements DataOf<FindingReviewed> {
  @Id() findingId!: string;
  @OneOf(DECISIONS) decision!: 'accepted' | 'rejected';
  @HumanText() reason!: PrivateText;
}

export class FindingAcceptedPayload implements DataOf<FindingAccepted> {
  @Id() findingId!: string;
  @Oid() tree!: string;
}

export class VerificationRequestedPayload implements DataOf<VerificationRequested> {
  @Id() findingId!: string;
}

const CLASSES = every<ReplayClass>({
  'bit-exact': true,
  'within-tolerance': true,
  'not-reproducible': true,
});
const REPLAYED = every<ReplayRow['row']>({ environment: true, predictions: true, metric: true });
const OUTCOMES = every<ReplayRow['outcome']>({
  same: true,
  'within-tolerance': true,
  differs: true,
  attested: true,
});

class ReplayRowPayload implements ReplayRow {
  @OneOf(REPLAYED) row!: ReplayRow['row'];
  @OneOf(OUTCOMES) outcome!: ReplayRow['outcome'];
  @Words() found!: string;
  @Words() expected!: string;
}

class ReplayedPredictionsPayload {
  @Nullable() @Sha256() found!: string | null;
  @Sha256() expected!: string;
}

export class FindingReplayedPayload implements DataOf<FindingReplayed> {
  @Id() findingId!: string;
  @Id() trainingId!: string;
  @Oid() tree!: string;
  @Count() steps!: number;
  @OneOf(CLASSES) class!: ReplayClass;
  @NestedList(() => ReplayRowPayload) rows!: readonly ReplayRowPayload[];
  @Nested(() => EnvironmentPayload) environment!: EnvironmentPayload;
  @Nested(() => ReplayedPredictionsPayload) predictions!: ReplayedPredictionsPayload;
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
}
