import { counted } from '#libs/kernel';
import { replayAttestation, verdictAttestation } from '../attestations.ts';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** Verdicts and replays that stand in the finding's stream already are the runner's word on this very claim. */
export const recordedVerdicts: Check = {
  of: 'finding',
  row: 'recorded-verdicts',
  expected:
    "each verdict and each replay recorded so far is signed by the runner key that RunOpened pins, over its rows, the finding's claim and, for a verdict, the run head",
  start: ({ finding, opened, verifySignature }) => {
    const faults = collectFaults();
    const signatures: (() => Promise<void>)[] = [];
    let [verdicts, replays] = [0, 0];
    let proposed = '';
    return {
      link: ({ source, index, digest }) => {
        if (source === 'finding' && index === 0) proposed = digest;
      },
      finding: {
        FindingVerified: (data, { index }) => {
          // The keys are known only when the run was read.
          verdicts += 1;
          signatures.push(async () => {
            const attested = verdictAttestation(data, finding.chain.runHead, proposed);
            const key = opened().keys.runner.publicKey;
            if (!(await verifySignature(key, 'verdict', attested, data.signature)))
              faults.add(`the signature of the verdict in event ${index} does not hold`);
          });
        },
        FindingReplayed: (data, { index }) => {
          replays += 1;
          signatures.push(async () => {
            faults.differ(
              `the finding of the replay in event ${index}`,
              data.findingId,
              finding.findingId,
            );
            const key = opened().keys.runner.publicKey;
            const attested = replayAttestation(data, proposed);
            if (!(await verifySignature(key, 'replay', attested, data.signature)))
              faults.add(`the signature of the replay in event ${index} does not hold`);
          });
        },
      },
      conclude: async () => {
        for (const check of signatures) await check();
        return faults.outcome(
          `${counted(verdicts, 'verdict')}${replays === 0 ? '' : ` and ${counted(replays, 'replay')}`} recorded before this one`,
        );
      },
    };
  },
};
