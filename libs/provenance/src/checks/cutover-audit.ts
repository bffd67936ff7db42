import { counted } from '#libs/kernel';
import type { MutationCutOver, MutationProposed } from '#libs/run';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** What changed, when, why and from which restore point is on record for whatever took effect. */
export const cutoverAudit: RunCheck = {
  of: 'run',
  row: 'cutover-audit',
  expected:
    'each mutation that was trained or decided has one cutover entry, with the trees and domain of its proposal, pointing to its restore point',
  start: () => {
    const faults = collectFaults();
    let proposal: MutationProposed['data'] | null = null;
    let restorePointId: string | null = null;
    let cutover: MutationCutOver['data'] | null = null;
    let entries = 0;

    const needed = (mutationId: string, what: string): void => {
      if (cutover?.mutationId !== mutationId)
        faults.add(`${mutationId} was ${what} without a cutover entry`);
    };

    return {
      run: {
        MutationProposed: (data) => {
          proposal = data;
        },
        RestorePointTaken: (data) => {
          restorePointId = data.restorePointId;
        },
        MutationCutOver: (data) => {
          const of = `the cutover entry of ${data.mutationId}`;
          entries += 1;
          if (cutover?.mutationId === data.mutationId)
            faults.add(`${data.mutationId} is cut over twice`);
          faults.differ(`${of}: mutation`, data.mutationId, proposal?.mutationId);
          faults.differ(`${of}: from tree`, data.fromTree, proposal?.baseTree);
          faults.differ(`${of}: to tree`, data.toTree, proposal?.proposedTree);
          faults.differ(`${of}: domain`, data.domain, proposal?.measuredDomain);
          faults.differ(`${of}: what changed`, data.summary, proposal?.summary);
          faults.differ(`${of}: restore point`, data.restorePointId, restorePointId);
          if (data.why === '') faults.add(`${of} says no reason`);
          cutover = data;
        },
        TrainingLaunched: ({ mutationId }) => {
          if (mutationId !== null) needed(mutationId, 'trained');
        },
        MutationKept: ({ mutationId }) => {
          needed(mutationId, 'kept');
        },
        MutationReverted: ({ mutationId }) => {
          needed(mutationId, 'reverted');
        },
        RunReverted: ({ mutationId }) => {
          if (mutationId !== null) needed(mutationId, 'undone');
        },
      },
      conclude: () => faults.outcome(counted(entries, 'cutover')),
    };
  },
};
