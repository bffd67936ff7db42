import type { SandboxLayer } from './sandbox-layers.ts';

/** The domains of a mutation. `metric` proposes a secondary metric and touches no file. */
export const FILE_DOMAINS = ['hyperparameter', 'feature', 'architecture'] as const;
export type FileDomain = (typeof FILE_DOMAINS)[number];
export type Domain = FileDomain | 'metric';
/** What a charge can be for. */
export type ChargeType = 'hypothesis' | Domain;

export type Costs = Readonly<Record<ChargeType, number>>;

/** A dimension as it is seen from outside of the vault. */
export interface CohortDimension {
  readonly name: string;
  readonly labels: readonly string[];
}

/** How a column becomes a cohort dimension. The labels are the only values that ever leave the vault. */
export type DimensionPolicy = {
  readonly name: string;
  readonly column: string;
} & (
  | {
      /** Numeric column cut at these points, ascending: below the first, …, from the last on. */
      readonly kind: 'bins';
      readonly cuts: readonly number[];
      readonly labels: readonly string[];
    }
  | {
      /** Each label stands for these values of the column. A row with any other value is refused at the gate. */
      readonly kind: 'groups';
      readonly labels: readonly string[];
      readonly values: readonly (readonly string[])[];
    }
);

/** When a row's outcome counts as positive. */
export interface OutcomePolicy {
  readonly name: string;
  readonly column: string;
  readonly positive: { readonly atLeast: number } | { readonly equals: string };
  /** What the two outcomes are called, where people read of them. */
  readonly labels: { readonly positive: string; readonly negative: string };
}

/** Labels of a dimension that become one label where the data are too thin for them. */
export interface CoarseningStep {
  readonly dimension: string;
  /** At least two labels of the dimension as the steps before this one left them. */
  readonly merge: readonly string[];
  /** The label that takes the place of the first of them. */
  readonly into: string;
}

/**
 * A column of numbers from 0 on whose sum is released for each cohort. A cohort that few people's numbers dominate is
 * hidden as a whole, for whoever knows his own number could work out another's. At least one of the rules is not null.
 */
export interface MagnitudePolicy {
  readonly name: string;
  readonly column: string;
  /** Decimals that are kept of each number, 0 to 6: sums are exact in that unit. */
  readonly decimals: number;
  /** The (n,k) rule: the `largest` numbers may be at most `percent` of the sum; null: not asked. */
  readonly dominance: { readonly largest: number; readonly percent: number } | null;
  /** The p% rule: all but the two largest must be at least so many per cent of the largest; null: not asked. */
  readonly priorPercent: number | null;
}

/** What a cohort that is not released may be told by, beside the minimum cell. */
export interface DisclosurePolicy {
  /** hidden: an empty cell looks like a small one; shown: it stands in the table with nobody. */
  readonly emptyCells: 'hidden' | 'shown';
  /** Fewest people with each outcome in a released cell; 0: a cell where everybody's outcome is the same is released. */
  readonly minimumOutcome: number;
  /**
   * The train rows' totals, which the hidden cells can be reckoned from. auto: told, or else withheld where they would
   * tell too much of a hidden cell; told: always, and further cells are hidden where they would.
   */
  readonly totals: 'auto' | 'told';
  /**
   * one: the same rows leave the vault by one table, for a second one by other dimensions could be subtracted from the
   * first. any: the study's human answers for what its tables tell together.
   */
  readonly tables: 'one' | 'any';
}

export const SPLITS = ['train', 'dev', 'check', 'sealed'] as const;
export type Split = (typeof SPLITS)[number];

/** What the vault takes for people's identifiers, and where the study's human says that it is wrong. */
export interface PiiPolicy {
  /** Columns that may be declared all the same, each with the reason that somebody answers for. */
  readonly allow: readonly { readonly column: string; readonly reason: string }[];
}

export interface DataPolicy {
  /** Path of the data file, relative to the study's folder; of `postgres` the table or view, with its schema. */
  readonly path: string;
  readonly format: 'csv' | 'parquet' | 'postgres';
  /** The column that identifies a row, or null: then a row is its place in the file, which the data digest pins. */
  readonly rowId: string | null;
  /** Columns that never leave the vault and can be no dimension. */
  readonly identifiers: readonly string[];
  readonly outcome: OutcomePolicy;
  readonly dimensions: readonly DimensionPolicy[];
  /** Taken in this order, as few as are needed for the pre-loop gate's bound on suppression. */
  readonly coarsen: readonly CoarseningStep[];
  readonly magnitudes: readonly MagnitudePolicy[];
  /** Dimensions that were planted in the data on purpose, so that they are called so wherever they show. */
  readonly planted: readonly string[];
  /** For evaluation only: the evaluator has them, the program does not. */
  readonly protected: readonly DimensionPolicy[];
  /** Shares of the rows in per cent, adding up to 100. */
  readonly split: Readonly<Record<Split, number>>;
  readonly minimumCell: number;
  /** Null where a run of version 1 had the minimum cell only: nothing was audited. */
  readonly disclosure: DisclosurePolicy | null;
  /** How columns and labels are screened for what identifies people; null: not at all, as in runs of version 1. */
  readonly pii: PiiPolicy | null;
}

/** What a training's sandbox must have at least. */
export interface SandboxPolicy {
  /** Fewer is a refusal; empty: whatever there is, which is what runs of version 1 asked for. */
  readonly minimum: readonly SandboxLayer[];
}

export interface TrainingPolicy {
  /** Wall clock of one training. */
  readonly seconds: number;
  readonly memoryMb: number;
  readonly outputMb: number;
  readonly processes: number;
}

/** A CUSUM chart (Page 1954). `allowance` is k, `decisionInterval` h, `reference` μ₀. */
export type ChartPolicy =
  | {
      /**
       * gain: relative gain over the incumbent; gap: change of check less dev score in standard errors. Both watch the
       * upper side.
       */
      readonly kind: 'gain' | 'gap';
      readonly reference: number;
      readonly allowance: number;
      readonly decisionInterval: number;
    }
  | {
      /** The metric of each candidate, two-sided. */
      readonly kind: 'value';
      /** A number in the metric's unit; or the baseline's replicates, and then k and h are in units of their noise. */
      readonly reference: number | 'baseline';
      readonly allowance: number;
      readonly decisionInterval: number;
    }
  | {
      /** Re-measurements of the incumbent in units of its own noise, two-sided, re-centred after a keep or a revert. */
      readonly kind: 'stability';
      readonly allowance: number;
      readonly decisionInterval: number;
      /** A re-measurement is owed after every so many decided mutations. */
      readonly every: number;
    };

export interface KeepPolicy {
  /** Bound on the chance that the whole run keeps any mutation that is no better than noise. */
  readonly falseKeeps: number;
  /**
   * Relative gain of the metric that the study wants caught: what power is told for. It decides no keep. Null where a
   * run of version 1 declared none.
   */
  readonly effect: number | null;
}

/** A ratio of two whole numbers, so that 4/5 is compared without rounding. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}

/** Protected attributes whose combinations are groups of their own. */
export interface IntersectionPolicy {
  /** Names of protected attributes, two or more, all different. */
  readonly of: readonly string[];
  /**
   * Null: each combination of their groups is a group. Else what the study made of them, each combination in one
   * group: how it says that combinations with too few people are measured together.
   */
  readonly groups: readonly MergedGroup[] | null;
}

export interface MergedGroup {
  readonly label: string;
  /** Labels of the attributes' groups, one for each attribute, in the order of `of`. */
  readonly combinations: readonly (readonly string[])[];
}

export interface FairnessPolicy {
  /** Predictions at or above this probability are decided as the positive outcome. */
  readonly threshold: number;
  /** Which decision is the good one for the person. */
  readonly favourable: 'positive' | 'negative';
  /** Fewest people in a group (and in a group's favourable outcome) for a rate to be measurable. */
  readonly minimumGroup: number;
  /**
   * What a bound is compared with: the unfavourable end of the measure's confidence interval, or its estimate. A bound
   * of the estimate passes half of the models that stand exactly at it.
   */
  readonly decide: 'interval' | 'estimate';
  /** Confidence level of the intervals, over all pairs of groups that a measure compares. */
  readonly level: number;
  /** Measured like protected attributes. */
  readonly intersections: readonly IntersectionPolicy[];
  /** Least ratio of the favourable rates (four-fifths: 4/5); null: measured and shown, no bound. */
  readonly disparateImpact: Ratio | null;
  /** Greatest difference of favourable rates; null: measured and shown, no bound. */
  readonly demographicParity: number | null;
  /** Greatest difference of true positive rates; null: measured and shown, no bound. */
  readonly equalOpportunity: number | null;
  /** Greatest difference of true or false positive rates; null: measured and shown, no bound. */
  readonly equalizedOdds: number | null;
}

/** One thing that the search agent may set: a key of a JSON file. */
export interface SearchKnob {
  readonly file: string;
  readonly key: string;
  /** one: the key's value is one of `values`. subset: it is a list drawn from them. */
  readonly choose: 'one' | 'subset';
  readonly values: readonly (string | number | boolean)[];
}

export interface SearchAgentPolicy {
  readonly kind: 'search';
  readonly knobs: readonly SearchKnob[];
}

/** The version of the rules that every new run is opened under. */
export const POLICY_VERSION = 2 as const;

/**
 * Everything that the agent cannot change, resolved from `holdfast.yaml`: plain data, pinned by its digest when
 * a run opens and written into `RunOpened`.
 */
export interface HarnessPolicy {
  /** The rules that the pure core judges by: 2 today; 1 for a run that was opened under those of version 1. */
  readonly version: 1 | 2;
  readonly study: {
    readonly id: string;
    readonly title: string;
    readonly question: string;
  };
  readonly program: {
    /** Folder of the training program, relative to the study's folder: the source tree. */
    readonly path: string;
    /** The file that is run, relative to the program's folder. */
    readonly entry: string;
    readonly runtime: 'node';
    /**
     * Files that the agent may edit, by domain, relative to the program's folder, and parts of files: `model.js#build`
     * is that declaration alone, `config.json#/rate` that value. All else is fixed.
     */
    readonly mutable: Readonly<Record<FileDomain, readonly string[]>>;
    /** Names that stand for protected parameters: an edit that sets one of them is a breach. */
    readonly protectedParameters: readonly string[];
  };
  readonly data: DataPolicy;
  readonly objective: { readonly metric: 'log-loss' };
  readonly budget: { readonly total: number; readonly costs: Costs };
  readonly training: TrainingPolicy;
  readonly sandbox: SandboxPolicy;
  /** Trainings by seed of the unchanged baseline and, since version 2, of each candidate before it is kept. */
  readonly replicates: number;
  readonly keep: KeepPolicy;
  readonly charts: readonly ChartPolicy[];
  readonly gates: {
    readonly preLoop: {
      /** Fewest people that each split must have. */
      readonly minimumRows: number;
      /** Fewest people in each protected group of the dev rows. */
      readonly minimumGroup: number;
      /** Greatest share (per cent) of the train rows that the minimum cell may suppress. */
      readonly maximumSuppression: number;
    };
    readonly midLoop: {
      readonly maximumFiles: number;
      readonly maximumFileBytes: number;
      /** Proposals in a row that don't apply before the loop ends. */
      readonly maximumRefusals: number;
    };
    readonly postLoop: FairnessPolicy;
  };
  readonly agent: SearchAgentPolicy;
  readonly governance: {
    /** The study's human accepts a run whose agent is not separated from the harness by a system user. */
    readonly acceptUngoverned: boolean;
  };
}

/** One check of a gate or of a verdict, with what was found and what was expected. */
export interface GateCheck {
  readonly rule: string;
  readonly passed: boolean;
  readonly found: string;
  readonly expected: string;
}

/** A broken rule, where it was broken. */
export interface Breach {
  readonly rule: string;
  readonly found: string;
  readonly expected: string;
  readonly file: string | null;
  readonly line: number | null;
}

export const GATES = ['pre-loop', 'mid-loop', 'post-loop'] as const;
export type Gate = (typeof GATES)[number];
