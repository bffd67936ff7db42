import { isKept, keepRuling, type KeepEvidence, type KeepRuling } from '#libs/divergence';
import { postLoopGate } from '#libs/harness';
import type { CutOver, Judge } from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { incumbent, type RunState, type Seeded } from '../state.ts';
import { commandIds, events, halted, launched, listed, refuse, type Decision } from './outcome.ts';
import { withRemeasurement } from './remeasuring.ts';

/** A command about another mutation than the one under way was made of another state than the run's. */
const otherMutation = (command: string, found: string, expected: string): Decision =>
  refuse(
    'not-now',
    `${command}: found mutation ${found}, expected ${expected}; reload the run and ask nextStep`,
  );

export const cutOver = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data }: CutOver,
): Decision => {
  const { trial, hypothesis } = state;
  if (trial === null || hypothesis === null)
    return refuse('not-now', 'no mutation was proposed; ask nextStep');
  if (data.mutationId !== trial.mutationId)
    return otherMutation('CutOver', data.mutationId, trial.mutationId);
  const base = incumbent(state);
  const restorePointId = commandIds.restorePoint(id);
  return events(
    {
      type: 'RestorePointTaken',
      data: {
        restorePointId,
        mutationId: trial.mutationId,
        commit: base.commit,
        tree: base.tree,
        trainingId: base.trainingId,
        metric: base.metric,
        monitor: Object.entries(state.sums).map(([chart, { upper, lower }]) => ({
          chart,
          upper,
          lower,
        })),
        seed: opened.seed,
        budgetRemaining: state.budget.remaining,
      },
    },
    {
      type: 'MutationCutOver',
      data: {
        mutationId: trial.mutationId,
        restorePointId,
        fromTree: base.tree,
        toTree: trial.tree,
        domain: trial.domain,
        summary: trial.summary,
        why: hypothesis.statement,
      },
    },
    launched(opened, id, {
      purpose: 'candidate',
      mutationId: trial.mutationId,
      tree: trial.tree,
      seed: opened.seed,
    }),
  );
};

/** What is known of a candidate's difference to the incumbent; null where one of its seeds was not compared. */
export const evidenceOf = (
  seeds: readonly Pick<Seeded, 'observation' | 'overSeeds'>[],
  seedDeviation: number,
): KeepEvidence | null => {
  const differences = seeds.flatMap(({ observation }) => observation.difference ?? []);
  return differences.length === 0 || differences.length < seeds.length
    ? null
    : { differences, overSeeds: seeds.flatMap(({ overSeeds }) => overSeeds ?? []), seedDeviation };
};

/** The keep rule's ruling on the candidate that was observed; null when there is none. */
export const rulingOf = (state: RunState): KeepRuling | null => {
  const evidence = evidenceOf(state.seeds, state.seedDeviation);
  return state.opened === null || state.trial === null || evidence === null
    ? null
    : keepRuling(state.opened.policy, state.trial.domain, evidence);
};

export const judge = (
  state: RunState,
  opened: RunOpened['data'],
  { id, data: { mutationId: judged, fairness } }: Judge,
): Decision => {
  const { trial } = state;
  const [first] = state.seeds;
  const ruling = rulingOf(state);
  if (trial === null || first === undefined || ruling === null)
    return refuse('not-now', 'no candidate was observed; ask nextStep');
  const { mutationId } = trial;
  if (judged !== mutationId) return otherMutation('Judge', judged, mutationId);
  const reverted = (reason: 'not-better-than-noise' | 'post-loop-gate'): RunEvent => ({
    type: 'MutationReverted',
    data: { mutationId, reason, fromTree: trial.tree, toTree: trial.baseTree, ruling },
  });
  if (!isKept(ruling))
    return events(...withRemeasurement(state, opened, id, [reverted('not-better-than-noise')]));
  if (fairness === null)
    return refuse('not-now', 'a keep needs the fairness report first; measure it and judge again');
  const gate = postLoopGate(fairness);
  const measured: RunEvent = {
    type: 'FairnessMeasured',
    data: { mutationId, trainingId: first.trainingId, report: fairness },
  };
  if (gate.breaches.length > 0)
    return events(
      measured,
      reverted('post-loop-gate'),
      halted('post-loop', `POST-LOOP GATE: ${listed(gate.breaches)}`, gate.breaches, mutationId),
    );
  const kept: readonly RunEvent[] = [
    measured,
    {
      type: 'GatePassed',
      data: {
        gate: 'post-loop',
        policyDigest: opened.pins.policyDigest,
        mutationId,
        checks: gate.checks,
      },
    },
    {
      type: 'MutationKept',
      data: {
        mutationId,
        commit: trial.commit,
        tree: trial.tree,
        trainingId: first.trainingId,
        metric: first.observation.metric.value,
        ruling,
      },
    },
  ];
  return events(...withRemeasurement(state, opened, id, kept));
};
