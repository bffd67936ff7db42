import {
  fileChanges,
  mutationCommand,
  type ProposalContext,
} from '../../apps/runner/src/effects/ask.ts';
import { agentView } from '../../apps/runner/src/effects/agent-view.ts';
import { perform } from '../../apps/runner/src/effects/perform.ts';
import { trainingJob } from '../../apps/runner/src/effects/train.ts';
import { driveRun, openRun, type Home, type OpenedStudy } from '#apps/runner';
import type { AgentView, FileEdit, ProgramFiles } from '#libs/agents';
import { clip, observe, parsePredictions, type CellCounts } from '#libs/evaluator';
import { cellCount, type Observation } from '#libs/harness';
import { deriveId, type Actor } from '#libs/kernel';
import {
  incumbent,
  nextStep,
  runDecider,
  type RunCommand,
  type RunEvent,
  type RunState,
  type TrainingResult,
} from '#libs/run';
import { readStudy } from '#libs/studies';
import { good } from '../support/results.ts';
import type { End } from './attack.ts';
import { HYPOTHESIS, type Words } from './ideas.ts';
import { LAST_STEPS, NOBODY, type Board } from './oracle-game.ts';

const AGENT: Actor = { role: 'agent', id: 'search-agent' };

/** What the gate said of a proposal, and the tree that was proposed, however it was judged. */
export interface Judged {
  readonly verdict: 'halts' | 'refuses' | 'passes';
  /** The rules that were broken, or the reason of a refusal. */
  readonly why: string;
  /** Null where the edge made no tree of it. */
  readonly tree: string | null;
  readonly events: readonly RunEvent[];
}

/** A training without the mid-loop gate: the real worker, sandbox and evaluator. */
export interface Trained {
  readonly end: End;
  readonly result: TrainingResult | null;
  readonly observation: Observation | null;
  /** Everything that came out of it: artefacts, log and the words of its result. */
  readonly out: string;
  readonly predictions: string | null;
}

/** A real run that waits for a mutation, for ever: proposals are judged in front of it and leave it as it stands. */
export interface Post {
  readonly study: OpenedStudy;
  readonly context: ProposalContext;
  /** The same run before it had a hypothesis. */
  readonly idle: RunState;
  /** All files of the honest program. */
  readonly base: ProgramFiles;
  readonly baseTree: string;
  /** What games of the pure loop are played on. */
  readonly board: Board;
  readonly honest: Trained;
  /** Through the real edge and the real decider. */
  readonly judge: (edits: readonly FileEdit[], words?: Words) => Promise<Judged>;
  /** Of a tree that no edit made; `changes` are measured as the edge does. */
  readonly judgeTree: (tree: string) => Promise<Judged>;
  /** By the real worker in the real sandbox, whatever the gate said of it. */
  readonly train: (tree: string, seconds?: number) => Promise<Trained>;
  /** The rest of the attempt by the real loop, as if the gate had let this tree pass; nothing of it is recorded. */
  readonly follow: (tree: string) => Promise<Followed>;
}

export interface Followed {
  readonly events: readonly RunEvent[];
  /** What its agent is shown then. */
  readonly view: AgentView;
}

/** Opens a run of a study in `home`, trains its baseline and states a hypothesis. */
export const takePost = async (home: Home, studyFile: string): Promise<Post> => {
  const onDisk = good(await readStudy(studyFile));
  const { policy } = onDisk;
  const { runId, study } = good(await openRun(home, { study: onDisk, seed: 1 }));
  good(await driveRun(home, { runId, study, agent: null }));
  const { state: idle } = await home.runs.load(runId);
  good(
    await home.runs.send(
      runId,
      {
        type: 'ProposeHypothesis',
        id: deriveId('hypothesis', runId),
        data: HYPOTHESIS,
      },
      AGENT,
    ),
  );
  const { state, head } = await home.runs.load(runId);
  if (state.opened === null || head === null) throw new Error('the run was not opened');
  const { opened } = state;
  const context: ProposalContext = { home, runId, state, opened, head };
  const { tree: baseTree, commit } = incumbent(state);
  const base = Object.fromEntries(
    good(await home.sourceTree.readFiles(baseTree)).map(({ path, content }) => [
      path,
      new TextDecoder().decode(content),
    ]),
  );
  const queue = good(await home.queue());

  const decided = (command: RunCommand, tree: string | null): Judged => {
    const decision = runDecider.decide(state, command);
    if (!decision.ok) return { verdict: 'refuses', why: decision.error.message, tree, events: [] };
    for (const event of decision.value) {
      if (event.type === 'RunHalted') {
        const rules = event.data.breaches.map(({ rule }) => rule);
        const why = `${event.data.by}: ${[...new Set(rules)].join(', ')}`;
        return { verdict: 'halts', why, tree, events: decision.value };
      }
      if (event.type === 'ProposalRefused')
        return { verdict: 'refuses', why: event.data.reason, tree, events: decision.value };
    }
    return { verdict: 'passes', why: '', tree, events: decision.value };
  };

  let proposals = 0;
  const judge: Post['judge'] = async (edits, { domain = 'hyperparameter', summary } = {}) => {
    proposals += 1;
    const id = deriveId('proposal', String(proposals));
    const command = await mutationCommand(
      context,
      { kind: 'edit', domain, summary: summary ?? 'try another model', edits },
      () => id,
    );
    return decided(command, command.type === 'ProposeMutation' ? command.data.tree : null);
  };

  const judgeTree: Post['judgeTree'] = async (tree) => {
    const changed = await home.sourceTree.diffTrees(baseTree, tree);
    if (!changed.ok) return { verdict: 'refuses', why: changed.error.message, tree, events: [] };
    const changes = await fileChanges(home, changed.value);
    return decided(
      {
        type: 'ProposeMutation',
        id: deriveId('tree', tree),
        data: {
          summary: 'try another model',
          declaredDomain: 'architecture',
          ...{ baseTree, commit, tree, changes },
        },
      },
      tree,
    );
  };

  let trainings = 0;
  const train: Post['train'] = async (tree, seconds = policy.training.seconds) => {
    trainings += 1;
    const trainingId = deriveId('training', String(trainings));
    const job = trainingJob(opened, { trainingId, tree, seed: opened.seed });
    let result: TrainingResult;
    try {
      result = await queue.run({ ...job, limits: { ...job.limits, seconds } });
    } catch (error) {
      const said = (error as Error).message;
      if (!/can't be trained/.test(said)) throw error;
      return {
        end: 'does-not-materialise',
        ...{ result: null, observation: null, out: said, predictions: null },
      };
    }
    const artefacts = good(await home.sourceTree.readFiles(result.data.artefacts)).map(
      ({ path, content }) => [path, new TextDecoder().decode(content)] as const,
    );
    const predictions = artefacts.find(([path]) => path === 'predictions.csv')?.[1] ?? null;
    const out = [JSON.stringify(result), ...artefacts.map(([, text]) => text)].join('\n');
    const observation =
      result.type === 'TrainingCompleted' && predictions !== null ? measured(predictions) : null;
    return { end: endOf(result, predictions), result, observation, out, predictions };
  };

  const probabilities = (predictions: string): Float64Array =>
    good(
      parsePredictions(new TextEncoder().encode(predictions), cellCount(policy.data.dimensions)),
    );
  const measured = (predictions: string): Observation =>
    observe({
      predictions: probabilities(predictions),
      incumbent: honest === null ? null : probabilities(honest.predictions ?? ''),
      dev: study.vault.counts.dev.cells,
      check: study.vault.counts.check.cells,
      minimumCell: policy.data.minimumCell,
      secondary: [],
    });
  const endOf = (result: TrainingResult, predictions: string | null): End => {
    if (result.type === 'TrainingTimedOut') return 'timed-out';
    if (result.type === 'TrainingFailed') return result.data.failure;
    return honest === null || predictions === honest.predictions ? 'as-honest' : 'as-predicted';
  };
  let honest: Trained | null = null;
  honest = await train(baseTree);
  if (honest.end !== 'as-honest')
    throw new Error(`the honest program does not train: ${honest.out}`);

  // An edit of the settings that says nothing new.
  const path = 'hyperparameters.json';
  const lawful = await mutationCommand(
    context,
    {
      ...{ kind: 'edit', domain: 'hyperparameter', summary: 'try another model' },
      edits: [{ path, content: `${base[path] ?? ''}\n` }],
    },
    () => deriveId('lawful'),
  );
  if (lawful.type !== 'ProposeMutation') throw new Error('the lawful edit does not apply');
  const { changes } = lawful.data;

  let followed = 0;
  const follow: Post['follow'] = async (tree) => {
    followed += 1;
    const events: RunEvent[] = [];
    let now = state;
    const take = (command: RunCommand): void => {
      const decision = runDecider.decide(now, command);
      if (!decision.ok) throw new Error(decision.error.message);
      events.push(...decision.value);
      now = decision.value.reduce(runDecider.evolve, now);
    };
    take({
      ...lawful,
      id: deriveId('follow', String(followed)),
      data: { ...lawful.data, tree },
    });
    for (;;) {
      const step = nextStep(now);
      if (step.kind === 'rest' || LAST_STEPS.includes(step.kind))
        return { events, view: await agentView({ home, runId, state: now, opened }) };
      const id = deriveId('followed', String(followed), String(events.length));
      take(
        await perform(
          {
            ...{ home, study, agent: NOBODY, runId, state: now, opened },
            head: { ...head, id },
            onProgress: () => undefined,
            signal: new AbortController().signal,
          },
          step,
        ),
      );
    }
  };

  return {
    ...{ study, context, idle, base, baseTree, honest, judge, judgeTree, train, follow },
    board: { opened, changes },
  };
};

/** The log-loss that predictions deserve, counted here and not by the evaluator. */
export const deserved = (
  predictions: string,
  { people, positive }: CellCounts,
  minimumCell: number,
): number => {
  let loss = 0;
  let n = 0;
  for (const line of predictions.trimEnd().split('\n').slice(1)) {
    const [cell = 0, p = 0] = line.split(',').map(Number);
    const many = people[cell] ?? 0;
    if (many < minimumCell) continue;
    const yes = positive[cell] ?? 0;
    loss -= yes * Math.log(clip(p)) + (many - yes) * Math.log(1 - clip(p));
    n += many;
  }
  return loss / n;
};
