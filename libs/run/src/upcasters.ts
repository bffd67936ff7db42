import {
  upgradeFairnessReport,
  upgradePolicy,
  type FairnessReportOfVersion1,
  type PolicyOfVersion1,
} from '#libs/harness';
import type {
  ChangedFile,
  CohortRelease,
  FairnessMeasured,
  MutationProposed,
  RunEvent,
  RunOpened,
} from './events.ts';

/** What left the vault in version 1: by the policy's own dimensions, with the minimum cell alone, not audited. */
type ReleaseOfVersion1 = Omit<CohortRelease, 'dimensions' | 'coarsened' | 'audit'>;

type OpenedOfVersion1 = Omit<RunOpened['data'], 'policy' | 'cohorts' | 'forkedFrom'> & {
  readonly policy: PolicyOfVersion1;
  readonly cohorts: ReleaseOfVersion1 | null;
};

type ProposedOfVersion1 = Omit<MutationProposed['data'], 'files'> & {
  readonly files: readonly Omit<ChangedFile, 'language' | 'domain'>[];
};

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
      cohorts: opened.cohorts && {
        ...opened.cohorts,
        dimensions: opened.policy.data.dimensions.map(({ name, labels }) => ({ name, labels })),
        coarsened: 0,
        audit: null,
      },
      forkedFrom: null,
    }),
  ],
  MutationProposed: [
    (proposed: ProposedOfVersion1): MutationProposed['data'] => ({
      ...proposed,
      files: proposed.files.map((file) => ({ ...file, language: null, domain: null })),
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
