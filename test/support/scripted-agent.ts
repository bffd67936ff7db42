import type { Agent, MutationProposal } from '#libs/agents';

/** One idea of a scripted agent: what it says, and the edit that goes with it. */
export interface Idea {
  readonly statement: string;
  readonly mutation: MutationProposal;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export const useFeatures = (...use: readonly string[]): Idea => ({
  statement: `Cohorts by ${use.join(', ')} tell more`,
  mutation: {
    kind: 'edit',
    domain: 'feature',
    summary: `use ${use.join(', ')}`,
    edits: [{ path: 'features.json', content: json({ use }) }],
  },
});

export const behave = (behaviour: string): Idea => ({
  statement: `A program that does ${behaviour} may do better`,
  mutation: {
    kind: 'edit',
    domain: 'hyperparameter',
    summary: `behave: ${behaviour}`,
    edits: [{ path: 'hyperparameters.json', content: json({ behave: behaviour }) }],
  },
});

/** Proposes a list of ideas in order and is finished then. Where it stands it reads from the view, as any agent. */
export const scriptedAgent = (ideas: readonly Idea[]): Agent => ({
  proposeHypothesis: async ({ attempts }) => {
    const idea = ideas[attempts.length];
    return idea === undefined
      ? { kind: 'finished', reason: 'nothing left to try' }
      : { kind: 'hypothesis', statement: idea.statement, expectedEffect: 0.02 };
  },
  proposeMutation: async ({ attempts }) => {
    const idea = ideas[attempts.length - 1];
    if (idea === undefined) throw new Error('asked for the mutation of no hypothesis');
    return idea.mutation;
  },
});

/** One discarded, one kept, one that diverges and is reverted, and one that can't be paid any more. */
export const SHORT_RUN: readonly Idea[] = [
  useFeatures('shift', 'paper'),
  useFeatures('shift', 'route'),
  useFeatures('shift', 'route', 'receipt'),
  useFeatures('shift', 'route', 'paper'),
];
