import { upgradePolicy, type PolicyOfVersion1 } from '#libs/harness';
import type { RunEvent, RunOpened } from './events.ts';

type OpenedOfVersion1 = Omit<RunOpened['data'], 'policy' | 'forkedFrom'> & {
  readonly policy: PolicyOfVersion1;
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
      forkedFrom: null,
    }),
  ],
} as const satisfies {
  readonly [Type in RunEvent['type']]?: readonly ((data: never) => unknown)[];
};
