import { isKept, pairedKeepRule, type KeepRuling } from '#libs/divergence';
import { postLoopGate } from '#libs/harness';
import type { CutOver, Judge } from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { incumbent, type RunState } from '../state.ts';
import { commandIds, events, halted, listed, refuse, type Decision } from './outcome.ts';

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
    {
      type: 'TrainingLaunched',
      data: {
        trainingId: commandIds.training(id),
        purpose: 'candidate',
        mutationId: trial.mutationId,
        tree: trial.tree,
        seed: opened.seed,
        seconds: opened.policy.training.seconds,
      },
    },
  );
};

/** The keep rule's ruling on the candidate that was observed; null when there is none. */
export const rulingOf = (state: RunState): KeepRuling | null => {
  const difference = state.observation?.difference ?? null;
  return state.opened === null || difference === null
    ? null
    : pairedKeepRule(state.opened.policy, difference, state.seedDeviation);
};

export const judge = (
  state: RunState,
  opened: RunOpened['data'],
  { data: { mutationId: judged, fairness } }: Judge,
): Decision => {
  const { trial, training, observation } = state;
  const ruling = rulingOf(state);
  if (trial === null || training === null || observation === null || ruling === null)
    return refuse('not-now', 'no candidate was observed; ask nextStep');
  const { mutationId } = trial;
  if (judged !== mutationId) return otherMutation('Judge', judged, mutationId);
  const reverted = (reason: 'not-better-than-noise' | 'post-loop-gate'): RunEvent => ({
    type: 'MutationReverted',
    data: { mutationId, reason, fromTree: trial.tree, toTree: trial.baseTree, ruling },
  });
  if (!isKept(ruling)) return events(reverted('not-better-than-noise'));
  if (fairness === null)
    return refuse('not-now', 'a keep needs the fairness report first; measure it and judge again');
  const gate = postLoopGate(fairness);
  const measured: RunEvent = {
    type: 'FairnessMeasured',
    data: { mutationId, trainingId: training.trainingId, report: fairness },
  };
  if (gate.breaches.length > 0)
    return events(
      measured,
      reverted('post-loop-gate'),
      halted('post-loop', `POST-LOOP GATE: ${listed(gate.breaches)}`, gate.breaches, mutationId),
    );
  return events(
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
        trainingId: training.trainingId,
        metric: observation.metric.value,
        ruling,
      },
    },
  );
};
