import type { FleetEvent, WorkerDismissed } from './events.ts';

type DismissedOfVersion1 = Omit<WorkerDismissed['data'], 'reason'> & { readonly reason: string };

/** For each type of the fleet's events one step for each older version. A type that is not here is in its first. */
export const FLEET_UPCASTERS = {
  // Version 1 wrote what an operator says in clear.
  WorkerDismissed: [
    (dismissed: DismissedOfVersion1): WorkerDismissed['data'] => ({
      ...dismissed,
      reason: { kind: 'plain', text: dismissed.reason },
    }),
  ],
} as const satisfies {
  readonly [Type in FleetEvent['type']]?: readonly ((data: never) => unknown)[];
};
