import type { RunHeadSigned } from '#libs/run';
import { answersInTurn } from '../answers.ts';
import { runHeadAttestation } from '../attestations.ts';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';

/** What may follow the signed end of a loop. */
const AFTER_THE_HEAD: readonly string[] = ['RunHeadSigned', 'RunClosed'];

/** The finding rests on one state of the run, which ends the loop and which the runner signed. */
export const runHeadSigned: Check = {
  of: 'finding',
  row: 'run-head-signed',
  expected:
    "the finding's run head is the end of the loop in this chain, signed by the runner key that RunOpened pins, and nothing but signatures and the close comes after it",
  start: ({ finding, opened, verifySignature }) => {
    const faults = collectFaults();
    const { runHead, runId } = finding.chain;
    let found = false;
    let signed = false;

    const answers = answersInTurn();
    const verified = ({ revision, hash, signature }: RunHeadSigned['data']) =>
      verifySignature(
        opened().keys.runner.publicKey,
        'run-head',
        runHeadAttestation({ runId, revision, hash }),
        signature,
      );

    return {
      every: ({ index, digest, body }) => {
        if (index === runHead.revision) {
          found = true;
          faults.differ(`the hash of event ${String(index)}`, digest, runHead.hash);
          faults.differ('the event at the run head', body.type, 'LoopEnded');
        } else if (index > runHead.revision && !AFTER_THE_HEAD.includes(body.type)) {
          faults.add(`${body.type} (event ${String(index)}) comes after the run head`);
        }
      },
      run: {
        RunHeadSigned: (data, { index }) => {
          const isOfHead = data.revision === runHead.revision && data.hash === runHead.hash;
          answers.ask(verified(data), (holds) => {
            if (!holds) faults.add(`the signature in event ${String(index)} does not hold`);
            else if (isOfHead) signed = true;
          });
        },
      },
      settle: answers.settle,
      conclude: async () => {
        await answers.conclude();
        if (!found) faults.add(`the chain ends before event ${String(runHead.revision)}`);
        if (!signed)
          faults.add(`event ${String(runHead.revision)} (${runHead.hash}) is not signed`);
        return faults.outcome(
          `event ${String(runHead.revision)}, signed by ${opened().keys.runner.keyId}`,
        );
      },
    };
  },
};
