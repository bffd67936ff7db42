import { counted } from '#libs/kernel';
import { originOf } from '#libs/run';
import type { Signature } from '#libs/kernel';
import type { TrainingLaunched, WorkerEnlisted } from '#libs/run';
import { answersInTurn } from '../answers.ts';
import { trainingAttestation } from '../attestations.ts';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { followStanding } from '../standing.ts';

interface Result {
  readonly trainingId: string;
  readonly signature: Signature;
}

/** The raw bytes of a public key; null unless they are 32 in the one base64 form. */
const rawKey = (base64: string): Uint8Array | null => {
  try {
    const text = atob(base64);
    if (text.length !== 32 || btoa(text) !== base64) return null;
    return Uint8Array.from(text, (byte) => byte.charCodeAt(0));
  } catch {
    return null;
  }
};

/** Each result is its worker's word on the training that was launched, and there is one of it. */
export const trainingSignatures: RunCheck = {
  of: 'run',
  row: 'training-signatures',
  expected:
    'each launch is of the tree that stands or is on trial, with the seed that is its turn, and has one result, signed by the worker key that RunOpened pins or by one that WorkerEnlisted names right before its first result; each completed training is measured, as what it was launched for, and a metric is of a completed one',
  start: ({ opened, sha256, verifySignature }) => {
    const faults = collectFaults();
    const answers = answersInTurn();
    const launched = new Set<string>();
    let open: TrainingLaunched['data'] | null = null;
    let completed: TrainingLaunched['data'] | null = null;
    let trial: { readonly mutationId: string; readonly toTree: string } | null = null;
    const enlisted = new Map<string, string>();
    /** Enlisted, and has not signed yet. */
    let newcomer: WorkerEnlisted['data'] | null = null;
    let results = 0;
    let baselines = 0;
    /** Trainings of the mutation on trial, and of incumbents that were measured again. */
    let ofTrial = 0;
    let remeasurements = 0;
    const standing = followStanding();

    /** What a launch has to be of: the mutation, its tree, and a seed that is counted, so that none can be chosen. */
    const expectedOf = (
      purpose: TrainingLaunched['data']['purpose'],
    ): { readonly mutationId: string | null; readonly tree: string; readonly seed: number } => {
      const { seed, policy } = opened();
      switch (purpose) {
        case 'baseline':
          return { mutationId: null, tree: originOf(opened()).tree, seed: seed + baselines };
        case 'candidate':
        case 'replicate':
          return {
            mutationId: trial?.mutationId ?? 'one that was cut over',
            tree: trial?.toTree ?? 'that of a cutover',
            seed: seed + (purpose === 'candidate' ? 0 : ofTrial),
          };
        case 'remeasurement':
          return {
            mutationId: null,
            tree: standing.now()?.tree ?? 'that of a baseline',
            seed: seed + policy.replicates + remeasurements,
          };
      }
    };

    const unmeasured = (): void => {
      if (completed !== null) faults.add(`training ${completed.trainingId} was never measured`);
      completed = null;
    };

    const enlist = (worker: WorkerEnlisted['data']): void => {
      const { keyId, publicKey } = worker;
      const raw = rawKey(publicKey);
      if (raw === null) faults.add(`the worker ${keyId} is enlisted with what is no public key`);
      else faults.differ(`the id of the enlisted worker's key`, keyId, sha256(raw).slice(0, 16));
      if (enlisted.has(keyId) || keyId === opened().keys.worker.keyId)
        faults.add(`the worker ${keyId} was known when it was enlisted`);
      if (open === null) faults.add(`the worker ${keyId} is enlisted with no training under way`);
      if (newcomer !== null)
        faults.add(`the worker ${newcomer.keyId} is enlisted and signs nothing`);
      enlisted.set(keyId, publicKey);
      newcomer = worker;
    };

    const result = (data: Result): TrainingLaunched['data'] | null => {
      const launch = open;
      open = null;
      results += 1;
      if (launch?.trainingId !== data.trainingId) {
        faults.add(`a result of training ${data.trainingId}, which was not under way`);
        return null;
      }
      const { keyId } = data.signature;
      if (newcomer !== null)
        faults.differ(`the signer of ${data.trainingId}, enlisted for it`, keyId, newcomer.keyId);
      newcomer = null;
      const pinned = opened().keys.worker;
      // A pinned key can't be replaced by enlisting another one under its id.
      const key = keyId === pinned.keyId ? pinned.publicKey : enlisted.get(keyId);
      if (key === undefined)
        faults.add(
          `training ${data.trainingId} is signed by ${keyId}, which is neither pinned nor enlisted`,
        );
      else {
        const { trainingId, signature } = data;
        answers.ask(
          verifySignature(key, 'training', trainingAttestation(data), signature),
          (holds) => {
            if (!holds) faults.add(`the signature of training ${trainingId} does not hold`);
          },
        );
      }
      return launch;
    };

    return {
      run: {
        ...standing.run,
        MutationCutOver: (data) => {
          trial = data;
          ofTrial = 0;
        },
        TrainingLaunched: (data) => {
          const of = `training ${data.trainingId}`;
          if (open !== null) faults.add(`training ${open.trainingId} has no result`);
          if (launched.has(data.trainingId)) faults.add(`${of} was launched twice`);
          launched.add(data.trainingId);
          unmeasured();
          const expected = expectedOf(data.purpose);
          faults.differ(`${of}: mutation`, data.mutationId, expected.mutationId);
          faults.differ(`${of}: tree`, data.tree, expected.tree);
          faults.differ(`${of}: seconds`, data.seconds, opened().policy.training.seconds);
          faults.differ(`${of}: seed`, data.seed, expected.seed);
          if (data.purpose === 'baseline') baselines += 1;
          else if (data.purpose === 'remeasurement') remeasurements += 1;
          else ofTrial += 1;
          open = data;
        },
        WorkerEnlisted: enlist,
        TrainingCompleted: (data) => {
          completed = result(data);
        },
        TrainingFailed: (data) => {
          result(data);
        },
        TrainingTimedOut: (data) => {
          result(data);
        },
        MetricObserved: ({ trainingId, mutationId, purpose }) => {
          if (completed?.trainingId !== trainingId)
            faults.add(`a metric of training ${trainingId}, which is not the one just completed`);
          else {
            const of = `the metric of ${trainingId}`;
            faults.differ(`the mutation of ${of}`, mutationId, completed.mutationId);
            faults.differ(`the purpose of ${of}`, purpose, completed.purpose);
          }
          completed = null;
        },
        LoopEnded: () => {
          unmeasured();
          if (open !== null) faults.add(`training ${open.trainingId} has no result`);
          if (newcomer !== null)
            faults.add(`the worker ${newcomer.keyId} is enlisted and signs nothing`);
        },
      },
      settle: answers.settle,
      conclude: async () => {
        await answers.conclude();
        // Whom to enlist is the operator's word alone: the chain holds the key, not its admission.
        const others =
          enlisted.size === 0
            ? ''
            : `, or enlisted by the operator: ${[...enlisted.keys()].join(', ')}`;
        return faults.outcome(
          `${counted(results, 'result')} signed by the pinned key ${opened().keys.worker.keyId}${others}`,
        );
      },
    };
  },
};
