import { counted } from '#libs/kernel';
import { keptUndone, originOf } from '#libs/run';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

interface Kept {
  readonly mutationId: string;
  readonly fromTree: string;
  readonly toTree: string;
}

interface Trial {
  readonly mutationId: string;
  readonly tree: string;
  readonly commit: string;
  onTrial: boolean;
}

/** From the source tree to the claimed one every step is there, and each starts where the one before it ended. */
export const completeChain: Check = {
  of: 'finding',
  row: 'complete-chain',
  expected:
    "the finding's mutations lead from the tree that the run started from to its program, the tree after one being the tree before the next, reverts included",
  start: ({ finding, opened }) => {
    const faults = collectFaults();
    const { chain, claim } = finding;
    /** The kept mutations that stand, in order. */
    const line: Kept[] = [];
    let trial: Trial | null = null;
    let established = false;
    let ended = false;

    const incumbent = (): string => line.at(-1)?.toTree ?? originOf(opened()).tree;
    const tried = (mutationId: string, what: string): Trial | null => {
      if (trial?.mutationId === mutationId && trial.onTrial) return trial;
      faults.add(`${what} of ${mutationId}, which is not on trial`);
      return null;
    };

    /** Where the standing line and the finding part. */
    const gap = (): void => {
      const { mutations } = chain;
      const start = originOf(opened()).tree;
      for (const [at, mutationId] of mutations.entries()) {
        const step = line[at];
        if (step?.mutationId === mutationId) continue;
        const before =
          at === 0 ? `the tree that it started from, ${start},` : `${String(mutations[at - 1])}`;
        const instead = step === undefined ? 'nothing' : step.mutationId;
        faults.add(
          `gap: after ${before} the finding names ${mutationId}, the run's line holds ${instead}`,
        );
        return;
      }
      const last = mutations.length === 0 ? undefined : line[mutations.length - 1];
      const next = line[mutations.length];
      const reached = last?.toTree ?? start;
      if (reached !== chain.toTree) {
        const missing = next === undefined ? '' : ` (${next.mutationId} is left out)`;
        faults.add(
          `gap: the mutations lead to ${reached}, the finding claims ${chain.toTree}${missing}`,
        );
      }
      const compared = claim.kind === 'line' ? start : last?.fromTree;
      faults.differ(
        `the program that the ${claim.kind} is compared with`,
        chain.fromTree,
        compared,
      );
      if (claim.kind === 'line' && next !== undefined)
        faults.add(`gap: ${next.mutationId} stands on the line and is left out`);
    };

    return {
      run: {
        BaselineEstablished: ({ tree, commit }) => {
          if (established || line.length > 0)
            faults.add('the baseline is established twice or late');
          established = true;
          faults.differ("the baseline's tree", tree, originOf(opened()).tree);
          faults.differ("the baseline's commit", commit, originOf(opened()).commit);
        },
        MutationProposed: ({ mutationId, baseTree, proposedTree, proposedCommit }) => {
          if (trial?.onTrial === true) faults.add(`${trial.mutationId} has no decision`);
          faults.differ(`the tree before ${mutationId}`, baseTree, incumbent());
          trial = { mutationId, tree: proposedTree, commit: proposedCommit, onTrial: false };
        },
        MutationCutOver: ({ mutationId, fromTree, toTree }) => {
          if (!established)
            faults.add(`${mutationId} is cut over before the baseline is established`);
          faults.differ(`the tree before the cutover of ${mutationId}`, fromTree, incumbent());
          if (trial?.mutationId !== mutationId || trial.onTrial) {
            faults.add(`cutover of ${mutationId}, which was not proposed or is on trial already`);
            return;
          }
          faults.differ(`the tree after the cutover of ${mutationId}`, toTree, trial.tree);
          trial.onTrial = true;
        },
        MutationReverted: ({ mutationId, fromTree, toTree }) => {
          const undone = tried(mutationId, 'revert');
          if (undone === null) return;
          faults.differ(`the tree before the revert of ${mutationId}`, fromTree, undone.tree);
          faults.differ(`the tree after the revert of ${mutationId}`, toTree, incumbent());
          trial = null;
        },
        RunReverted: ({ fromTree, toTree, mutationId, undone }) => {
          const kept = keptUndone({ mutationId, undone });
          if (mutationId === null) {
            if (trial?.onTrial === true) faults.add(`${trial.mutationId} has no decision`);
            faults.differ('the tree before the automatic revert', fromTree, incumbent());
          } else {
            const onTrial = tried(mutationId, 'automatic revert');
            if (onTrial === null) return;
            faults.differ('the tree before the automatic revert', fromTree, onTrial.tree);
            trial = null;
          }
          const dropped = line.splice(line.length - Math.max(0, Math.min(kept, line.length)));
          const names = [
            ...dropped.map((step) => step.mutationId),
            ...(mutationId === null ? [] : [mutationId]),
          ];
          faults.differ('what the automatic revert undid', undone.join(', '), names.join(', '));
          faults.differ('the tree after the automatic revert', toTree, incumbent());
        },
        MutationKept: ({ mutationId, tree, commit }) => {
          const kept = tried(mutationId, 'keep');
          if (kept === null) return;
          faults.differ(`the kept tree of ${mutationId}`, tree, kept.tree);
          faults.differ(`the kept commit of ${mutationId}`, commit, kept.commit);
          line.push({ mutationId, fromTree: incumbent(), toTree: tree });
          trial = null;
        },
        LoopEnded: ({ tree }) => {
          ended = true;
          if (trial?.onTrial === true) faults.add(`${trial.mutationId} has no decision`);
          faults.differ('the tree that stands when the loop ends', tree, incumbent());
        },
      },
      conclude: () => {
        if (!established) faults.add('no baseline was established');
        if (!ended) faults.add('the loop has no end');
        gap();
        const steps = chain.mutations.length;
        return faults.outcome(
          `${counted(steps, 'kept mutation')} from ${originOf(opened()).tree} to ${chain.toTree}`,
        );
      },
    };
  },
};
