import { verdictAttestation } from '../attestations.ts';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** Verdicts that stand in the finding's stream already are the runner's word on this very claim. */
export const recordedVerdicts: Check = {
  row: 'recorded-verdicts',
  expected:
    "each verdict recorded so far is signed by the runner key that RunOpened pins, over its rows, the run head and the finding's claim",
  start: ({ finding, opened, verifySignature }) => {
    const faults = collectFaults();
    const verdicts: (() => void)[] = [];
    let proposed = '';
    return {
      link: ({ source, index, digest }) => {
        if (source === 'finding' && index === 0) proposed = digest;
      },
      finding: {
        FindingVerified: (data, { index }) => {
          // The keys are known only when the run was read.
          verdicts.push(() => {
            const attested = verdictAttestation(data, finding.chain.runHead, proposed);
            const key = opened().keys.runner.publicKey;
            if (!verifySignature(key, 'verdict', attested, data.signature))
              faults.add(`the signature of the verdict in event ${index} does not hold`);
          });
        },
      },
      conclude: () => {
        for (const check of verdicts) check();
        return faults.outcome(`${verdicts.length} verdicts recorded before this one`);
      },
    };
  },
};
