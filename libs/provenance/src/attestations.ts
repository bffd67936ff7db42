import canonicalize from 'canonicalize';
import type { Signature } from '#libs/kernel';
import type { FindingReplayed, FindingVerified } from '#libs/findings';

/** What a signature is for; a part of what is signed, so that none passes for another. */
export type AttestationContext = 'run-head' | 'training' | 'verdict' | 'replay';

const utf8 = new TextEncoder();

/**
 * The bytes that a signature is over: the prefix keeps one that was made for one purpose from passing for another.
 * @throws for what is no JSON data
 */
export const attestedBytes = (context: AttestationContext, value: unknown): Uint8Array => {
  const canonical = canonicalize(value);
  if (canonical === undefined) throw new TypeError('what is signed must be JSON data');
  return utf8.encode(`holdfast/${context}/v1\n${canonical}`);
};

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

type Replayed = Omit<FindingReplayed['data'], 'signature'>;

/** What the runner signs of a replay: the event's data less the signature, and the hash of the finding's `FindingProposed`. */
export const replayAttestation = (
  { signature: _, ...replayed }: Replayed & { readonly signature?: Signature },
  proposed: string,
): Replayed & { readonly proposed: string } => ({ ...replayed, proposed });
