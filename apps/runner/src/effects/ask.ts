import type { MutationProposal } from '#libs/agents';
import { SECONDARY_METRICS } from '#libs/evaluator';
import type { FileChange } from '#libs/harness';
import { eventId } from '#libs/kernel';
import {
  commandIds,
  incumbent,
  type FinishLoop,
  type ProposeHypothesis,
  type ProposeMutation,
  type ProposeSecondaryMetric,
  type RefuseProposal,
} from '#libs/run';
import type { TreeChange } from '#libs/source-tree';
import type { Ledger } from '../ledger.ts';
import { agentView } from './agent-view.ts';
import { commandId, type EffectContext } from './context.ts';

export const askHypothesis = async (
  context: EffectContext,
): Promise<ProposeHypothesis | FinishLoop> => {
  const proposal = await context.agent.proposeHypothesis(await agentView(context));
  return proposal.kind === 'finished'
    ? {
        type: 'FinishLoop',
        id: commandId(context, 'FinishLoop'),
        data: { reason: proposal.reason },
      }
    : {
        type: 'ProposeHypothesis',
        id: commandId(context, 'ProposeHypothesis'),
        data: { statement: proposal.statement, expectedEffect: proposal.expectedEffect },
      };
};

export const askMutation = async (context: EffectContext): Promise<ProposalCommand> => {
  const { hypothesis } = context.state;
  if (hypothesis === null) throw new Error('no hypothesis stands');
  const proposal = await context.agent.proposeMutation(await agentView(context), hypothesis);
  return mutationCommand(context, proposal, (type) => commandId(context, type));
};

/** What a proposal of a mutation becomes, whoever made it: the edge stores and measures, the decider decides. */
export const mutationCommand = async (
  context: ProposalContext,
  proposal: MutationProposal,
  idOf: (type: ProposalCommand['type']) => string,
): Promise<ProposalCommand> =>
  proposal.kind === 'metric'
    ? {
        type: 'ProposeSecondaryMetric',
        id: idOf('ProposeSecondaryMetric'),
        data: { name: proposal.metric, available: SECONDARY_METRICS },
      }
    : writeMutation(context, proposal, idOf);

type ProposalCommand = ProposeMutation | RefuseProposal | ProposeSecondaryMetric;

/** What the edge of a proposal knows: the run as it stands, and where objects are kept. */
export interface ProposalContext extends Pick<
  EffectContext,
  'runId' | 'state' | 'opened' | 'head'
> {
  readonly home: Ledger;
}

/**
 * The edge of a proposal: stores the proposed tree as a commit under the attempt's ref, measures the diff, and makes
 * the command. An edit that does not apply becomes a refusal.
 */
const writeMutation = async (
  { home, state, runId, head, opened }: ProposalContext,
  { domain, summary, edits }: Extract<MutationProposal, { kind: 'edit' }>,
  idOf: (type: ProposalCommand['type']) => string,
): Promise<ProposeMutation | RefuseProposal> => {
  const id = idOf('ProposeMutation');
  const base = incumbent(state);
  const refusal = (reason: string): RefuseProposal => ({
    type: 'RefuseProposal',
    id: idOf('RefuseProposal'),
    data: { reason },
  });
  const written = await home.sourceTree.writeAttempt({
    runId,
    number: state.mutations + 1,
    base,
    edits,
    message: summary,
    trailers: {
      'Holdfast-Run': runId,
      'Holdfast-Mutation': commandIds.mutation(id),
      'Holdfast-Event': eventId(id, 0),
      'Holdfast-Hypothesis': state.hypothesis?.hypothesisId ?? '',
    },
    time: head.metadata.time,
    maxFileBytes: Math.max(opened.policy.gates.midLoop.maximumFileBytes * 4, 1024 * 1024),
  });
  if (!written.ok)
    return refusal(
      [
        written.error.message,
        ...written.error.problems.map(({ path, message }) => `${path}: ${message}`),
      ].join('; '),
    );
  const { commit, tree, changed } = written.value;
  const changes = await fileChanges(home, changed);
  return {
    type: 'ProposeMutation',
    id,
    data: { summary, declaredDomain: domain, baseTree: base.tree, commit, tree, changes },
  };
};

/** A diff with the texts of both sides: what the mid-loop gate reads. */
export const fileChanges = (
  home: Pick<Ledger, 'sourceTree'>,
  changed: readonly TreeChange[],
): Promise<readonly FileChange[]> =>
  Promise.all(
    changed.map(async ({ path, kind, before, after }) => ({
      path,
      kind,
      before: before?.oid ?? null,
      after: after?.oid ?? null,
      mode: after?.mode ?? null,
      textBefore: before === null ? null : await textOf(home, before.oid),
      text: after === null ? null : await textOf(home, after.oid),
    })),
  );

/** Null for what is no text: the gate then sees no content, and the mode decides. */
const textOf = async (home: Pick<Ledger, 'sourceTree'>, oid: string): Promise<string | null> => {
  const text = await home.sourceTree.readText(oid);
  return text.ok ? text.value : null;
};
