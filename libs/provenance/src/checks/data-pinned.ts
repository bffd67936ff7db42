import type { SplitCommitted } from '#libs/studies';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** The rows and their split were fixed before the run could know what would suit it. */
export const dataPinned: Check = {
  row: 'data-pinned',
  expected:
    "the run's data digest and split commitment are those that its study committed, once for this data and before the run was counted; the cohorts keep the policy's minimum cell",
  start: ({ finding, opened }) => {
    const faults = collectFaults();
    const { studyId, runId } = finding.chain;
    const commitments: SplitCommitted['data'][] = [];
    let registered = 0;
    let counted: {
      readonly number: number;
      readonly seed: number;
      readonly committed: number;
    } | null = null;

    return {
      study: {
        StudyRegistered: (data) => {
          registered += 1;
          faults.differ('the study', data.studyId, studyId);
        },
        SplitCommitted: (data) => {
          if (commitments.some(({ dataDigest }) => dataDigest === data.dataDigest))
            faults.add(`the split of data ${data.dataDigest} was committed twice`);
          commitments.push(data);
        },
        RunCounted: (data) => {
          if (data.runId !== runId) return;
          if (counted !== null) faults.add(`the run was counted twice`);
          counted = { number: data.number, seed: data.seed, committed: commitments.length };
        },
      },
      conclude: () => {
        const { pins, number, seed, cohorts, policy } = opened();
        if (registered !== 1) faults.add(`the study was registered ${String(registered)} times`);
        const at = commitments.findIndex(({ dataDigest }) => dataDigest === pins.dataDigest);
        if (at < 0) faults.add(`the study committed no split of data ${pins.dataDigest}`);
        else
          faults.differ('the split commitment', pins.splitCommitment, commitments[at]?.commitment);
        if (counted === null) faults.add('the study did not count this run');
        else {
          if (at >= counted.committed)
            faults.add('the split was committed after the run was counted');
          faults.differ("the run's number", number, counted.number);
          faults.differ("the run's seed", seed, counted.seed);
        }
        if (cohorts === null) faults.add('the vault released no cohorts');
        else
          faults.differ("the cohorts' minimum cell", cohorts.minimumCell, policy.data.minimumCell);
        return faults.outcome(`data ${pins.dataDigest}, split ${pins.splitCommitment}`);
      },
    };
  },
};
