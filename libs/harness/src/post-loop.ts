import type { FairnessReport } from './observation.ts';
import type { Breach, GateCheck } from './policy.ts';

/**
 * The post-loop gate on a fairness report: a bounded measure that does not hold, or that is not measurable, is a
 * breach. A measure without a bound is shown and always holds.
 */
export const postLoopGate = (
  report: FairnessReport,
): { readonly checks: readonly GateCheck[]; readonly breaches: readonly Breach[] } => {
  const checks = report.measures.map(({ attribute, measure, value, reason, bound, passed }) => ({
    rule: `${measure}:${attribute}`,
    passed,
    found: value === null ? `not measurable: ${reason ?? 'no reason given'}` : value.toFixed(4),
    expected: bound ?? 'shown, no bound',
  }));
  return {
    checks,
    breaches: checks
      .filter(({ passed }) => !passed)
      .map(({ rule, found, expected }) => ({ rule, found, expected, file: null, line: null })),
  };
};
