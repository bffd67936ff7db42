import type { FairnessPolicy, HarnessPolicy } from './policy.ts';

/** Whether a policy bounds any measure of fairness: then each protected group has to be measurable. */
export const boundsFairness = ({
  disparateImpact,
  demographicParity,
  equalOpportunity,
  equalizedOdds,
}: FairnessPolicy): boolean =>
  [disparateImpact, demographicParity, equalOpportunity, equalizedOdds].some(
    (bound) => bound !== null,
  );

/**
 * The names of the rules that the pre-loop gate of a run of version 2 of the policy asks, each once, in the order in
 * which it asks them. A gate that left one out checked less than its policy demands.
 */
export const preLoopRules = ({
  data,
  charts,
  gates: { postLoop },
}: Pick<HarnessPolicy, 'data' | 'charts' | 'gates'>): readonly string[] => {
  const when = (asked: boolean, ...rules: readonly string[]) => (asked ? rules : []);
  return [
    ...['dimension-identifier', 'dimension-protected', 'dimension-outcome', 'dimension-names'],
    ...['dimension-labels', 'cell-count', 'intersections', 'protected-count', 'minimum-cell'],
    ...when(data.disclosure !== null, 'coarsening', 'magnitudes', 'minimum-outcome'),
    'split-shares',
    ...when(data.pii !== null, 'pii-schema'),
    'data',
    ...when(data.pii !== null, 'pii-values', 'free-text', 'unique-key'),
    ...['split-rows', 'split-outcomes', 'suppression'],
    ...when(data.disclosure !== null, 'disclosure'),
    'scorable-rows',
    ...when(
      charts.some(({ kind }) => kind === 'gap'),
      'gap-chart',
    ),
    ...when(boundsFairness(postLoop), 'measurable-groups'),
    'protected-groups',
    ...when(data.disclosure?.tables === 'one', 'one-table'),
  ];
};
