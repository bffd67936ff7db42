import { isKept, keepRuling, owesSeed, seedsToKeep } from '#libs/divergence';
import type { KeepEvidence, KeepRuling } from '#libs/divergence';
import { counted } from '#libs/kernel';
import { deviation, evidenceOf } from '#libs/run';
import type { MetricObserved, MutationCutOver } from '#libs/run';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';

const FIELDS = [
  'improvement',
  'standardError',
  'z',
  'threshold',
  'trials',
  'level',
  'rowError',
  'seedError',
] as const;

/** Sums in another order differ in their last digits, and by no more. */
const ROUNDING = 1e-9;

/** What was kept beat noise by the pinned rule, and what was dropped as noise did not. */
export const keepRulings: RunCheck = {
  of: 'run',
  row: 'keep-rulings',
  expected:
    "each ruling recomputes from the mutation's own observations, one a seed, and the baseline's seeds under the pinned rule; what beats noise at its first look is trained with every seed before it is ruled on, and nothing else is; what is kept exceeds its threshold, what is dropped as noise does not",
  start: ({ opened }) => {
    const faults = collectFaults();
    let replicates: MetricObserved['data'][] = [];
    let seedDeviation = 0;
    let trial: MutationCutOver['data'] | null = null;
    /** The observations of the mutation on trial, one a seed. */
    let seeds: readonly MetricObserved['data'][] = [];
    let kept = 0;
    let dropped = 0;
    let trainedAgain = 0;

    const evidence = (): KeepEvidence | null => evidenceOf(seeds, seedDeviation);

    const owed = (): boolean => {
      const found = evidence();
      return trial !== null && found !== null && owesSeed(opened().policy, trial.domain, found);
    };

    const compare = (mutationId: string, found: KeepRuling | null): KeepRuling | null => {
      const known = evidence();
      if (trial?.mutationId !== mutationId || known === null) {
        faults.add(`${mutationId} was ruled on without an observation of its own`);
        return null;
      }
      if (owed())
        faults.add(
          `${mutationId} was ruled on after ${String(seeds.length)} of ${String(seedsToKeep(opened().policy))} seeds`,
        );
      const ruling = keepRuling(opened().policy, trial.domain, known);
      for (const field of FIELDS)
        faults.differ(`the ruling on ${mutationId}: ${field}`, found?.[field], ruling[field]);
      faults.differ(
        `the ruling on ${mutationId}: seeds`,
        JSON.stringify(found?.seeds),
        JSON.stringify(ruling.seeds),
      );
      return ruling;
    };

    /**
     * The difference over seeds is the mean of those of each seed. Of one seed its standard error is that of the
     * difference or greater, since it allows for what few rows show.
     */
    const compareOverSeeds = ({ mutationId, overSeeds }: MetricObserved['data']): void => {
      if (opened().policy.version === 1) return;
      const all = seeds.flatMap(({ observation }) => observation.difference ?? []);
      const of = `the difference of ${String(mutationId)} over ${String(all.length)} ${all.length === 1 ? 'seed' : 'seeds'}`;
      if (overSeeds === null || all.length < seeds.length) {
        faults.add(`${of} is nothing, expected one for each seed and one over all`);
        return;
      }
      const mean = all.reduce((sum, { value }) => sum + value, 0) / all.length;
      const error = all.reduce((sum, { standardError }) => sum + standardError, 0) / all.length;
      if (!(Math.abs(overSeeds.value - mean) <= ROUNDING * (Math.abs(mean) + error)))
        faults.differ(of, overSeeds.value, mean);
      if (all.length === 1 && !(overSeeds.standardError >= error * (1 - ROUNDING)))
        faults.add(
          `${of}: its standard error is ${String(overSeeds.standardError)}, expected at least ${String(error)}`,
        );
    };

    return {
      run: {
        MutationCutOver: (data) => {
          trial = data;
          seeds = [];
        },
        TrainingLaunched: ({ purpose, mutationId }) => {
          if (purpose !== 'replicate') return;
          trainedAgain += 1;
          if (!owed())
            faults.add(
              `${String(mutationId)} was trained with another seed, which its first look did not ask for`,
            );
        },
        MetricObserved: (data) => {
          switch (data.purpose) {
            case 'baseline':
              replicates.push(data);
              return;
            case 'candidate':
              seeds = [data];
              if (data.mutationId !== trial?.mutationId) trial = null;
              compareOverSeeds(data);
              return;
            case 'replicate':
              seeds = [...seeds, data];
              if (data.mutationId !== trial?.mutationId) trial = null;
              compareOverSeeds(data);
              return;
            case 'remeasurement':
          }
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
          const first = seeds[0];
          faults.differ(`the metric of ${mutationId}`, metric, first?.observation.metric.value);
          faults.differ(`the training of ${mutationId}`, trainingId, first?.trainingId);
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
      conclude: () =>
        faults.outcome(
          `${String(kept)} kept, ${String(dropped)} dropped as noise; ${counted(trainedAgain, 'training')} with other seeds before a ruling`,
        ),
    };
  },
};
