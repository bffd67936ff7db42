import type { DivergenceDetected } from '#libs/divergence';
import { Nullable } from '#libs/event-log';
import type { PrivateText } from '#libs/kernel';
import { FILE_DOMAINS, GATES, LANGUAGES } from '#libs/harness';
import type {
  ChartPolicy,
  CohortDimension,
  FairnessInterval,
  FairnessMeasure,
  FairnessReport,
  FileDomain,
  Gate,
  GroupCounts,
  Language,
  Observation,
} from '#libs/harness';
import { TRAINING_FAILURES } from '#libs/run';
import type {
  BaselineEstablished,
  ChangedFile,
  CohortRelease,
  CohortsServed,
  DisclosureAudit,
  EnvironmentRecord,
  ForkPoint,
  FairnessMeasured,
  GatePassed,
  HypothesisProposed,
  IsolationRecord,
  LoopEnded,
  MetricObserved,
  MutationCutOver,
  MutationKept,
  MutationProposed,
  MutationReverted,
  Pins,
  ProposalRefused,
  RestorePointTaken,
  RunClosed,
  RunHalted,
  RunHeadSigned,
  RunKeys,
  RunOpened,
  RunReverted,
  SecondaryMetricProposed,
  TrainingCompleted,
  TrainingFailed,
  TrainingFailure,
  TrainingLaunched,
  TrainingPurpose,
  TrainingTimedOut,
  WorkerEnlisted,
} from '#libs/run';
import {
  Count,
  every,
  Finite,
  Fulfils,
  Flag,
  Id,
  Ids,
  Nested,
  NestedList,
  Oid,
  OneOf,
  Ordinal,
  Path,
  ScalarRecord,
  Sha256,
  Text,
  Texts,
  Whole,
  Words,
} from './checks.ts';
import { HarnessPolicyPayload } from './policy.ts';
import {
  ArtefactRefPayload,
  BreachPayload,
  ChartReadingPayload,
  CHARTS,
  EstimatePayload,
  HumanText,
  GateCheckPayload,
  KeepRulingPayload,
  KeyId,
  PublicKey,
  DECIDES,
  SIDES,
  SignaturePayload,
  VERDICTS,
  type DataOf,
} from './shared.ts';

const HALTED_BY = every<RunHalted['data']['by']>({
  'pre-loop': true,
  'mid-loop': true,
  'post-loop': true,
  mandate: true,
  'data-request': true,
  baseline: true,
  human: true,
});
const PURPOSES = every<TrainingPurpose>({
  baseline: true,
  candidate: true,
  replicate: true,
  remeasurement: true,
});
const CHANGES = every<ChangedFile['kind']>({
  added: true,
  modified: true,
  deleted: true,
  'type-changed': true,
});
const REVERTED_FOR = every<MutationReverted['data']['reason']>({
  'not-better-than-noise': true,
  'training-failed': true,
  'timed-out': true,
  'post-loop-gate': true,
});
const ENDED_FOR = every<LoopEnded['data']['reason']>({
  exhausted: true,
  finished: true,
  stopped: true,
  refusals: true,
});
const MEASURES = every<FairnessMeasure['measure']>({
  'demographic-parity': true,
  'disparate-impact': true,
  'equal-opportunity': true,
  'equalized-odds': true,
});

class PinsPayload implements Pins {
  @Oid() commit!: string;
  @Oid() tree!: string;
  @Path() path!: string;
  @Oid() pinCommit!: string;
  @Oid() proof!: string;
  @Sha256() policyDigest!: string;
  @Sha256() dataDigest!: string;
  @Sha256() environmentDigest!: string;
  @Sha256() splitCommitment!: string;
}

class RuntimePayload {
  @Text(100) name!: string;
  @Text(100) version!: string;
  @Sha256() sha256!: string;
}

export class EnvironmentPayload implements EnvironmentRecord {
  @Text(100) holdfast!: string;
  @Nested(() => RuntimePayload) runtime!: RuntimePayload;
  @Text(100) platform!: string;
  @Text(100) architecture!: string;
}

class PublicKeyPayload {
  @KeyId() keyId!: string;
  @PublicKey() publicKey!: string;
}

class KeysPayload implements RunKeys {
  @Nested(() => PublicKeyPayload) runner!: PublicKeyPayload;
  @Nested(() => PublicKeyPayload) worker!: PublicKeyPayload;
}

class GovernancePayload {
  @Flag() governed!: boolean;
  @Text(4000) reason!: string;
}

class CellsPayload {
  @Count() cells!: number;
  @Count() people!: number;
}

class PeoplePayload {
  @Count() train!: number;
  @Count() dev!: number;
  @Count() check!: number;
  @Count() sealed!: number;
}

class CohortDimensionPayload implements CohortDimension {
  @Text(200) name!: string;
  @Texts(300) labels!: readonly string[];
}

class DisclosureAuditPayload implements DisclosureAudit {
  @OneOf(['told', 'withheld']) totals!: 'told' | 'withheld';
  @Nullable() @Count() complementary!: number | null;
  @Count() kinds!: number;
}

class CohortReleasePayload implements CohortRelease {
  @Oid() tree!: string;
  @Nested(() => ArtefactRefPayload) table!: ArtefactRefPayload;
  @Nested(() => ArtefactRefPayload) cells!: ArtefactRefPayload;
  @Ordinal() minimumCell!: number;
  @NestedList(() => CohortDimensionPayload) dimensions!: readonly CohortDimensionPayload[];
  @Count() coarsened!: number;
  @Nested(() => CellsPayload) released!: CellsPayload;
  @Nullable() @Nested(() => CellsPayload) suppressed!: CellsPayload | null;
  @Nullable() @Nested(() => PeoplePayload) people!: PeoplePayload | null;
  @Nullable() @Nested(() => DisclosureAuditPayload) audit!: DisclosureAuditPayload | null;
}

class ForkPointPayload implements ForkPoint {
  @Id() runId!: string;
  @Nullable() @Id() mutationId!: string | null;
  @Oid() commit!: string;
  @Oid() tree!: string;
}

export class RunOpenedPayload implements DataOf<RunOpened> {
  @Id() runId!: string;
  @Id() studyId!: string;
  @Ordinal() number!: number;
  @Nested(() => PinsPayload) pins!: PinsPayload;
  @Nested(() => HarnessPolicyPayload) policy!: HarnessPolicyPayload;
  @Nested(() => EnvironmentPayload) environment!: EnvironmentPayload;
  @Nested(() => KeysPayload) keys!: KeysPayload;
  @Whole() seed!: number;
  @Nested(() => GovernancePayload) governance!: GovernancePayload;
  @Nullable() @Nested(() => CohortReleasePayload) cohorts!: CohortReleasePayload | null;
  @Nullable() @Nested(() => ForkPointPayload) forkedFrom!: ForkPointPayload | null;
}

export class GatePassedPayload implements DataOf<GatePassed> {
  @OneOf(GATES) gate!: Gate;
  @Sha256() policyDigest!: string;
  @Nullable() @Id() mutationId!: string | null;
  @NestedList(() => GateCheckPayload) checks!: readonly GateCheckPayload[];
}

export class RunHaltedPayload implements DataOf<RunHalted> {
  @OneOf(HALTED_BY) by!: RunHalted['data']['by'];
  @Words() reason!: string;
  @NestedList(() => BreachPayload) breaches!: readonly BreachPayload[];
  @Nullable() @Id() mutationId!: string | null;
  @Words() message!: string;
  @Nullable() @HumanText() note!: PrivateText | null;
}

export class TrainingLaunchedPayload implements DataOf<TrainingLaunched> {
  @Id() trainingId!: string;
  @OneOf(PURPOSES) purpose!: TrainingPurpose;
  @Nullable() @Id() mutationId!: string | null;
  @Oid() tree!: string;
  @Whole() seed!: number;
  @Finite(0) seconds!: number;
}

export class WorkerEnlistedPayload implements DataOf<WorkerEnlisted> {
  @KeyId() keyId!: string;
  @PublicKey() publicKey!: string;
}

export class TrainingCompletedPayload implements DataOf<TrainingCompleted> {
  @Id() trainingId!: string;
  @Count() steps!: number;
  @Finite(0) durationMs!: number;
  @Oid() artefacts!: string;
  @Nested(() => ArtefactRefPayload) predictions!: ArtefactRefPayload;
  @Nested(() => ArtefactRefPayload) log!: ArtefactRefPayload;
  @Nullable() @Finite() selfReported!: number | null;
  @ScalarRecord() isolation!: IsolationRecord;
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
}

export class TrainingFailedPayload implements DataOf<TrainingFailed> {
  @Id() trainingId!: string;
  @OneOf(TRAINING_FAILURES) failure!: TrainingFailure;
  @Words() detail!: string;
  @Nullable() @Text(300) errorClass!: string | null;
  @Nullable() @Path() errorFile!: string | null;
  @Nullable() @Count() errorLine!: number | null;
  @Finite(0) durationMs!: number;
  @Oid() artefacts!: string;
  @Nested(() => ArtefactRefPayload) log!: ArtefactRefPayload;
  @ScalarRecord() isolation!: IsolationRecord;
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
  @Nullable() @HumanText() note!: PrivateText | null;
}

export class TrainingTimedOutPayload implements DataOf<TrainingTimedOut> {
  @Id() trainingId!: string;
  @Finite(0) seconds!: number;
  @Finite(0) durationMs!: number;
  @Oid() artefacts!: string;
  @Nested(() => ArtefactRefPayload) log!: ArtefactRefPayload;
  @ScalarRecord() isolation!: IsolationRecord;
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
}

class ScoredCellsPayload {
  @Count() scored!: number;
  @Count() suppressed!: number;
}

class ObservationPayload implements Observation {
  @Nested(() => EstimatePayload) metric!: EstimatePayload;
  @Nullable() @Nested(() => EstimatePayload) auc!: EstimatePayload | null;
  @NestedList(() => EstimatePayload) secondary!: readonly EstimatePayload[];
  @Nullable() @Nested(() => EstimatePayload) difference!: EstimatePayload | null;
  @Nullable() @Nested(() => EstimatePayload) check!: EstimatePayload | null;
  @Nullable() @Nested(() => EstimatePayload) gapChange!: EstimatePayload | null;
  @Nested(() => ScoredCellsPayload) cells!: ScoredCellsPayload;
}

export class MetricObservedPayload implements DataOf<MetricObserved> {
  @Id() trainingId!: string;
  @OneOf(PURPOSES) purpose!: TrainingPurpose;
  @Nullable() @Id() mutationId!: string | null;
  @Nested(() => ObservationPayload) observation!: ObservationPayload;
  @Nullable() @Nested(() => EstimatePayload) overSeeds!: EstimatePayload | null;
  @NestedList(() => ChartReadingPayload) charts!: readonly ChartReadingPayload[];
  @Nullable() @Finite() ladderScore!: number | null;
}

export class BaselineEstablishedPayload implements DataOf<BaselineEstablished> {
  @Oid() tree!: string;
  @Oid() commit!: string;
  @Id() trainingId!: string;
  @Ordinal() replicates!: number;
  @Finite() metric!: number;
  @Finite(0) standardError!: number;
  @Finite(0) seedDeviation!: number;
}

export class HypothesisProposedPayload implements DataOf<HypothesisProposed> {
  @Id() hypothesisId!: string;
  @Ordinal() number!: number;
  /** The mandate's screen lets nothing longer through. */
  @Text(300) statement!: string;
  @Finite() expectedEffect!: number;
}

class ChangedFilePayload implements ChangedFile {
  @Path() path!: string;
  @OneOf(CHANGES) kind!: ChangedFile['kind'];
  @Nullable() @Oid() before!: string | null;
  @Nullable() @Oid() after!: string | null;
  @Nullable() @OneOf(LANGUAGES) language!: Language | null;
  @Nullable() @OneOf(FILE_DOMAINS) domain!: FileDomain | null;
}

export class MutationProposedPayload implements DataOf<MutationProposed> {
  @Id() mutationId!: string;
  @Id() hypothesisId!: string;
  @Ordinal() number!: number;
  // The agent's own words, written down before the mandate's screen judges them.
  @Words() summary!: string;
  @Oid() baseCommit!: string;
  @Oid() baseTree!: string;
  @Oid() proposedCommit!: string;
  @Oid() proposedTree!: string;
  @OneOf(FILE_DOMAINS) declaredDomain!: FileDomain;
  @Nullable() @OneOf(FILE_DOMAINS) measuredDomain!: FileDomain | null;
  @NestedList(() => ChangedFilePayload) files!: readonly ChangedFilePayload[];
}

export class ProposalRefusedPayload implements DataOf<ProposalRefused> {
  @Id() hypothesisId!: string;
  @Words() reason!: string;
  @Ordinal() inARow!: number;
}

export class SecondaryMetricProposedPayload implements DataOf<SecondaryMetricProposed> {
  @Id() metricId!: string;
  @Id() hypothesisId!: string;
  @Text(200) name!: string;
}

export class CohortsServedPayload implements DataOf<CohortsServed> {
  @Texts(200) dimensions!: readonly string[];
  @Count() cells!: number;
  @Count() people!: number;
}

class ChartSumsPayload {
  @OneOf(CHARTS) chart!: ChartPolicy['kind'];
  @Finite() upper!: number;
  @Finite() lower!: number;
}

export class RestorePointTakenPayload implements DataOf<RestorePointTaken> {
  @Id() restorePointId!: string;
  @Id() mutationId!: string;
  @Oid() commit!: string;
  @Oid() tree!: string;
  @Id() trainingId!: string;
  @Finite() metric!: number;
  @NestedList(() => ChartSumsPayload) monitor!: readonly ChartSumsPayload[];
  @Whole() seed!: number;
  @Count() budgetRemaining!: number;
}

export class MutationCutOverPayload implements DataOf<MutationCutOver> {
  @Id() mutationId!: string;
  @Id() restorePointId!: string;
  @Oid() fromTree!: string;
  @Oid() toTree!: string;
  @OneOf(FILE_DOMAINS) domain!: FileDomain;
  /** Both went through the mandate's screen. */
  @Text(300) summary!: string;
  @Text(300) why!: string;
}

export class MutationRevertedPayload implements DataOf<MutationReverted> {
  @Id() mutationId!: string;
  @OneOf(REVERTED_FOR) reason!: MutationReverted['data']['reason'];
  @Oid() fromTree!: string;
  @Oid() toTree!: string;
  @Nullable() @Nested(() => KeepRulingPayload) ruling!: KeepRulingPayload | null;
}

class GroupCountsPayload implements GroupCounts {
  @Text(200) attribute!: string;
  @Text(300) group!: string;
  @Count() people!: number;
  @Count() favoured!: number;
  @Count() deserving!: number;
  @Count() deservingFavoured!: number;
}

/** The names of two groups. */
const Pair = () =>
  Fulfils(
    'pair',
    (pair) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((name) => typeof name === 'string' && name.length <= 300),
    'the names of two groups',
  );

class FairnessIntervalPayload implements FairnessInterval {
  @Finite() lower!: number;
  @Finite() upper!: number;
  @Pair() pair!: readonly [string, string];
  @Pair() limit!: readonly [string, string];
}

class FairnessMeasurePayload implements FairnessMeasure {
  @Text(200) attribute!: string;
  @OneOf(MEASURES) measure!: FairnessMeasure['measure'];
  @Nullable() @Finite() value!: number | null;
  @Nullable() @Finite(0) standardError!: number | null;
  @Nullable() @Nested(() => FairnessIntervalPayload) interval!: FairnessIntervalPayload | null;
  @Nullable() @Words() reason!: string | null;
  @Nullable() @Words() bound!: string | null;
  @Flag() passed!: boolean;
}

class FairnessReportPayload implements FairnessReport {
  @Finite(0) threshold!: number;
  @OneOf(SIDES) favourable!: FairnessReport['favourable'];
  @Text(60) label!: string;
  @OneOf(DECIDES) decide!: FairnessReport['decide'];
  @Finite(0) level!: number;
  @NestedList(() => GroupCountsPayload) groups!: readonly GroupCountsPayload[];
  @NestedList(() => FairnessMeasurePayload) measures!: readonly FairnessMeasurePayload[];
}

export class FairnessMeasuredPayload implements DataOf<FairnessMeasured> {
  @Id() mutationId!: string;
  @Id() trainingId!: string;
  @Nested(() => FairnessReportPayload) report!: FairnessReportPayload;
}

export class MutationKeptPayload implements DataOf<MutationKept> {
  @Id() mutationId!: string;
  @Oid() commit!: string;
  @Oid() tree!: string;
  @Id() trainingId!: string;
  @Finite() metric!: number;
  @Nested(() => KeepRulingPayload) ruling!: KeepRulingPayload;
}

export class RunRevertedPayload implements DataOf<RunReverted> {
  @Oid() fromTree!: string;
  @Oid() toTree!: string;
  @Oid() toCommit!: string;
  @Id() toTrainingId!: string;
  @Finite() toMetric!: number;
  @Nullable() @Id() mutationId!: string | null;
  @Ids() undone!: readonly string[];
  @Words() reason!: string;
}

export class LoopEndedPayload implements DataOf<LoopEnded> {
  @OneOf(ENDED_FOR) reason!: LoopEnded['data']['reason'];
  @Words() message!: string;
  @Oid() tree!: string;
  @Oid() commit!: string;
  @Count() spent!: number;
  @Count() total!: number;
  @Nullable() @HumanText() note!: PrivateText | null;
}

export class RunHeadSignedPayload implements DataOf<RunHeadSigned> {
  @Count() revision!: number;
  @Sha256() hash!: string;
  @Nested(() => SignaturePayload) signature!: SignaturePayload;
}

class FindingVerdictPayload {
  @Id() findingId!: string;
  @OneOf(VERDICTS) verdict!: 'PASS' | 'BLOCK';
}

export class RunClosedPayload implements DataOf<RunClosed> {
  @NestedList(() => FindingVerdictPayload) findings!: readonly FindingVerdictPayload[];
}

class FiredChartPayload {
  @OneOf(CHARTS) chart!: ChartPolicy['kind'];
  @Finite() sum!: number;
  @Finite() decisionInterval!: number;
}

export class DivergenceDetectedPayload implements DataOf<DivergenceDetected> {
  @Nullable() @Id() mutationId!: string | null;
  @NestedList(() => FiredChartPayload) fired!: readonly FiredChartPayload[];
}
