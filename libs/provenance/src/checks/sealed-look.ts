import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** The sealed rows were scored once for this run, and the study counted it before the claim was made. */
export const sealedLook: Check = {
  row: 'sealed-look',
  expected:
    'the study counted one look at the sealed rows for this run, as the finding says it, after the loop ended and before the finding was proposed; looks are counted from 1',
  start: ({ finding }) => {
    const faults = collectFaults();
    let looks = 0;
    let ours: { readonly look: number; readonly position: number } | null = null;
    let endedAt = Infinity;
    let proposedAt = -1;

    return {
      link: ({ source, index, stored }) => {
        if (source === 'finding' && index === 0) proposedAt = stored.position;
        if (source === 'run' && index === finding.chain.runHead.revision) endedAt = stored.position;
      },
      study: {
        SealedRowsOpened: ({ runId, look }, { stored }) => {
          looks += 1;
          faults.differ(`the number of look ${String(looks)}`, look, looks);
          if (runId !== finding.chain.runId) return;
          if (ours !== null) faults.add('the sealed rows were opened twice for this run');
          ours = { look, position: stored.position };
        },
      },
      conclude: () => {
        if (ours === null) faults.add('the study counted no look for this run');
        else {
          faults.differ("the finding's look", finding.sealedLook, ours.look);
          if (!(endedAt < ours.position)) faults.add('the look was counted before the loop ended');
          if (!(ours.position < proposedAt))
            faults.add('the look was counted after the finding was proposed');
        }
        return faults.outcome(`look ${String(finding.sealedLook)} at the study's sealed rows`);
      },
    };
  },
};
