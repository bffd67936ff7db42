import type { Costs, Domain, FileDomain } from '#libs/harness';

/** Mutable files by path (relative to the program's folder), with their whole text. */
export type ProgramFiles = Readonly<Record<string, string>>;

/**
 * All that an agent may see; the harness builds it. There is no field for monitor sums, chart names, check or
 * sealed scores or standard errors: a revert tells the agent one bit, and the score is the rounded one of the
 * Ladder (Blum and Hardt 2015), which changes only with a clear best.
 */
export interface AgentView {
  readonly runId: string;
  /** Seeds an agent that draws at random. */
  readonly seed: number;
  readonly brief: StudyBrief;
  readonly budget: { readonly total: number; readonly remaining: number };
  /** The incumbent's mutable files. */
  readonly files: ProgramFiles;
  /** The base cohort table: grouped counts of the train rows as CSV, nothing below the minimum cell. */
  readonly cohorts: string;
  /** Lower is better; null before the baseline is established. */
  readonly score: number | null;
  /** This run's own attempts, oldest first. */
  readonly attempts: readonly AttemptView[];
}

/** What the study's human set up, as far as the agent needs it. */
export interface StudyBrief {
  readonly title: string;
  readonly question: string;
  readonly outcome: string;
  readonly dimensions: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** Files, and parts of files (`model.js#build`, `config.json#/rate`), by the domain that prices them. */
  readonly mutable: Readonly<Record<FileDomain, readonly string[]>>;
  readonly costs: Costs;
  /** The program's file that is run; it can be read about here, never edited. */
  readonly entry: string;
}

export const ATTEMPT_OUTCOMES = [
  'kept',
  'discarded',
  'reverted',
  'crashed',
  'timed-out',
  'refused',
  'pending',
] as const;
/**
 * `discarded`: not better than noise. `reverted`: undone by a revert of the run, whether it was on trial or had
 * been kept before. `refused`: did not apply, or was not paid for. `pending`: not decided yet.
 */
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One iteration, as the agent that proposed it may know it. */
export interface AttemptView {
  /** The iteration, from 1. */
  readonly number: number;
  readonly hypothesis: string;
  /** The domain that the harness measured; null before a mutation was proposed. */
  readonly domain: Domain | null;
  /** The mutable files that the attempt started from. */
  readonly base: ProgramFiles;
  /** The mutable files that it proposed; null where it got no further than the hypothesis, or named a metric. */
  readonly proposed: ProgramFiles | null;
  readonly outcome: AttemptOutcome;
  /** Of a training that crashed: the error's class and the place in the agent's own files. */
  readonly error: {
    readonly errorClass: string | null;
    readonly file: string | null;
    readonly line: number | null;
  } | null;
  /** The score as it was told after the attempt; null where nothing was scored, or a revert was the answer. */
  readonly score: number | null;
}

export interface Hypothesis {
  /** A sentence about cohorts: no individual, no prescription. */
  readonly statement: string;
  /** Relative gain that it expects, e.g. 0.02 for 2 % less log-loss. */
  readonly expectedEffect: number;
}

export type HypothesisProposal =
  | ({ readonly kind: 'hypothesis' } & Hypothesis)
  /** The agent has nothing left to try. */
  | { readonly kind: 'finished'; readonly reason: string };

/** A file's whole new text. */
export interface FileEdit {
  readonly path: string;
  readonly content: string;
}

export type MutationProposal =
  | {
      readonly kind: 'edit';
      /** As the agent declares it; what it costs, the harness decides from the diff. */
      readonly domain: FileDomain;
      readonly summary: string;
      readonly edits: readonly FileEdit[];
    }
  /** A secondary metric: measured and shown from now on, never deciding a keep. */
  | { readonly kind: 'metric'; readonly summary: string; readonly metric: string };

/**
 * Proposes; never decides. A promise that rejects is broken infrastructure (a provider that can't be reached),
 * not an answer.
 */
export interface Agent {
  proposeHypothesis(view: AgentView): Promise<HypothesisProposal>;
  /** The mutation that tests `hypothesis`, which this agent proposed of the same attempts. */
  proposeMutation(view: AgentView, hypothesis: Hypothesis): Promise<MutationProposal>;
}
