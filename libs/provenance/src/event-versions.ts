import type { FindingEvent } from '#libs/findings';
import type { HashedBody } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import type { StudyEvent } from '#libs/studies';
import type { Source } from './check.ts';

type Versions<E extends { readonly type: string }> = Readonly<Record<E['type'], number>>;

const RUN: Versions<RunEvent> = {
  RunOpened: 1,
  GatePassed: 1,
  RunHalted: 1,
  CohortsServed: 1,
  TrainingLaunched: 1,
  WorkerEnlisted: 1,
  TrainingCompleted: 1,
  TrainingFailed: 1,
  TrainingTimedOut: 1,
  MetricObserved: 1,
  BaselineEstablished: 1,
  HypothesisProposed: 1,
  MutationProposed: 1,
  ProposalRefused: 1,
  SecondaryMetricProposed: 1,
  RestorePointTaken: 1,
  MutationCutOver: 1,
  MutationReverted: 1,
  FairnessMeasured: 1,
  MutationKept: 1,
  RunReverted: 1,
  LoopEnded: 1,
  RunHeadSigned: 1,
  RunClosed: 1,
  BudgetCharged: 1,
  BudgetExhausted: 1,
  DivergenceDetected: 1,
};

const STUDY: Versions<StudyEvent> = {
  StudyRegistered: 1,
  StudyPlaced: 1,
  SplitCommitted: 1,
  RunRequested: 1,
  RunCounted: 1,
  RunRefused: 1,
  SealedRowsOpened: 1,
  SpendCounted: 1,
};

const FINDING: Versions<FindingEvent> = {
  FindingProposed: 1,
  FindingVerified: 1,
  VerificationRequested: 1,
  FindingDiscarded: 1,
  AcceptedLineReverted: 1,
  FindingReviewed: 1,
  FindingAccepted: 1,
};

const VERSIONS: Readonly<Record<Source, ReadonlyMap<string, number>>> = {
  run: new Map(Object.entries(RUN)),
  study: new Map(Object.entries(STUDY)),
  finding: new Map(Object.entries(FINDING)),
};

/** What keeps an event of this stream from being read; null where nothing does. */
export const versionProblem = (source: Source, body: HashedBody): string | null => {
  const version = VERSIONS[source].get(body.type);
  if (version === undefined) return `${body.type}, which is no event of a ${source}`;
  return body.metadata.schemaVersion === version
    ? null
    : `${body.type} version ${String(body.metadata.schemaVersion)}, expected ${String(version)}`;
};
