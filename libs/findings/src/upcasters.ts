import type { Claim, FindingEvent, FindingProposed, FindingReviewed } from './events.ts';

type ProposedOfVersion1 = Omit<FindingProposed['data'], 'claim'> & {
  readonly claim: Omit<Claim, 'look'>;
};

type ReviewedOfVersion1 = Omit<FindingReviewed['data'], 'reason'> & { readonly reason: string };

/**
 * For each type of a finding's events one step for each older version: the first makes version 2 of version 1, and so
 * on. A type that is not here is in its first version.
 */
export const FINDING_UPCASTERS = {
  FindingProposed: [
    (proposed: ProposedOfVersion1): FindingProposed['data'] => ({
      ...proposed,
      claim: { ...proposed.claim, look: null },
    }),
  ],
  // Version 1 wrote what a reviewer says in clear.
  FindingReviewed: [
    (reviewed: ReviewedOfVersion1): FindingReviewed['data'] => ({
      ...reviewed,
      reason: { kind: 'plain', text: reviewed.reason },
    }),
  ],
} as const satisfies {
  readonly [Type in FindingEvent['type']]?: readonly ((data: never) => unknown)[];
};
