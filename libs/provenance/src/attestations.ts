import type { Signature } from '#libs/kernel';
import type { FindingVerified } from '#libs/findings';

/** What a signature is for; a part of what is signed, so that none passes for another. */
export type AttestationContext = 'run-head' | 'training' | 'verdict';

/** What a worker signs of a training's result: the event's data, less the signature itself and an operator's note. */
export const trainingAttestation = <Data extends { readonly signature: Signature }>(
  data: Data,
): Omit<Data, 'signature' | 'note'> => {
  const { signature: _, note: __, ...attested } = data as Data & { readonly note?: unknown };
  return attested;
};

/** What the runner signs of a run's head. */
export const runHeadAttestation = (head: {
  readonly runId: string;
  readonly revision: number;
  readonly hash: string;
}): { readonly runId: string; readonly revision: number; readonly hash: string } => ({
  runId: head.runId,
  revision: head.revision,
  hash: head.hash,
});

type Verdict = Pick<FindingVerified['data'], 'findingId' | 'verdict' | 'rows' | 'trust'>;

export interface VerdictAttestation extends Verdict {
  /** The signed head of the run that the verdict is about. */
  readonly runHead: { readonly revision: number; readonly hash: string };
  /** Hash of the finding's `FindingProposed`: without it the claim could be changed under the verdict. */
  readonly proposed: string;
}

/** What the runner signs of a verdict. */
export const verdictAttestation = (
  verdict: Verdict,
  runHead: { readonly revision: number; readonly hash: string },
  proposed: string,
): VerdictAttestation => ({
  findingId: verdict.findingId,
  verdict: verdict.verdict,
  rows: verdict.rows,
  trust: verdict.trust,
  runHead: { revision: runHead.revision, hash: runHead.hash },
  proposed,
});
