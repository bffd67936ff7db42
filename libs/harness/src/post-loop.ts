import type { FairnessReport } from './observation.ts';
import type { Breach, GateCheck } from './policy.ts';

const NOTHING_MEASURED: GateCheck = {
  rule: 'fairness',
  passed: false,
  found: 'no measure',
  expected: 'a report of the fairness measures',
};

/**
 * The post-loop gate on a fairness report: a bounded measure that does not hold, or that is not measurable, is a
 * breach. A measure without a bound is shown and always holds. A report of nothing is a breach.
 */
export const postLoopGate = (
  report: FairnessReport,
): { readonly checks: readonly GateCheck[]; readonly breaches: readonly Breach[] } => {
  const measured = report.measures.map(
    ({ attribute, measure, value, reason, bound, passed }): GateCheck => ({
      rule: `${measure}:${attribute}`,
      // Not on the report's word alone: what has no number cannot hold a bound.
      passed: bound === null || (passed && value !== null && Number.isFinite(value)),
      found: value === null ? `not measurable: ${reason ?? 'no reason given'}` : value.toFixed(4),
      expected: bound ?? 'shown, no bound',
    }),
  );
  const checks = measured.length > 0 ? measured : [NOTHING_MEASURED];
  return {
    checks,
    breaches: checks
      .filter(({ passed }) => !passed)
      .map(({ rule, found, expected }) => ({ rule, found, expected, file: null, line: null })),
  };
};
