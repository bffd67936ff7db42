import type { FairnessMeasure, FairnessReport } from './observation.ts';
import type { Breach, GateCheck } from './policy.ts';

const NOTHING_MEASURED: GateCheck = {
  rule: 'fairness',
  passed: false,
  found: 'no measure',
  expected: 'a report of the fairness measures',
};

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;

const against = ([lower, higher]: readonly [string, string]): string =>
  `${lower} against ${higher}`;

const foundIn = ({ value, reason, interval }: FairnessMeasure, level: number): string => {
  if (value === null) return `not measurable: ${reason ?? 'no reason given'}`;
  if (interval === null) return value.toFixed(4);
  const { lower, upper, pair, limit } = interval;
  const where =
    pair.join() === limit.join()
      ? against(pair)
      : `${against(pair)}; the interval's end by ${against(limit)}`;
  return `${value.toFixed(4)} (${percent(level)} interval ${lower.toFixed(4)} to ${upper.toFixed(4)}; ${where})`;
};

const askedOf = ({ measure, bound }: FairnessMeasure, report: FairnessReport): string => {
  if (bound === null) return 'shown, no bound';
  if (report.decide === 'estimate') return bound;
  const end = measure === 'disparate-impact' ? 'lower' : 'upper';
  return `${bound} at the ${end} end of the interval, for the shares of "${report.label}"`;
};

/** Not on the report's word alone: what has no number cannot hold a bound. */
const holds = ({ value, interval, bound, passed }: FairnessMeasure, report: FairnessReport) => {
  if (bound === null) return true;
  const numbers =
    report.decide === 'estimate' ? [value] : [value, interval?.lower, interval?.upper];
  return passed && numbers.every((number) => typeof number === 'number' && Number.isFinite(number));
};

/**
 * The post-loop gate on a fairness report: a bounded measure that does not hold, or that is not measurable, is a
 * breach. A measure without a bound is shown and always holds. A report of nothing is a breach.
 */
export const postLoopGate = (
  report: FairnessReport,
): { readonly checks: readonly GateCheck[]; readonly breaches: readonly Breach[] } => {
  const measured = report.measures.map((measure): GateCheck => ({
    rule: `${measure.measure}:${measure.attribute}`,
    passed: holds(measure, report),
    found: foundIn(measure, report.level),
    expected: askedOf(measure, report),
  }));
  const checks = measured.length > 0 ? measured : [NOTHING_MEASURED];
  return {
    checks,
    breaches: checks
      .filter(({ passed }) => !passed)
      .map(({ rule, found, expected }) => ({ rule, found, expected, file: null, line: null })),
  };
};
