import {
  upgradeFairnessReport,
  upgradePolicy,
  type FairnessReportOfVersion1,
  type PolicyOfVersion1,
} from '#libs/harness';
import type { FairnessMeasured, RunEvent, RunOpened } from './events.ts';

type OpenedOfVersion1 = Omit<RunOpened['data'], 'policy'> & { readonly policy: PolicyOfVersion1 };

type FairnessOfVersion1 = Omit<FairnessMeasured['data'], 'report'> & {
  readonly report: FairnessReportOfVersion1;
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
  FairnessMeasured: [
    (measured: FairnessOfVersion1): FairnessMeasured['data'] => ({
      ...measured,
      report: upgradeFairnessReport(measured.report),
    }),
  ],
} as const satisfies {
  readonly [Type in RunEvent['type']]?: readonly ((data: never) => unknown)[];
};
