import { FINDING_UPCASTERS, type FindingEvent } from '#libs/findings';
import type { HashedBody } from '#libs/kernel';
import { RUN_UPCASTERS, type RunEvent } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';

/** Which of a finding's four streams an event was read from; `data`: that of the data which its study is about. */
export type Source = 'run' | 'study' | 'finding' | 'data';

/** Every type of a stream: the compiler asks for all of them and takes no other. */
type Types<E extends { readonly type: string }> = Readonly<Record<E['type'], true>>;

const RUN: Types<RunEvent> = {
  RunOpened: true,
  GatePassed: true,
  RunHalted: true,
  CohortsServed: true,
  TrainingLaunched: true,
  WorkerEnlisted: true,
  TrainingCompleted: true,
  TrainingFailed: true,
  TrainingTimedOut: true,
  MetricObserved: true,
  BaselineEstablished: true,
  HypothesisProposed: true,
  MutationProposed: true,
  ProposalRefused: true,
  SecondaryMetricProposed: true,
  RestorePointTaken: true,
  MutationCutOver: true,
  MutationReverted: true,
  FairnessMeasured: true,
  MutationKept: true,
  RunReverted: true,
  LoopEnded: true,
  RunHeadSigned: true,
  RunClosed: true,
  BudgetCharged: true,
  BudgetExhausted: true,
  DivergenceDetected: true,
};

const STUDY: Types<StudyEvent> = {
  StudyRegistered: true,
  StudyPlaced: true,
  SplitCommitted: true,
  RunRequested: true,
  RunCounted: true,
  RunRefused: true,
  SealedRowsOpened: true,
  SpendCounted: true,
};

const FINDING: Types<FindingEvent> = {
  FindingProposed: true,
  FindingVerified: true,
  VerificationRequested: true,
  FindingDiscarded: true,
  AcceptedLineReverted: true,
  FindingReviewed: true,
  FindingAccepted: true,
  FindingReplayed: true,
};

const DATA: Types<DataEvent> = { SplitFixed: true, TableFixed: true, LookCounted: true };

const TYPES: Readonly<Record<Source, ReadonlySet<string>>> = {
  run: new Set(Object.keys(RUN)),
  study: new Set(Object.keys(STUDY)),
  data: new Set(Object.keys(DATA)),
  finding: new Set(Object.keys(FINDING)),
};

type Upcaster = (data: never) => unknown;

const UPCASTERS: Readonly<Record<string, readonly Upcaster[]>> = {
  ...RUN_UPCASTERS,
  ...FINDING_UPCASTERS,
};

const upcastersOf = (type: string): readonly Upcaster[] =>
  Object.hasOwn(UPCASTERS, type) ? (UPCASTERS[type] ?? []) : [];

/** The version in which events of a type are written today. */
export const newestVersion = (type: string): number => upcastersOf(type).length + 1;

/** An event's data in its newest version, or what keeps it from being read. */
export type ReadData = { readonly data: unknown } | { readonly problem: string };

export const readData = (
  source: Source,
  { type, data, metadata: { schemaVersion } }: HashedBody,
): ReadData => {
  if (!TYPES[source].has(type)) return { problem: `${type}, which is no event of a ${source}` };
  const upcasters = upcastersOf(type);
  const newest = upcasters.length + 1;
  if (schemaVersion === newest) return { data };
  // A stranger may write anything here, and not all of it has a text.
  const version = typeof schemaVersion === 'number' ? schemaVersion : NaN;
  if (!Number.isInteger(version) || version < 1 || version > newest)
    return {
      problem: `${type} version ${String(version)}, expected ${newest === 1 ? '1' : `1 to ${String(newest)}`}`,
    };
  try {
    const steps = upcasters.slice(schemaVersion - 1);
    return { data: steps.reduce<unknown>((older, upcast) => upcast(older as never), data) };
  } catch {
    return { problem: `${type}, which is not shaped as its version ${String(schemaVersion)} says` };
  }
};
