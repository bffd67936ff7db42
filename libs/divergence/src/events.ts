import type { Fact } from '#libs/kernel';
import type { ChartPolicy } from '#libs/harness';

/** A chart after one observation. */
export interface ChartReading {
  readonly chart: ChartPolicy['kind'];
  /** What was charted. */
  readonly x: number;
  /** S_upper and S_lower after it (Page 1954), before any reset. */
  readonly upper: number;
  readonly lower: number;
  /** S > h, strictly, on either side. */
  readonly fired: boolean;
}

/** A chart fired; the revert to the last stable state follows in the same append. */
export type DivergenceDetected = Fact<
  'DivergenceDetected',
  {
    /** The candidate that was on trial; null where a re-measurement of the incumbent made it fire. */
    readonly mutationId: string | null;
    /** The charts that fired, each with its sum and its decision interval. */
    readonly fired: readonly {
      readonly chart: ChartPolicy['kind'];
      readonly sum: number;
      readonly decisionInterval: number;
    }[];
  }
>;

export type DivergenceEvent = DivergenceDetected;
