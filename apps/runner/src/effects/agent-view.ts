import type { AgentView, AttemptView, ProgramFiles } from '#libs/agents';
import { mutablePaths } from '#libs/harness';
import { attemptsOf, cohortDimensions, incumbent } from '#libs/run';
import type { Ledger } from '../ledger.ts';
import { recent, remembered } from '../recent.ts';
import type { EffectContext } from './context.ts';
import { toldError } from './told-error.ts';

/** The run whose agent looks. */
export interface AgentContext extends Pick<EffectContext, 'runId' | 'state' | 'opened'> {
  readonly home: Ledger;
}

/**
 * What the agent may know of its run, and nothing else: its own attempts, the incumbent's mutable files, the base
 * cohort table and the Ladder's rounded score.
 */
export const agentView = async (context: AgentContext): Promise<AgentView> => {
  const { home, state, opened } = context;
  const { policy } = opened;
  const mutable = new Set(mutablePaths(policy));
  const filesOf = (tree: string) => mutableFiles(context, tree, mutable);
  return {
    runId: context.runId,
    seed: opened.seed,
    brief: {
      title: policy.study.title,
      question: policy.study.question,
      outcome: policy.data.outcome.name,
      dimensions: cohortDimensions(opened).map(({ name, labels }) => ({ name, labels })),
      mutable: policy.program.mutable,
      costs: policy.budget.costs,
      entry: policy.program.entry,
    },
    budget: { total: state.budget.total, remaining: state.budget.remaining },
    files: await filesOf(incumbent(state).tree),
    cohorts: await cohortTable(home, opened),
    score: state.ladderScore,
    attempts: await Promise.all(
      attemptsOf(state).map(async (attempt) => ({
        number: attempt.number,
        hypothesis: attempt.hypothesis,
        domain: attempt.domain,
        base: await filesOf(attempt.baseTree),
        proposed: attempt.proposedTree === null ? null : await filesOf(attempt.proposedTree),
        outcome: attempt.outcome,
        error:
          attempt.error === null || attempt.proposedTree === null
            ? null
            : await errorOf(home, attempt.proposedTree, attempt.error),
        score: attempt.score,
      })),
    ),
  };
};

/** The base cohort table as it was released to the run; nothing later is ever asked of the vault for it. */
const cohortTable = async (
  { sourceTree }: Ledger,
  { runId, cohorts }: EffectContext['opened'],
): Promise<string> => {
  if (cohorts === null) throw new Error(`run ${runId} released no cohorts`);
  const text = await sourceTree.readText(cohorts.table.oid);
  if (!text.ok) throw new Error(text.error.message);
  return text.value;
};

/**
 * Characters of files, and errors, that are held in memory of all runs of this process. A view shows every attempt of its
 * run: were there room for fewer, each view would read all of them from the disk again.
 */
const MOST_CHARACTERS = 2 ** 26;
const MOST_ERRORS = 20_000;

/** Trees never change, so what was read of one holds for as long as there is room. */
const read = recent<Promise<ProgramFiles>>(MOST_CHARACTERS);
const told = recent<Promise<AttemptView['error']>>(MOST_ERRORS);

const errorOf = (
  ledger: Ledger,
  tree: string,
  error: NonNullable<AttemptView['error']>,
): Promise<AttemptView['error']> =>
  remembered(told, JSON.stringify([tree, error]), () => toldError(ledger, tree, error));

const mutableFiles = (
  { home }: Pick<AgentContext, 'home'>,
  tree: string,
  mutable: ReadonlySet<string>,
): Promise<ProgramFiles> =>
  // Another study may hold the same tree and give other files of it to its agent.
  remembered(
    read,
    JSON.stringify([tree, ...mutable]),
    () => readMutableFiles(home.sourceTree, tree, mutable),
    (files) => Object.entries(files).reduce((sum, part) => sum + part.join('').length, 0),
  );

const readMutableFiles = async (
  sourceTree: Ledger['sourceTree'],
  tree: string,
  mutable: ReadonlySet<string>,
): Promise<ProgramFiles> => {
  const files = await sourceTree.readFiles(tree);
  if (!files.ok) throw new Error(files.error.message);
  return Object.fromEntries(
    files.value
      .filter(({ path }) => mutable.has(path))
      .map(({ path, content }) => [path, new TextDecoder().decode(content)]),
  );
};
