import { upgradePolicy, type PolicyOfVersion1 } from '#libs/harness';
import type { ChangedFile, MutationProposed, RunEvent, RunOpened } from './events.ts';

type OpenedOfVersion1 = Omit<RunOpened['data'], 'policy'> & { readonly policy: PolicyOfVersion1 };

type ProposedOfVersion1 = Omit<MutationProposed['data'], 'files'> & {
  readonly files: readonly Omit<ChangedFile, 'language' | 'domain'>[];
};

/**
 * For each type of a run's events one step for each older version: the first makes version 2 of version 1, and so on.
 * A type that is not here is in its first version.
 */
export const RUN_UPCASTERS = {
  RunOpened: [
    (opened: OpenedOfVersion1): RunOpened['data'] => ({
      ...opened,
      policy: upgradePolicy(opened.policy),
    }),
  ],
  MutationProposed: [
    (proposed: ProposedOfVersion1): MutationProposed['data'] => ({
      ...proposed,
      files: proposed.files.map((file) => ({ ...file, language: null, domain: null })),
    }),
  ],
} as const satisfies {
  readonly [Type in RunEvent['type']]?: readonly ((data: never) => unknown)[];
};
