import type {
  Breach,
  Estimate,
  FairnessReport,
  FileChange,
  FileDomain,
  GateCheck,
  Observation,
} from '#libs/harness';
import type { PrivateText, Signature } from '#libs/kernel';
import type {
  RunClosed,
  RunOpened,
  TrainingCompleted,
  TrainingFailed,
  TrainingTimedOut,
  WorkerEnlisted,
} from './events.ts';

/** A command: its id derives from what caused it, and the ids that its events carry derive from it. */
interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

export type OpenRun = Command<
  'OpenRun',
  { readonly opened: RunOpened['data']; readonly checks: readonly GateCheck[] }
>;
export type LaunchBaseline = Command<'LaunchBaseline', Record<never, never>>;
/** What a worker brings back: the data of the event that records it, less nothing. */
export type TrainingResult =
  | { readonly type: 'TrainingCompleted'; readonly data: TrainingCompleted['data'] }
  | { readonly type: 'TrainingFailed'; readonly data: TrainingFailed['data'] }
  | { readonly type: 'TrainingTimedOut'; readonly data: TrainingTimedOut['data'] };
export type RecordTraining = Command<
  'RecordTraining',
  {
    readonly result: TrainingResult;
    /** The admitted worker that signed the result; null: the one that the run pinned, or one enlisted already. */
    readonly worker: WorkerEnlisted['data'] | null;
  }
>;
export type ObserveMetric = Command<
  'ObserveMetric',
  {
    readonly trainingId: string;
    readonly observation: Observation;
    /** Of a candidate or a replicate: the difference over the candidate's seeds so far; null otherwise. */
    readonly overSeeds: Estimate | null;
  }
>;
export type ProposeHypothesis = Command<
  'ProposeHypothesis',
  { readonly statement: string; readonly expectedEffect: number }
>;
export type ProposeMutation = Command<
  'ProposeMutation',
  {
    readonly summary: string;
    readonly declaredDomain: FileDomain;
    /** The tree that the edit was made of: the incumbent's, or the proposal is of another state than the run's. */
    readonly baseTree: string;
    readonly commit: string;
    readonly tree: string;
    /** The diff of the base tree and the proposed one, measured by the edge. */
    readonly changes: readonly FileChange[];
  }
>;
/** An edit that does not apply: nothing to gate, nothing to charge. */
export type RefuseProposal = Command<'RefuseProposal', { readonly reason: string }>;
export type ProposeSecondaryMetric = Command<
  'ProposeSecondaryMetric',
  { readonly name: string; readonly available: readonly string[] }
>;
export type RequestData = Command<
  'RequestData',
  {
    readonly dimensions: readonly string[];
    readonly breaches: readonly Breach[];
    readonly cells: number;
    readonly people: number;
  }
>;
export type CutOver = Command<'CutOver', { readonly mutationId: string }>;
export type Judge = Command<
  'Judge',
  { readonly mutationId: string; readonly fairness: FairnessReport | null }
>;
export type FinishLoop = Command<'FinishLoop', { readonly reason: string }>;
/** What people give for a reason is screened and sealed by the edge. */
export type StopLoop = Command<'StopLoop', { readonly reason: PrivateText }>;
export type HaltRun = Command<'HaltRun', { readonly reason: PrivateText }>;
export type SignRunHead = Command<
  'SignRunHead',
  { readonly revision: number; readonly hash: string; readonly signature: Signature }
>;
export type CloseRun = Command<'CloseRun', RunClosed['data']>;

/**
 * All that an agent can send. No field of it holds a person, a prescription or a decision: texts are screened, trees are
 * gated, and what becomes of a proposal is not in it.
 */
export type AgentCommand =
  | ProposeHypothesis
  | ProposeMutation
  | RefuseProposal
  | ProposeSecondaryMetric
  | RequestData
  | FinishLoop;

export type RunCommand =
  | OpenRun
  | LaunchBaseline
  | RecordTraining
  | ObserveMetric
  | ProposeHypothesis
  | ProposeMutation
  | RefuseProposal
  | ProposeSecondaryMetric
  | RequestData
  | CutOver
  | Judge
  | FinishLoop
  | StopLoop
  | HaltRun
  | SignRunHead
  | CloseRun;
