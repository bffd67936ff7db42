import { counted } from '#libs/kernel';
import type { RestorePointTaken } from '#libs/run';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { followStanding } from '../standing.ts';

/** Whoever wants the state before a mutation back finds it, taken before the mutation took effect. */
export const restorePoints: RunCheck = {
  of: 'run',
  row: 'restore-points',
  expected:
    'each mutation that was tried has one restore point of the state that stood before it, taken before its cutover',
  start: () => {
    const faults = collectFaults();
    const standing = followStanding();
    let latest: RestorePointTaken['data'] | null = null;
    let tried = 0;

    const decided = (mutationId: string): void => {
      if (latest?.mutationId !== mutationId) faults.add(`${mutationId} has no restore point`);
    };

    return {
      run: {
        BaselineEstablished: standing.run.BaselineEstablished,
        RestorePointTaken: (data) => {
          const { mutationId } = data;
          const before = standing.now();
          if (before === null) faults.add(`${mutationId}: no state stood yet`);
          if (latest?.mutationId === mutationId) faults.add(`${mutationId} has two restore points`);
          for (const field of ['tree', 'commit', 'trainingId', 'metric'] as const)
            faults.differ(
              `the restore point of ${mutationId}: ${field}`,
              data[field],
              before?.[field],
            );
          latest = data;
        },
        MutationCutOver: ({ mutationId }) => {
          tried += 1;
          if (latest?.mutationId !== mutationId)
            faults.add(`${mutationId} has no restore point before its cutover`);
        },
        MutationKept: (data, event) => {
          decided(data.mutationId);
          standing.run.MutationKept(data, event);
        },
        MutationReverted: ({ mutationId }) => {
          decided(mutationId);
        },
        RunReverted: (data, event) => {
          if (data.mutationId !== null) decided(data.mutationId);
          standing.run.RunReverted(data, event);
        },
      },
      conclude: () =>
        faults.outcome(`${counted(tried, 'mutation')} tried, each with its restore point`),
    };
  },
};
