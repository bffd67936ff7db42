import type { Signature } from '#libs/kernel';
import type { TrainingLaunched } from '#libs/run';
import { trainingAttestation } from '../attestations.ts';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

interface Result {
  readonly trainingId: string;
  readonly signature: Signature;
}

/** Each result is its worker's word on the training that was launched, and there is one of it. */
export const trainingSignatures: Check = {
  row: 'training-signatures',
  expected:
    'each launch is of the tree that stands or is on trial, with the seed that is its turn, and has one result, signed by the worker key that RunOpened pins; a metric is of a completed training',
  start: ({ opened, verifySignature }) => {
    const faults = collectFaults();
    const launched = new Set<string>();
    let open: TrainingLaunched['data'] | null = null;
    let completed: TrainingLaunched['data'] | null = null;
    let trial: { readonly mutationId: string; readonly toTree: string } | null = null;
    let results = 0;
    let baselines = 0;

    const result = (data: Result): TrainingLaunched['data'] | null => {
      const launch = open;
      open = null;
      results += 1;
      if (launch?.trainingId !== data.trainingId) {
        faults.add(`a result of training ${data.trainingId}, which was not under way`);
        return null;
      }
      const key = opened().keys.worker.publicKey;
      if (!verifySignature(key, 'training', trainingAttestation(data), data.signature))
        faults.add(`the signature of training ${data.trainingId} does not hold`);
      return launch;
    };

    return {
      run: {
        MutationCutOver: (data) => {
          trial = data;
        },
        TrainingLaunched: (data) => {
          const of = `training ${data.trainingId}`;
          if (open !== null) faults.add(`training ${open.trainingId} has no result`);
          if (launched.has(data.trainingId)) faults.add(`${of} was launched twice`);
          launched.add(data.trainingId);
          const candidate = data.purpose === 'candidate';
          faults.differ(`${of}: mutation`, data.mutationId, candidate ? trial?.mutationId : null);
          faults.differ(`${of}: tree`, data.tree, candidate ? trial?.toTree : opened().pins.tree);
          faults.differ(`${of}: seconds`, data.seconds, opened().policy.training.seconds);
          faults.differ(`${of}: seed`, data.seed, opened().seed + (candidate ? 0 : baselines));
          if (!candidate) baselines += 1;
          open = data;
          completed = null;
        },
        TrainingCompleted: (data) => {
          completed = result(data);
        },
        TrainingFailed: (data) => {
          result(data);
        },
        TrainingTimedOut: (data) => {
          result(data);
        },
        MetricObserved: ({ trainingId, mutationId }) => {
          if (completed?.trainingId !== trainingId)
            faults.add(`a metric of training ${trainingId}, which is not the one just completed`);
          else
            faults.differ(
              `the mutation of the metric of ${trainingId}`,
              mutationId,
              completed.mutationId,
            );
          completed = null;
        },
        LoopEnded: () => {
          if (open !== null) faults.add(`training ${open.trainingId} has no result`);
        },
      },
      conclude: () =>
        faults.outcome(`${String(results)} results signed by ${opened().keys.worker.keyId}`),
    };
  },
};
