import type { FindingProposed } from '#libs/findings';
import type { ChainedBody } from './notary-stream.ts';

/** What a finding says of itself in its first event, as far as it tells which streams it needs. */
export interface Proposal {
  readonly findingId: string;
  readonly number: number;
  readonly runId: string;
  readonly studyId: string;
  readonly toTree: string;
  readonly lastMutation: string | null;
}

/** Null where the first event is not one that tells. */
export const proposalOf = (findingId: string, { type, data }: ChainedBody): Proposal | null => {
  const chain = data['chain'] as Partial<FindingProposed['data']['chain']> | null | undefined;
  if (
    type !== 'FindingProposed' ||
    typeof chain?.runId !== 'string' ||
    typeof chain.studyId !== 'string' ||
    typeof chain.toTree !== 'string' ||
    !Array.isArray(chain.mutations)
  )
    return null;
  const { runId, studyId, toTree } = chain;
  const mutations: readonly string[] = chain.mutations;
  const number = typeof data['number'] === 'number' ? data['number'] : NaN;
  return { findingId, number, runId, studyId, toTree, lastMutation: mutations.at(-1) ?? null };
};
