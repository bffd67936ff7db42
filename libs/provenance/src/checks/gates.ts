import { POLICY_VERSION, postLoopGate, preLoopRules } from '#libs/harness';
import type { FairnessReport, GateCheck } from '#libs/harness';
import { counted } from '#libs/kernel';
import type { RunCheck } from '../check.ts';
import { collectFaults } from '../faults.ts';
import { fairnessFaults } from '../fairness-report.ts';
import { pinnedDigest } from '../pinned-digest.ts';

const spelled = (checks: readonly GateCheck[]): string =>
  checks
    .map(({ rule, passed, found, expected }) => `${rule} ${String(passed)} ${found} ${expected}`)
    .join('; ');

/** Nothing went on without its gate, and every gate was that of the pinned policy. */
export const gates: RunCheck = {
  of: 'run',
  row: 'gates',
  expected:
    'the pre-loop gate passed once before any training, with the rules that the policy asks for, the mid-loop gate for each mutation that was cut over, the post-loop gate for each that was kept, each with every check passed and under the pinned policy, whose digest recomputes and whose version is that of the rules which held when the run was opened; fairness reports whose figures and intervals follow from the counts of the groups of the policy, each of the first training of its candidate',
  start: ({ opened, sha256 }) => {
    const faults = collectFaults();
    let preLoop = 0;
    let proposed: { readonly mutationId: string; readonly index: number } | null = null;
    let midLoop: string | null = null;
    let fairness: { readonly mutationId: string; readonly report: FairnessReport } | null = null;
    let postLoop: string | null = null;
    let early: string | null = null;
    let candidate: { readonly mutationId: string | null; readonly trainingId: string } | null =
      null;
    let passed = 0;

    return {
      run: {
        RunOpened: ({ pins, policy: { version } }, { body }) => {
          // As it was written: upcasting changes the shape.
          const { policy } = body.data as { readonly policy: unknown };
          faults.differ(
            'the digest of the policy',
            pins.policyDigest,
            pinnedDigest(policy, sha256),
          );
          // The rules of version 1 asked for less: they are for runs that were written down as such.
          const { schemaVersion } = body.metadata;
          faults.differ(
            `the version of the policy in a RunOpened of version ${String(schemaVersion)}`,
            version,
            schemaVersion === 1 ? 1 : POLICY_VERSION,
          );
        },
        GatePassed: ({ gate, policyDigest, mutationId, checks }, { index }) => {
          const at = `the ${gate} gate${mutationId === null ? '' : ` of ${mutationId}`}`;
          passed += 1;
          faults.differ(`${at}: policy`, policyDigest, opened().pins.policyDigest);
          for (const check of checks)
            if (check.passed !== true)
              faults.add(
                `${at}: ${check.rule} failed: found ${check.found}, expected ${check.expected}`,
              );
          switch (gate) {
            case 'pre-loop':
              preLoop += 1;
              faults.differ(`${at}: place`, index, 1);
              faults.differ(`${at}: mutation`, mutationId, null);
              if (checks.length === 0) faults.add(`${at} checked nothing`);
              // The rules of version 1 were not written down anywhere else.
              if (opened().policy.version > 1)
                faults.differ(
                  `${at}: rules`,
                  checks.map(({ rule }) => rule).join(', '),
                  preLoopRules(opened().policy).join(', '),
                );
              return;
            case 'mid-loop':
              if (checks.length === 0) faults.add(`${at} checked nothing`);
              if (proposed?.mutationId === mutationId && proposed.index + 1 === index)
                midLoop = mutationId;
              else faults.add(`${at} does not stand beside its proposal`);
              return;
            case 'post-loop':
              if (fairness?.mutationId === mutationId) {
                const expected = postLoopGate(fairness.report).checks;
                faults.differ(`${at}: checks`, spelled(checks), spelled(expected));
                postLoop = mutationId;
              } else faults.add(`${at} rests on no fairness report`);
              return;
            default:
              faults.add(`unknown gate ${String(gate)}`);
          }
        },
        TrainingLaunched: ({ trainingId, mutationId, purpose }) => {
          if (preLoop === 0) early ??= trainingId;
          if (purpose === 'candidate') candidate = { mutationId, trainingId };
        },
        MutationProposed: ({ mutationId }, { index }) => {
          proposed = { mutationId, index };
        },
        MutationCutOver: ({ mutationId }) => {
          if (midLoop !== mutationId)
            faults.add(`${mutationId} was cut over without its mid-loop gate`);
        },
        FairnessMeasured: ({ mutationId, trainingId, report }) => {
          fairness = { mutationId, report };
          const { policy } = opened();
          // A run of version 1 recorded no intervals, and its figures were not recomputed.
          if (policy.version === 1) return;
          // A report on another program's predictions would carry the gate of this one.
          const first = candidate?.mutationId === mutationId ? candidate.trainingId : null;
          faults.differ(`the training of the fairness report of ${mutationId}`, trainingId, first);
          for (const fault of fairnessFaults(report, policy))
            faults.add(`the fairness report of ${mutationId} has ${fault}`);
        },
        MutationKept: ({ mutationId }) => {
          if (postLoop !== mutationId)
            faults.add(`${mutationId} was kept without its post-loop gate`);
        },
      },
      conclude: () => {
        if (early !== null) faults.add(`training ${early} ran before the pre-loop gate`);
        if (preLoop !== 1)
          faults.add(`the pre-loop gate passed ${String(preLoop)} times, expected once`);
        const { pins, policy } = opened();
        return faults.outcome(
          `${counted(passed, 'gate')} passed by the rules of version ${String(policy.version)}, under policy ${pins.policyDigest}`,
        );
      },
    };
  },
};
