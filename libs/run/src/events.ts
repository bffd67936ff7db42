import type { ArtefactRef, Fact, PrivateText, Signature } from '#libs/kernel';
import type { BudgetEvent } from '#libs/budget';
import type { ChartReading, DivergenceEvent, KeepRuling } from '#libs/divergence';
import type {
  Breach,
  CohortDimension,
  Domain,
  Estimate,
  FairnessReport,
  FileDomain,
  Gate,
  GateCheck,
  HarnessPolicy,
  Language,
  Observation,
} from '#libs/harness';

/** What a run stands on, each by digest. */
export interface Pins {
  /** The study's commit and the git tree of its program folder. */
  readonly commit: string;
  readonly tree: string;
  /** Path of the program folder in the study's repository. */
  readonly path: string;
  /** Holdfast's own commit of that tree in the bare repository: the first incumbent. */
  readonly pinCommit: string;
  /** Git tree of the source proof (raw commit and path trees). */
  readonly proof: string;
  /** SHA-256 of the policy's RFC 8785 form. */
  readonly policyDigest: string;
  /** SHA-256 of the data file. */
  readonly dataDigest: string;
  /** SHA-256 of the environment record's RFC 8785 form. */
  readonly environmentDigest: string;
  /** Commitment to the key that splits the rows. */
  readonly splitCommitment: string;
}

/** What the trainings run on; pinned by digest. */
export interface EnvironmentRecord {
  readonly holdfast: string;
  readonly runtime: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly platform: string;
  readonly architecture: string;
}

/** Who attests what: the public keys (base64 of the raw 32 bytes) that sign in this run. */
export interface RunKeys {
  readonly runner: { readonly keyId: string; readonly publicKey: string };
  readonly worker: { readonly keyId: string; readonly publicKey: string };
}

/** The state of an earlier run that a run was forked from. */
export interface ForkPoint {
  readonly runId: string;
  /** The kept mutation that the state stands after; null: the state that run started from. */
  readonly mutationId: string | null;
  readonly commit: string;
  readonly tree: string;
}

/** The first event of a run: what it stands on, under which policy, signed by whom. */
export type RunOpened = Fact<
  'RunOpened',
  {
    readonly runId: string;
    readonly studyId: string;
    /** The study's nth run, from 1. */
    readonly number: number;
    readonly pins: Pins;
    readonly policy: HarnessPolicy;
    readonly environment: EnvironmentRecord;
    readonly keys: RunKeys;
    /** Seeds the trainings and the search agent. */
    readonly seed: number;
    readonly governance: {
      /** Whether the agent is kept apart from the harness by a system user or a process that it can't reach. */
      readonly governed: boolean;
      readonly reason: string;
    };
    /** The base cohort table and the product of the dimensions, as given to every training; null if the vault refused. */
    readonly cohorts: CohortRelease | null;
    /** Null of a run that starts from its pinned source. */
    readonly forkedFrom: ForkPoint | null;
  }
>;

/**
 * What left the vault for a run, and every number that the log tells of its train rows beside the checks of the
 * pre-loop gate. The base table alone is the program's and the agent's.
 */
export interface CohortRelease {
  readonly tree: string;
  readonly table: ArtefactRef;
  readonly cells: ArtefactRef;
  readonly minimumCell: number;
  /** What cells are numbered by: the policy's dimensions, coarsened by the first so many of the policy's steps. */
  readonly dimensions: readonly CohortDimension[];
  readonly coarsened: number;
  /** Cells and people in the train rows, released and suppressed; null: withheld, since it would tell of a hidden cell. */
  readonly released: { readonly cells: number; readonly people: number };
  readonly suppressed: { readonly cells: number; readonly people: number } | null;
  /** People in each split; null: withheld likewise. */
  readonly people: {
    readonly train: number;
    readonly dev: number;
    readonly check: number;
    readonly sealed: number;
  } | null;
  /** Null where a run of version 1 was not audited. */
  readonly audit: DisclosureAudit | null;
}

/** An intruder was set on all that is released, and worked out nothing of a hidden cell. */
export interface DisclosureAudit {
  /** Whether the totals of the train rows are told. */
  readonly totals: 'told' | 'withheld';
  /** Cells hidden though no rule hides them; null where the number would say of a hidden cell which rule hides it. */
  readonly complementary: number | null;
  /** Kinds of hidden cells that he was set on. */
  readonly kinds: number;
}

/** A gate was passed, with each of its checks. */
export type GatePassed = Fact<
  'GatePassed',
  {
    readonly gate: Gate;
    readonly policyDigest: string;
    /** The mutation it was passed for; null at the pre-loop gate. */
    readonly mutationId: string | null;
    readonly checks: readonly GateCheck[];
  }
>;

/** A wall was hit: the run is over for good and yields no findings. */
export type RunHalted = Fact<
  'RunHalted',
  {
    /** Which wall was hit. */
    readonly by: Gate | 'mandate' | 'data-request' | 'baseline' | 'human';
    readonly reason: string;
    readonly breaches: readonly Breach[];
    readonly mutationId: string | null;
    /** `SYSTEM HALT: …`, as shown. */
    readonly message: string;
    /** Why a human halted it; null where a wall did. */
    readonly note: PrivateText | null;
  }
>;

/**
 * baseline: the unchanged program, once a seed. candidate: a mutation, with the run's seed. replicate: the same with
 * another seed of the baseline's, before it can be kept. remeasurement: the incumbent with a seed that none had.
 */
export type TrainingPurpose = 'baseline' | 'candidate' | 'replicate' | 'remeasurement';

/** A training is owed: the program of this tree, with this seed, for this long. */
export type TrainingLaunched = Fact<
  'TrainingLaunched',
  {
    readonly trainingId: string;
    readonly purpose: TrainingPurpose;
    readonly mutationId: string | null;
    readonly tree: string;
    readonly seed: number;
    readonly seconds: number;
  }
>;

/**
 * A worker other than the pinned one signs from here on: the key that the operator admitted. In the append of the
 * first result that it signed, so that the run's own stream holds every key that signed in it.
 */
export type WorkerEnlisted = Fact<
  'WorkerEnlisted',
  {
    /** SHA-256 of the raw public key, first 16 hex digits. */
    readonly keyId: string;
    /** Base64 of the raw 32 bytes. */
    readonly publicKey: string;
  }
>;

/** What isolation ran, as the sandbox reports it. */
export type IsolationRecord = Readonly<Record<string, string | number | boolean | null>>;

/** A training ended well: what it wrote, and what isolation ran. It carries no score. */
export type TrainingCompleted = Fact<
  'TrainingCompleted',
  {
    readonly trainingId: string;
    /** Training steps that the program says it took; a replay takes the same. */
    readonly steps: number;
    readonly durationMs: number;
    /** Git tree that holds the artefacts. */
    readonly artefacts: string;
    readonly predictions: ArtefactRef;
    readonly log: ArtefactRef;
    /** A metric that the program printed, if any: self-reported, never used. */
    readonly selfReported: number | null;
    readonly isolation: IsolationRecord;
    readonly signature: Signature;
  }
>;

export const TRAINING_FAILURES = [
  'crashed',
  'no-predictions',
  'invalid-predictions',
  'too-much-output',
  'memory-exceeded',
  /** No worker lived long enough to say how it ended; nothing of the program is known. */
  'worker-lost',
  /** An operator gave the training up. */
  'discarded',
] as const;
export type TrainingFailure = (typeof TRAINING_FAILURES)[number];

/** A training crashed or wrote nothing usable. No observation is made of it. */
export type TrainingFailed = Fact<
  'TrainingFailed',
  {
    readonly trainingId: string;
    readonly failure: TrainingFailure;
    /** What the harness saw, for people. */
    readonly detail: string;
    /** What the agent may know: the error's class and the place in its own files. */
    readonly errorClass: string | null;
    readonly errorFile: string | null;
    readonly errorLine: number | null;
    readonly durationMs: number;
    readonly artefacts: string;
    readonly log: ArtefactRef;
    readonly isolation: IsolationRecord;
    readonly signature: Signature;
    /** Why an operator gave it up; null of every other failure. His word: the signature is not over it. */
    readonly note: PrivateText | null;
  }
>;

/** A training was stopped by the wall clock. No observation is made of it. */
export type TrainingTimedOut = Fact<
  'TrainingTimedOut',
  {
    readonly trainingId: string;
    readonly seconds: number;
    readonly durationMs: number;
    readonly artefacts: string;
    readonly log: ArtefactRef;
    readonly isolation: IsolationRecord;
    readonly signature: Signature;
  }
>;

/** The evaluator's measurement of a training, and each chart's sums after it. */
export type MetricObserved = Fact<
  'MetricObserved',
  {
    readonly trainingId: string;
    /** What the training was for. */
    readonly purpose: TrainingPurpose;
    readonly mutationId: string | null;
    /** A replicate's difference is to the incumbent's training with the same seed. */
    readonly observation: Observation;
    /**
     * What a keep rests on, of a candidate and its replicates: the difference of the losses averaged over the seeds so
     * far to those of the incumbent, with a standard error that holds where the candidate is no better. Null otherwise,
     * and under version 1 of the policy.
     */
    readonly overSeeds: Estimate | null;
    /** Empty for a baseline and for a replicate. */
    readonly charts: readonly ChartReading[];
    /**
     * What the agent is told: the rounded score of the Ladder (Blum and Hardt 2015). Since version 2 of the policy it
     * moves with a keep only, not with an observation. Null for replicates and re-measurements, of which it is never
     * told.
     */
    readonly ladderScore: number | null;
  }
>;

/** The unchanged program was trained once a seed: the first incumbent. */
export type BaselineEstablished = Fact<
  'BaselineEstablished',
  {
    readonly tree: string;
    readonly commit: string;
    /** The first replicate's training, which candidates are paired with. */
    readonly trainingId: string;
    readonly replicates: number;
    readonly metric: number;
    readonly standardError: number;
    /** Standard deviation of the metric between seeds; 0 for a program that its seed doesn't move. */
    readonly seedDeviation: number;
  }
>;

/** An idea of the agent, paid in the same append. */
export type HypothesisProposed = Fact<
  'HypothesisProposed',
  {
    readonly hypothesisId: string;
    /** The iteration, from 1. */
    readonly number: number;
    readonly statement: string;
    /** Relative gain that it expects, e.g. 0.02. */
    readonly expectedEffect: number;
  }
>;

export interface ChangedFile {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted' | 'type-changed';
  readonly before: string | null;
  readonly after: string | null;
  /** What the mid-loop gate read it as; null under a policy of version 1, which read no languages. */
  readonly language: Language | null;
  /** What it was classified as; null where no domain owns what changed, and under a policy of version 1. */
  readonly domain: FileDomain | null;
}

/** A proposed edit, as the harness measured it: trees, files, domain. */
export type MutationProposed = Fact<
  'MutationProposed',
  {
    readonly mutationId: string;
    readonly hypothesisId: string;
    /** The nth mutation of the run, from 1: the name of its ref. */
    readonly number: number;
    readonly summary: string;
    readonly baseCommit: string;
    readonly baseTree: string;
    readonly proposedCommit: string;
    readonly proposedTree: string;
    readonly declaredDomain: FileDomain;
    /** The dearest domain that the diff touches; null where it touches something that no domain owns. */
    readonly measuredDomain: FileDomain | null;
    readonly files: readonly ChangedFile[];
  }
>;

/** An edit that did not apply: not charged, but too many in a row end the loop. */
export type ProposalRefused = Fact<
  'ProposalRefused',
  {
    readonly hypothesisId: string;
    readonly reason: string;
    /** Refusals in a row, this one counted. */
    readonly inARow: number;
  }
>;

/** A later request for data, answered from the base cohort table. */
export type CohortsServed = Fact<
  'CohortsServed',
  { readonly dimensions: readonly string[]; readonly cells: number; readonly people: number }
>;

/** A secondary metric, taken up: measured and shown from now on, never deciding. */
export type SecondaryMetricProposed = Fact<
  'SecondaryMetricProposed',
  { readonly metricId: string; readonly hypothesisId: string; readonly name: string }
>;

/** The state before a mutation: enough to rebuild it. Budget for audit only: it never rewinds. */
export type RestorePointTaken = Fact<
  'RestorePointTaken',
  {
    readonly restorePointId: string;
    readonly mutationId: string;
    readonly commit: string;
    readonly tree: string;
    /** The training whose predictions stand for this state. */
    readonly trainingId: string;
    readonly metric: number;
    readonly monitor: readonly {
      readonly chart: string;
      readonly upper: number;
      readonly lower: number;
    }[];
    readonly seed: number;
    readonly budgetRemaining: number;
  }
>;

/** The cutover-audit entry: the change is on trial from here on. */
export type MutationCutOver = Fact<
  'MutationCutOver',
  {
    readonly mutationId: string;
    readonly restorePointId: string;
    readonly fromTree: string;
    readonly toTree: string;
    readonly domain: FileDomain;
    /** What changed. */
    readonly summary: string;
    /** Why: the hypothesis. */
    readonly why: string;
  }
>;

/** The candidate was taken back; the incumbent stands. */
export type MutationReverted = Fact<
  'MutationReverted',
  {
    readonly mutationId: string;
    readonly reason: 'not-better-than-noise' | 'training-failed' | 'timed-out' | 'post-loop-gate';
    readonly fromTree: string;
    readonly toTree: string;
    readonly ruling: KeepRuling | null;
  }
>;

/** Fairness of a candidate that beats noise, from counts at the threshold of the policy. */
export type FairnessMeasured = Fact<
  'FairnessMeasured',
  { readonly mutationId: string; readonly trainingId: string; readonly report: FairnessReport }
>;

/** The candidate is the incumbent now, with the arithmetic of the ruling; its first training stands for it. */
export type MutationKept = Fact<
  'MutationKept',
  {
    readonly mutationId: string;
    readonly commit: string;
    readonly tree: string;
    readonly trainingId: string;
    readonly metric: number;
    readonly ruling: KeepRuling;
  }
>;

/** The automatic revert to the last stable state. */
export type RunReverted = Fact<
  'RunReverted',
  {
    readonly fromTree: string;
    readonly toTree: string;
    readonly toCommit: string;
    readonly toTrainingId: string;
    readonly toMetric: number;
    /** The candidate that was on trial; null where a re-measurement of the incumbent brought the revert. */
    readonly mutationId: string | null;
    /** Every mutation undone, in order, the candidate last where there is one. */
    readonly undone: readonly string[];
    readonly reason: string;
  }
>;

/** The loop is over: no more mutations. What stands is what findings are about. */
export type LoopEnded = Fact<
  'LoopEnded',
  {
    readonly reason: 'exhausted' | 'finished' | 'stopped' | 'refusals';
    readonly message: string;
    /** Why a human stopped it; null where nobody did. */
    readonly note: PrivateText | null;
    /** The line that stands. */
    readonly tree: string;
    readonly commit: string;
    readonly spent: number;
    readonly total: number;
  }
>;

/** The runner signed the head of the stream: the loop, and once more the whole run. */
export type RunHeadSigned = Fact<
  'RunHeadSigned',
  {
    /** The event that was the stream's head. */
    readonly revision: number;
    readonly hash: string;
    readonly signature: Signature;
  }
>;

/** Every finding has its verdict. */
export type RunClosed = Fact<
  'RunClosed',
  {
    readonly findings: readonly {
      readonly findingId: string;
      readonly verdict: 'PASS' | 'BLOCK';
    }[];
  }
>;

export type RunEvent =
  | RunOpened
  | GatePassed
  | RunHalted
  | TrainingLaunched
  | WorkerEnlisted
  | TrainingCompleted
  | TrainingFailed
  | TrainingTimedOut
  | MetricObserved
  | BaselineEstablished
  | HypothesisProposed
  | MutationProposed
  | ProposalRefused
  | SecondaryMetricProposed
  | CohortsServed
  | RestorePointTaken
  | MutationCutOver
  | MutationReverted
  | FairnessMeasured
  | MutationKept
  | RunReverted
  | LoopEnded
  | RunHeadSigned
  | RunClosed
  | BudgetEvent
  | DivergenceEvent;

export type { Domain };
