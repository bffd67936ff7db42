import type { FairnessPolicy } from './policy.ts';

/** A number with its uncertainty. */
export interface Estimate {
  readonly name: string;
  readonly value: number;
  /** Standard error, in the unit of `value`. */
  readonly standardError: number;
  /** People that it rests on. */
  readonly n: number;
}

/** What the evaluator measures of one set of predictions, from rows that the program never saw. */
export interface Observation {
  /** Binomial log-loss per person (natural logarithm) on the dev rows; lower is better. */
  readonly metric: Estimate;
  /** Area under the ROC curve on the dev rows; null where one class is missing. */
  readonly auc: Estimate | null;
  /** The secondary metrics that the run has taken up: shown, never deciding. */
  readonly secondary: readonly Estimate[];
  /** Log-loss less the incumbent's on the same dev cells, with its paired standard error; negative is better. Null for a baseline. */
  readonly difference: Estimate | null;
  /** The same metric on the check rows; null where there are too few. */
  readonly check: Estimate | null;
  /**
   * (check − dev) log-loss of this less that of the incumbent, same cells, with its standard error: positive when
   * the step helps more on dev than on check. Null for a baseline or without check rows.
   */
  readonly gapChange: Estimate | null;
  /** Dev cells scored, and left out because they are below the minimum. */
  readonly cells: { readonly scored: number; readonly suppressed: number };
}

/** One protected group's counts at the policy's threshold, on the dev rows. */
export interface GroupCounts {
  readonly attribute: string;
  readonly group: string;
  readonly people: number;
  /** People decided favourably. */
  readonly favoured: number;
  /** People whose true outcome is the favourable one, and those of them decided favourably. */
  readonly deserving: number;
  readonly deservingFavoured: number;
}

/** A fairness measure over the groups of one attribute, the worst pair of groups counting. */
export interface FairnessMeasure {
  readonly attribute: string;
  readonly measure:
    'demographic-parity' | 'disparate-impact' | 'equal-opportunity' | 'equalized-odds';
  /** Null: not measurable, with the reason. */
  readonly value: number | null;
  readonly standardError: number | null;
  /**
   * What the measure may be in truth, at the report's level and over all pairs of groups at once. Null where there is no
   * value, and in a report of the first version.
   */
  readonly interval: FairnessInterval | null;
  readonly reason: string | null;
  /** What the policy asks for, as text; null: shown, no bound. */
  readonly bound: string | null;
  /** A bound that holds. "Not measurable" under a bound is false; without a bound always true. */
  readonly passed: boolean;
}

export interface FairnessInterval {
  readonly lower: number;
  readonly upper: number;
  /** The two groups that `value` compares, the one with the lower rate first. */
  readonly pair: readonly [string, string];
  /** The two that the unfavourable end comes from: often a small group, of which little is known. */
  readonly limit: readonly [string, string];
}

export interface FairnessReport {
  readonly threshold: number;
  readonly favourable: 'positive' | 'negative';
  /** What the favourable outcome is called. */
  readonly label: string;
  /** What bounds were compared with. */
  readonly decide: FairnessPolicy['decide'];
  /** Confidence level of the intervals. */
  readonly level: number;
  readonly groups: readonly GroupCounts[];
  readonly measures: readonly FairnessMeasure[];
}

/** A report as it was recorded in version 1: bounds were compared with estimates. */
export interface FairnessReportOfVersion1 extends Pick<
  FairnessReport,
  'threshold' | 'favourable' | 'groups'
> {
  readonly measures: readonly Omit<FairnessMeasure, 'interval'>[];
}

/** A report of version 1 in today's shape; nothing that it did not say is made up. */
export const upgradeFairnessReport = (report: FairnessReportOfVersion1): FairnessReport => ({
  ...report,
  label: report.favourable,
  decide: 'estimate',
  level: 0.95,
  measures: report.measures.map((measure) => ({ ...measure, interval: null })),
});
