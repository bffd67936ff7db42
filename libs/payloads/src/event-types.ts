import type { ErasureEvent } from '#libs/erasures';
import type { EventType } from '#libs/event-log';
import { FINDING_UPCASTERS, type FindingEvent } from '#libs/findings';
import { FLEET_UPCASTERS, type FleetEvent } from '#libs/fleet';
import type { LedgerReadEvent } from '#libs/ledger-reads';
import { NOTARY_UPCASTERS, type NotaryEvent } from '#libs/notary';
import { RUN_UPCASTERS, type RunEvent } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';
import * as budget from './budget.ts';
import * as erasures from './erasures.ts';
import * as findings from './findings.ts';
import * as fleet from './fleet.ts';
import * as ledgerReads from './ledger-reads.ts';
import * as notary from './notary.ts';
import * as run from './run.ts';
import * as studies from './studies.ts';

type KnownEvent =
  | RunEvent
  | FindingEvent
  | StudyEvent
  | DataEvent
  | FleetEvent
  | LedgerReadEvent
  | NotaryEvent
  | ErasureEvent;

/** One class for each type of event, and it says what that event's data says: else this does not compile. */
type Payloads = {
  readonly [Type in KnownEvent['type']]: new () => Extract<KnownEvent, { type: Type }>['data'];
};

const PAYLOADS: Payloads = {
  RunOpened: run.RunOpenedPayload,
  GatePassed: run.GatePassedPayload,
  RunHalted: run.RunHaltedPayload,
  TrainingLaunched: run.TrainingLaunchedPayload,
  WorkerEnlisted: run.WorkerEnlistedPayload,
  TrainingCompleted: run.TrainingCompletedPayload,
  TrainingFailed: run.TrainingFailedPayload,
  TrainingTimedOut: run.TrainingTimedOutPayload,
  MetricObserved: run.MetricObservedPayload,
  BaselineEstablished: run.BaselineEstablishedPayload,
  HypothesisProposed: run.HypothesisProposedPayload,
  MutationProposed: run.MutationProposedPayload,
  ProposalRefused: run.ProposalRefusedPayload,
  SecondaryMetricProposed: run.SecondaryMetricProposedPayload,
  CohortsServed: run.CohortsServedPayload,
  RestorePointTaken: run.RestorePointTakenPayload,
  MutationCutOver: run.MutationCutOverPayload,
  MutationReverted: run.MutationRevertedPayload,
  FairnessMeasured: run.FairnessMeasuredPayload,
  MutationKept: run.MutationKeptPayload,
  RunReverted: run.RunRevertedPayload,
  LoopEnded: run.LoopEndedPayload,
  RunHeadSigned: run.RunHeadSignedPayload,
  RunClosed: run.RunClosedPayload,
  BudgetCharged: budget.BudgetChargedPayload,
  BudgetExhausted: budget.BudgetExhaustedPayload,
  DivergenceDetected: run.DivergenceDetectedPayload,
  FindingProposed: findings.FindingProposedPayload,
  FindingVerified: findings.FindingVerifiedPayload,
  VerificationRequested: findings.VerificationRequestedPayload,
  FindingDiscarded: findings.FindingDiscardedPayload,
  AcceptedLineReverted: findings.AcceptedLineRevertedPayload,
  FindingReviewed: findings.FindingReviewedPayload,
  FindingAccepted: findings.FindingAcceptedPayload,
  FindingReplayed: findings.FindingReplayedPayload,
  StudyRegistered: studies.StudyRegisteredPayload,
  StudyPlaced: studies.StudyPlacedPayload,
  SplitCommitted: studies.SplitCommittedPayload,
  RunRequested: studies.RunRequestedPayload,
  RunCounted: studies.RunCountedPayload,
  RunRefused: studies.RunRefusedPayload,
  SealedRowsOpened: studies.SealedRowsOpenedPayload,
  SpendCounted: studies.SpendCountedPayload,
  SplitFixed: studies.SplitFixedPayload,
  TableFixed: studies.TableFixedPayload,
  LookCounted: studies.LookCountedPayload,
  LedgerRead: ledgerReads.LedgerReadPayload,
  WorkerAdmitted: fleet.WorkerAdmittedPayload,
  WorkerDismissed: fleet.WorkerDismissedPayload,
  NotaryOpened: notary.NotaryOpenedPayload,
  NotaryKeyRotated: notary.NotaryKeyRotatedPayload,
  CheckpointSigned: notary.CheckpointSignedPayload,
  CheckpointAnchored: notary.CheckpointAnchoredPayload,
  NotaryAlarmRaised: notary.NotaryAlarmRaisedPayload,
  NotaryAlarmSettled: notary.NotaryAlarmSettledPayload,
  TextErased: erasures.TextErasedPayload,
  PersonErased: erasures.PersonErasedPayload,
};

const UPCASTERS: Readonly<Record<string, EventType['upcasters']>> = {
  ...RUN_UPCASTERS,
  ...FINDING_UPCASTERS,
  ...FLEET_UPCASTERS,
  ...NOTARY_UPCASTERS,
};

/** Every type of event that Holdfast writes, for `eventTypes` of `#libs/event-log`. */
export const EVENT_TYPES: readonly EventType[] = Object.entries(PAYLOADS).map(([type, payload]) => {
  const upcasters = UPCASTERS[type] ?? [];
  return { type, version: upcasters.length + 1, payload, upcasters };
});

/** The version in which events of a type are written today. */
export const schemaVersionOf = (type: string): number => (UPCASTERS[type]?.length ?? 0) + 1;
