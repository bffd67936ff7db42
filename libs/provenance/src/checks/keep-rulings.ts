import { isKept, pairedKeepRule } from '#libs/divergence';
import type { KeepRuling } from '#libs/divergence';
import type { MetricObserved } from '#libs/run';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

const FIELDS = ['improvement', 'standardError', 'z', 'threshold', 'trials'] as const;

/** Sample standard deviation (n − 1); 0 for a single value. */
const deviation = (values: readonly number[]): number => {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
};

/** What was kept beat noise by the pinned rule, and what was dropped as noise did not. */
export const keepRulings: Check = {
  row: 'keep-rulings',
  expected:
    "each ruling recomputes from the mutation's own observation and the baseline's seeds under the pinned rule; what is kept exceeds its threshold, what is dropped as noise does not",
  start: ({ opened }) => {
    const faults = collectFaults();
    let replicates: MetricObserved['data'][] = [];
    let seedDeviation = 0;
    let observed: MetricObserved['data'] | null = null;
    let kept = 0;
    let dropped = 0;

    const compare = (mutationId: string, found: KeepRuling | null): KeepRuling | null => {
      const difference = observed?.observation.difference ?? null;
      if (observed?.mutationId !== mutationId || difference === null) {
        faults.add(`${mutationId} was ruled on without an observation of its own`);
        return null;
      }
      const ruling = pairedKeepRule(opened().policy, difference, seedDeviation);
      for (const field of FIELDS)
        faults.differ(`the ruling on ${mutationId}: ${field}`, found?.[field], ruling[field]);
      return ruling;
    };

    return {
      run: {
        MetricObserved: (data) => {
          if (data.mutationId === null) replicates.push(data);
          else observed = data;
        },
        BaselineEstablished: (data) => {
          const first = replicates[0];
          const values = replicates.map(({ observation }) => observation.metric.value);
          seedDeviation = deviation(values);
          const of = 'the baseline';
          faults.differ(`${of}: replicates`, data.replicates, replicates.length);
          faults.differ(
            `${of}: replicates that the policy asks for`,
            data.replicates,
            opened().policy.replicates,
          );
          faults.differ(`${of}: training`, data.trainingId, first?.trainingId);
          faults.differ(`${of}: metric`, data.metric, first?.observation.metric.value);
          faults.differ(
            `${of}: standard error`,
            data.standardError,
            first?.observation.metric.standardError,
          );
          faults.differ(`${of}: deviation between seeds`, data.seedDeviation, seedDeviation);
          replicates = [];
        },
        MutationKept: ({ mutationId, ruling, metric, trainingId }) => {
          kept += 1;
          const recomputed = compare(mutationId, ruling);
          faults.differ(`the metric of ${mutationId}`, metric, observed?.observation.metric.value);
          faults.differ(`the training of ${mutationId}`, trainingId, observed?.trainingId);
          if (recomputed !== null && !isKept(recomputed))
            faults.add(
              `${mutationId} was kept with z ${String(recomputed.z)}, expected above ${String(recomputed.threshold)}`,
            );
        },
        MutationReverted: ({ mutationId, reason, ruling }) => {
          if (reason !== 'not-better-than-noise') return;
          dropped += 1;
          const recomputed = compare(mutationId, ruling);
          if (recomputed !== null && isKept(recomputed))
            faults.add(
              `${mutationId} was dropped as noise with z ${String(recomputed.z)}, above ${String(recomputed.threshold)}`,
            );
        },
      },
      conclude: () => faults.outcome(`${String(kept)} kept, ${String(dropped)} dropped as noise`),
    };
  },
};
