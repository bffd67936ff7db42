import { unreachable } from '#libs/kernel';
import { candidate, type RunCommand, type Step } from '#libs/run';
import { runHeadAttestation } from '#libs/provenance';
import { sign } from '#libs/signatures';
import { proveFindings } from '../proving/prove-findings.ts';
import { askHypothesis, askMutation } from './ask.ts';
import { commandId, type EffectContext } from './context.ts';
import { judge, measure } from './measure.ts';
import { train } from './train.ts';

/**
 * Performs the one effect that a run owes and gives the command that records it. At least once: whoever performs
 * it again gives a command with the same id, and only one is recorded.
 */
export const perform = async (
  context: EffectContext,
  step: Exclude<Step, { kind: 'rest' }>,
): Promise<RunCommand> => {
  switch (step.kind) {
    case 'launch-baseline':
      return { type: 'LaunchBaseline', id: commandId(context, 'LaunchBaseline'), data: {} };
    case 'train':
      return train(context, step.training);
    case 'measure':
      return measure(context, step.training);
    case 'ask-hypothesis':
      return askHypothesis(context);
    case 'ask-mutation':
      return askMutation(context);
    case 'cut-over':
      return {
        type: 'CutOver',
        id: commandId(context, 'CutOver'),
        data: { mutationId: candidate(context.state).mutationId },
      };
    case 'judge':
      return judge(context, step.fairness);
    case 'sign-head':
      return signHead(context);
    case 'prove-findings':
      return proveFindings(context);
    default:
      return unreachable(step);
  }
};

const signHead = (context: EffectContext): RunCommand => {
  const { revision, hash } = context.head;
  return {
    type: 'SignRunHead',
    id: commandId(context, 'SignRunHead'),
    data: {
      revision,
      hash,
      signature: sign(
        context.home.keys.runner,
        'run-head',
        runHeadAttestation({ runId: context.runId, revision, hash }),
      ),
    },
  };
};
