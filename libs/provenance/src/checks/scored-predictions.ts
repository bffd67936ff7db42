import type { ArtefactRef } from '#libs/kernel';
import type { TrainingCompleted } from '#libs/run';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** What was scored on the sealed rows are the predictions of the programs that are compared, and no others. */
export const scoredPredictions: Check = {
  of: 'finding',
  row: 'scored-predictions',
  expected:
    "the finding's predictions are those of the trainings behind the claimed and the compared program, the claimed one's among them",
  start: ({ finding }) => {
    const faults = collectFaults();
    const { fromTree, toTree } = finding.chain;
    let baselines: TrainingCompleted['data'][] = [];
    let completed: TrainingCompleted['data'] | null = null;
    /** The training that stands for the candidate, whatever other seeds it was trained with. */
    let candidate: TrainingCompleted['data'] | null = null;
    const stands = new Map<string, ArtefactRef>();

    const remember = (tree: string, result: TrainingCompleted['data'] | null | undefined): void => {
      if (result && (tree === fromTree || tree === toTree)) stands.set(tree, result.predictions);
    };
    const same = (a: ArtefactRef | undefined, b: ArtefactRef): boolean =>
      a?.oid === b.oid && a.sha256 === b.sha256 && a.bytes === b.bytes;

    return {
      run: {
        TrainingCompleted: (data) => {
          completed = data;
        },
        MetricObserved: ({ purpose }) => {
          if (purpose === 'baseline' && completed !== null) baselines.push(completed);
          if (purpose === 'candidate') candidate = completed;
        },
        BaselineEstablished: ({ tree, trainingId }) => {
          remember(
            tree,
            baselines.find((one) => one.trainingId === trainingId),
          );
          baselines = [];
        },
        MutationKept: ({ tree, trainingId }) => {
          if (candidate?.trainingId === trainingId) remember(tree, candidate);
        },
      },
      conclude: () => {
        const claimed = stands.get(toTree);
        if (claimed === undefined)
          faults.add(`no training stands behind the claimed program ${toTree}`);
        else if (!finding.predictions.some((ref) => same(claimed, ref)))
          faults.add(`the claimed program's predictions (${claimed.oid}) were not scored`);
        for (const ref of finding.predictions)
          if (![fromTree, toTree].some((tree) => same(stands.get(tree), ref)))
            faults.add(`the scored predictions ${ref.oid} are of neither program`);
        return faults.outcome(finding.predictions.map(({ oid }) => oid).join(', '));
      },
    };
  },
};
