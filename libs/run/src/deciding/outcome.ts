import { charge, type ChargeRequest } from '#libs/budget';
import type { Breach } from '#libs/harness';
import { deriveId, ok, refused, type PrivateText, type Refusal, type Result } from '#libs/kernel';
import type { LoopEnded, RunEvent, RunHalted, RunOpened, TrainingLaunched } from '../events.ts';
import { incumbent, type RunState } from '../state.ts';

export type RunRefusalCode =
  /** A new run is judged by the rules of today alone. */
  | 'policy-version'
  /** The run does not stand where this command belongs: reload and ask `nextStep`. */
  | 'not-now'
  /** A result for another training than the one under way, or a second one. */
  | 'not-this-training'
  /** A result signed by a key that the run neither pinned nor enlisted, and that the command doesn't enlist. */
  | 'unknown-worker'
  | 'isolation-too-weak'
  /** A number that is not finite. */
  | 'not-finite'
  /** A candidate's metric without its difference to the incumbent: nothing could ever be decided about it. */
  | 'not-compared'
  /** People give a reason when they end a run or give a training up, sealed; nobody else does. */
  | 'no-reason'
  /** The run is halted, closed or ended: nothing goes on. */
  | 'over';

export type Decision = Result<readonly RunEvent[], Refusal<RunRefusalCode>>;

export const events = (...list: readonly RunEvent[]): Decision => ok(list);

export const refuse = (code: RunRefusalCode, message: string): Decision =>
  refused({ code, message });

/** The ids that a command's events carry, known before the command is sent, so that git objects can name them. */
export const commandIds = {
  hypothesis: (commandId: string): string => deriveId('hypothesis', commandId),
  mutation: (commandId: string): string => deriveId('mutation', commandId),
  training: (commandId: string): string => deriveId('training', commandId),
  restorePoint: (commandId: string): string => deriveId('restore-point', commandId),
  metric: (commandId: string): string => deriveId('metric', commandId),
};

/** A training is owed, for as long as the policy gives it. */
export const launched = (
  { policy }: RunOpened['data'],
  commandId: string,
  of: Pick<TrainingLaunched['data'], 'purpose' | 'mutationId' | 'tree' | 'seed'>,
): TrainingLaunched => ({
  type: 'TrainingLaunched',
  data: {
    trainingId: commandIds.training(commandId),
    ...of,
    seconds: policy.training.seconds,
  },
});

/** What the log says in clear where a human ends a run: why, he says in a note of his own. */
export const HALTED_BY_A_HUMAN = 'HALTED BY A HUMAN';
export const STOPPED_BY_A_HUMAN = 'stopped by a human';

export const halted = (
  by: RunHalted['data']['by'],
  reason: string,
  breaches: readonly Breach[],
  mutationId: string | null = null,
  note: PrivateText | null = null,
): RunHalted => ({
  type: 'RunHalted',
  data: { by, reason, breaches, mutationId, message: `SYSTEM HALT: ${reason}`, note },
});

export const listed = (breaches: readonly Breach[]): string =>
  breaches
    .map(({ rule, found, expected }) => `${rule}: found ${found}, expected ${expected}`)
    .join('; ');

export const loopEnded = (
  state: RunState,
  reason: LoopEnded['data']['reason'],
  message: string,
  note: PrivateText | null = null,
): LoopEnded => {
  const { tree, commit } = incumbent(state);
  const { total, remaining } = state.budget;
  return {
    type: 'LoopEnded',
    data: { reason, message, note, tree, commit, spent: total - remaining, total },
  };
};

/** `paid` with its charge in the same append, or, when it can't be paid, the loop's end. */
export const pay = (
  state: RunState,
  paid: readonly RunEvent[],
  request: ChargeRequest,
): Decision => {
  const outcome = charge(state.budget, request);
  return outcome.ok
    ? events(...paid, outcome.value)
    : events(...paid, outcome.error, loopEnded(state, 'exhausted', outcome.error.data.message));
};
