/** What may be written into the log: every event type with its newest version and the shape of its payload. */
import type { EventType } from '#libs/event-log';
import type { FindingEvent } from '#libs/findings';
import type { RunEvent } from '#libs/run';
import type { StudyEvent } from '#libs/studies';

/** Keyed by type, so that the compiler refuses a registry with an event missing. */
const TYPES: Readonly<
  Record<(RunEvent | FindingEvent | StudyEvent)['type'], Omit<EventType, 'type'>>
> = {
  RunOpened: { version: 1, payload: null, upcasters: [] },
  GatePassed: { version: 1, payload: null, upcasters: [] },
  RunHalted: { version: 1, payload: null, upcasters: [] },
  TrainingLaunched: { version: 1, payload: null, upcasters: [] },
  TrainingCompleted: { version: 1, payload: null, upcasters: [] },
  TrainingFailed: { version: 1, payload: null, upcasters: [] },
  TrainingTimedOut: { version: 1, payload: null, upcasters: [] },
  MetricObserved: { version: 1, payload: null, upcasters: [] },
  BaselineEstablished: { version: 1, payload: null, upcasters: [] },
  HypothesisProposed: { version: 1, payload: null, upcasters: [] },
  MutationProposed: { version: 1, payload: null, upcasters: [] },
  ProposalRefused: { version: 1, payload: null, upcasters: [] },
  SecondaryMetricProposed: { version: 1, payload: null, upcasters: [] },
  CohortsServed: { version: 1, payload: null, upcasters: [] },
  RestorePointTaken: { version: 1, payload: null, upcasters: [] },
  MutationCutOver: { version: 1, payload: null, upcasters: [] },
  MutationReverted: { version: 1, payload: null, upcasters: [] },
  FairnessMeasured: { version: 1, payload: null, upcasters: [] },
  MutationKept: { version: 1, payload: null, upcasters: [] },
  RunReverted: { version: 1, payload: null, upcasters: [] },
  LoopEnded: { version: 1, payload: null, upcasters: [] },
  RunHeadSigned: { version: 1, payload: null, upcasters: [] },
  RunClosed: { version: 1, payload: null, upcasters: [] },
  BudgetCharged: { version: 1, payload: null, upcasters: [] },
  BudgetExhausted: { version: 1, payload: null, upcasters: [] },
  DivergenceDetected: { version: 1, payload: null, upcasters: [] },
  FindingProposed: { version: 1, payload: null, upcasters: [] },
  FindingVerified: { version: 1, payload: null, upcasters: [] },
  FindingDiscarded: { version: 1, payload: null, upcasters: [] },
  AcceptedLineReverted: { version: 1, payload: null, upcasters: [] },
  FindingReviewed: { version: 1, payload: null, upcasters: [] },
  FindingAccepted: { version: 1, payload: null, upcasters: [] },
  StudyRegistered: { version: 1, payload: null, upcasters: [] },
  SplitCommitted: { version: 1, payload: null, upcasters: [] },
  RunCounted: { version: 1, payload: null, upcasters: [] },
  SealedRowsOpened: { version: 1, payload: null, upcasters: [] },
  SpendCounted: { version: 1, payload: null, upcasters: [] },
};

export const EVENT_TYPES: readonly EventType[] = Object.entries(TYPES).map(([type, entry]) => ({
  type,
  ...entry,
}));
