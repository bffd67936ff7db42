import type { ArtefactRef, Fact, PrivateText, Signature } from '#libs/kernel';
import type { EnvironmentRecord } from '#libs/run';

/**
 * The look at the sealed rows that a claim rests on, with all that its interval's width is computed from: anybody can
 * redo it.
 */
export interface Look {
  /** SHA-256 of the data whose sealed rows were opened. */
  readonly dataDigest: string;
  /** Which look of the study's it was, from 1, over all its runs. */
  readonly ofStudy: number;
  /** Which look at the sealed rows of these data, from 1, over all studies of the ledger. */
  readonly ofData: number;
  /** Runs that the study had counted by then, this one too. */
  readonly runs: number;
  /** Units that those of them had spent that had ended by then, this one too. */
  readonly spent: number;
  /** Claims that share the look. */
  readonly claims: number;
  /** The share of the joint error that the look may spend: 1 ÷ (n × (n + 1)), n being the greater of the two counts. */
  readonly share: number;
  /** How many standard errors the interval reaches to either side. */
  readonly multiplier: number;
}

/**
 * A cohort-level claim. There is no field for an individual, a prescription or a decision: the Human Mandate is
 * this type.
 */
export interface Claim {
  /** line: the program that stands against the baseline. step: one kept mutation against what stood before it. */
  readonly kind: 'line' | 'step';
  readonly cohort: { readonly description: string; readonly outcome: string };
  readonly statistic: 'log-loss-reduction';
  /** Improvement of the log-loss per person on the sealed rows; positive is better. */
  readonly estimate: number;
  readonly standardError: number;
  /**
   * Simultaneous: at this level all intervals hold together that the study ever claims, of all its looks. Where `look`
   * is null, those of this run alone (Bonferroni).
   */
  readonly interval: { readonly level: number; readonly lower: number; readonly upper: number };
  /** Improvement relative to the compared program's log-loss. */
  readonly relative: number;
  /** People that it rests on. */
  readonly n: number;
  /** What was changed, by the mutations' own summaries, in order. */
  readonly changes: readonly string[];
  /** Dimensions in use that were planted in the data on purpose. */
  readonly planted: readonly string[];
  /** Null of a claim under the rule of version 1, which corrected for the claims of one look only. */
  readonly look: Look | null;
}

/** Where the chain of a finding starts and ends. */
export interface FindingChain {
  readonly runId: string;
  readonly studyId: string;
  /** The signed head of the run's loop. */
  readonly runHead: { readonly revision: number; readonly hash: string };
  readonly sourceCommit: string;
  readonly sourceTree: string;
  /** The compared and the claimed program. */
  readonly fromTree: string;
  readonly toTree: string;
  /** Kept mutations from the source tree to `toTree`, in order. */
  readonly mutations: readonly string[];
}

/** A claim with its chain, scored once on the sealed rows. */
export type FindingProposed = Fact<
  'FindingProposed',
  {
    readonly findingId: string;
    readonly number: number;
    readonly statement: string;
    readonly claim: Claim;
    readonly chain: FindingChain;
    /** Which look at the study's sealed rows this rests on, from 1. */
    readonly sealedLook: number;
    /** The predictions that were scored. */
    readonly predictions: readonly ArtefactRef[];
  }
>;

export interface VerdictRow {
  readonly row: string;
  readonly passed: boolean;
  readonly found: string;
  readonly expected: string;
}

/** A verdict, every row of it. */
export type FindingVerified = Fact<
  'FindingVerified',
  {
    readonly findingId: string;
    readonly verdict: 'PASS' | 'BLOCK';
    readonly rows: readonly VerdictRow[];
    /** How far the verdict rests on the operator's word. */
    readonly trust: 'self-signed, unanchored';
    readonly signature: Signature;
  }
>;

/** Somebody asked for the finding to be verified again; the next `FindingVerified` answers. */
export type VerificationRequested = Fact<'VerificationRequested', { readonly findingId: string }>;

/** A BLOCK: the finding stands no more. */
export type FindingDiscarded = Fact<
  'FindingDiscarded',
  { readonly findingId: string; readonly reasons: readonly string[] }
>;

/** A BLOCK on an accepted finding: the accepted line goes back to the last verified state. */
export type AcceptedLineReverted = Fact<
  'AcceptedLineReverted',
  { readonly findingId: string; readonly fromTree: string; readonly toTree: string }
>;

/** A human accepted or rejected a finding, with a reason. */
export type FindingReviewed = Fact<
  'FindingReviewed',
  {
    readonly findingId: string;
    readonly decision: 'accepted' | 'rejected';
    readonly reason: PrivateText;
  }
>;

/** The accepted line moved to the tree of this finding. */
export type FindingAccepted = Fact<
  'FindingAccepted',
  { readonly findingId: string; readonly tree: string }
>;

/** How well a training could be done again. */
export type ReplayClass = 'bit-exact' | 'within-tolerance' | 'not-reproducible';

/** One thing that was done again, and what came of it. */
export interface ReplayRow {
  readonly row: 'environment' | 'predictions' | 'metric';
  /** `attested`: not checked here, the operator's word. */
  readonly outcome: 'same' | 'within-tolerance' | 'differs' | 'attested';
  readonly found: string;
  readonly expected: string;
}

/** A finding's program was trained again and its predictions compared. It changes nothing of where the finding stands. */
export type FindingReplayed = Fact<
  'FindingReplayed',
  {
    readonly findingId: string;
    /** The recorded training that was done again. */
    readonly trainingId: string;
    readonly tree: string;
    readonly steps: number;
    readonly class: ReplayClass;
    readonly rows: readonly ReplayRow[];
    /** What it was trained on this time. */
    readonly environment: EnvironmentRecord;
    /** SHA-256 of the predictions' file; found: null where the training gave none that can be read. */
    readonly predictions: { readonly found: string | null; readonly expected: string };
    readonly signature: Signature;
  }
>;

export type FindingEvent =
  | FindingProposed
  | FindingVerified
  | VerificationRequested
  | FindingDiscarded
  | AcceptedLineReverted
  | FindingReviewed
  | FindingAccepted
  | FindingReplayed;
