import {
  upgradeFairnessReport,
  upgradePolicy,
  type FairnessReportOfVersion1,
  type PolicyOfVersion1,
} from '#libs/harness';
import type { DivergenceDetected, KeepRuling } from '#libs/divergence';
import { HALTED_BY_A_HUMAN, STOPPED_BY_A_HUMAN } from './deciding/outcome.ts';
import type {
  ChangedFile,
  CohortRelease,
  FairnessMeasured,
  LoopEnded,
  MetricObserved,
  MutationKept,
  MutationProposed,
  MutationReverted,
  RunEvent,
  RunHalted,
  RunOpened,
  RunReverted,
  TrainingFailed,
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

type RulingOfVersion1 = Omit<
  KeepRuling,
  'trials' | 'level' | 'seeds' | 'rowError' | 'seedError'
> & {
  readonly trials: number;
};
type ObservedOfVersion1 = Omit<MetricObserved['data'], 'purpose' | 'overSeeds' | 'ladderScore'> & {
  readonly ladderScore: number;
};
type KeptOfVersion1 = Omit<MutationKept['data'], 'ruling'> & { readonly ruling: RulingOfVersion1 };
type MutationRevertedOfVersion1 = Omit<MutationReverted['data'], 'ruling'> & {
  readonly ruling: RulingOfVersion1 | null;
};
type DivergedOfVersion1 = DivergenceDetected['data'] & { readonly mutationId: string };
type RunRevertedOfVersion1 = Omit<RunReverted['data'], 'mutationId'>;
type RunHaltedOfVersion1 = Omit<RunHalted['data'], 'note'>;
type LoopEndedOfVersion1 = Omit<LoopEnded['data'], 'note'>;
type TrainingFailedOfVersion1 = Omit<TrainingFailed['data'], 'note'>;

/** What version 1 wrote before a human's reason, in the same text. */
const HALTED_BECAUSE = `${HALTED_BY_A_HUMAN}: `;

/** What a ruling of version 1 did not say is null. */
const ruled = (ruling: RulingOfVersion1): KeepRuling => ({
  ...ruling,
  level: null,
  seeds: null,
  rowError: null,
  seedError: null,
});

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
  MetricObserved: [
    (observed: ObservedOfVersion1): MetricObserved['data'] => ({
      ...observed,
      purpose: observed.mutationId === null ? 'baseline' : 'candidate',
      overSeeds: null,
    }),
  ],
  MutationKept: [
    (kept: KeptOfVersion1): MutationKept['data'] => ({ ...kept, ruling: ruled(kept.ruling) }),
  ],
  MutationReverted: [
    (reverted: MutationRevertedOfVersion1): MutationReverted['data'] => ({
      ...reverted,
      ruling: reverted.ruling === null ? null : ruled(reverted.ruling),
    }),
  ],
  // Version 2 knows divergences without a candidate; every one of version 1 had one, undone last.
  DivergenceDetected: [(detected: DivergedOfVersion1): DivergenceDetected['data'] => detected],
  RunReverted: [
    (reverted: RunRevertedOfVersion1): RunReverted['data'] => ({
      ...reverted,
      mutationId: reverted.undone.at(-1) ?? null,
    }),
  ],
  // Version 1 wrote what humans say in clear, in one text with what the harness says.
  RunHalted: [
    (halted: RunHaltedOfVersion1): RunHalted['data'] =>
      halted.by === 'human' && halted.reason.startsWith(HALTED_BECAUSE)
        ? {
            ...halted,
            reason: HALTED_BY_A_HUMAN,
            message: `SYSTEM HALT: ${HALTED_BY_A_HUMAN}`,
            note: { kind: 'plain', text: halted.reason.slice(HALTED_BECAUSE.length) },
          }
        : { ...halted, note: null },
  ],
  LoopEnded: [
    (ended: LoopEndedOfVersion1): LoopEnded['data'] =>
      ended.reason === 'stopped'
        ? { ...ended, message: STOPPED_BY_A_HUMAN, note: { kind: 'plain', text: ended.message } }
        : { ...ended, note: null },
  ],
  // Its detail stays as it was signed.
  TrainingFailed: [
    (failed: TrainingFailedOfVersion1): TrainingFailed['data'] => ({ ...failed, note: null }),
  ],
} as const satisfies {
  readonly [Type in RunEvent['type']]?: readonly ((data: never) => unknown)[];
};
