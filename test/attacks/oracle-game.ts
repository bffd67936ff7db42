import type { EffectContext } from '../../apps/runner/src/effects/context.ts';
import { perform } from '../../apps/runner/src/effects/perform.ts';
import type { Agent } from '#libs/agents';
import { score, type CellCounts } from '#libs/evaluator';
import type { FileChange, HarnessPolicy } from '#libs/harness';
import { deriveId, ok } from '#libs/kernel';
import {
  attemptsOf,
  LADDER_STEP,
  nextStep,
  runDecider,
  type RunCommand,
  type RunOpened,
  type RunState,
  type Step,
} from '#libs/run';
import { uniform } from '../support/fixture-study.ts';
import { HYPOTHESIS } from './ideas.ts';

/** A population, a sample of it that is held out, and what its rates are known to be from other rows. */
export interface World {
  readonly rates: readonly number[];
  readonly dev: CellCounts;
}

/** Cells of `people` each, with rates and outcomes drawn from a seed. */
export const drawWorld = (seed: number, people: readonly number[]): World => {
  const next = uniform(seed);
  const rates = people.map(() => 0.15 + 0.7 * next());
  const positive = people.map((n, cell) => {
    let count = 0;
    for (let person = 0; person < n; person += 1) if (next() < rates[cell]!) count += 1;
    return count;
  });
  return { rates, dev: { people, positive } };
};

/** What the agent is told of an attempt: nothing else of the game ever reaches it. */
export interface Told {
  readonly outcome: string;
  /** The Ladder's; null where a revert was the answer. */
  readonly score: number | null;
}

/** What a run pinned, and the diff of a lawful edit, as the edge measures it. */
export interface Board {
  readonly opened: RunOpened['data'];
  readonly changes: readonly FileChange[];
}

export interface Game {
  /** The incumbent, which the agent knows because it wrote it. */
  readonly incumbent: () => readonly number[];
  /** Submits predictions as a mutation; null: the budget is spent. */
  readonly submit: (predictions: readonly number[]) => Promise<Told | null>;
  /** What it would be told if the held-out rows were others; nothing is submitted. */
  readonly wouldBeTold: (dev: CellCounts, predictions: readonly number[]) => Promise<Told | null>;
}

/** Where an attempt is over: it is the agent's turn, or the run's end. */
export const LAST_STEPS: readonly Step['kind'][] = [
  'ask-hypothesis',
  'ask-mutation',
  'sign-head',
  'prove-findings',
];

const FILE = { path: 'predictions.csv', oid: 'oid', sha256: '', bytes: 1 };

/** The agent where none is asked. */
export const NOBODY: Agent = {
  proposeHypothesis: () => Promise.reject(new Error('nobody is asked')),
  proposeMutation: () => Promise.reject(new Error('nobody is asked')),
};

/**
 * The loop on a world of one's own: the real decider and effects, evaluator, Ladder, keep rule, charts and budget; only
 * trees and trainings are left out, since an agent that may write code can have any predictions. The repository and
 * the vault are doubles that hold what was predicted and the world's rows.
 */
export const play = async (
  { opened, changes }: Board,
  policy: HarnessPolicy,
  { dev }: World,
  baseline: readonly number[],
): Promise<Game> => {
  const pinned = { ...opened, policy };
  const predictionsOf = new Map<string, readonly number[]>([[opened.pins.tree, baseline]]);
  let commands = 0;
  const next = (): string => {
    commands += 1;
    return deriveId('game', String(commands));
  };
  const decide = (state: RunState, command: RunCommand): RunState => {
    const decision = runDecider.decide(state, command);
    if (!decision.ok) throw new Error(`${command.type}: ${decision.error.message}`);
    return decision.value.reduce(runDecider.evolve, state);
  };

  /** All that the harness does by itself, until it is the agent's turn or the run is over. */
  const settle = async (from: RunState, rows: CellCounts): Promise<RunState> => {
    const none = { people: [], positive: [] };
    const study = {
      policy,
      vault: {
        counts: {
          dev: { cells: rows, protected: [] },
          check: { cells: none, protected: [] },
        },
      },
    };
    const sourceTree = {
      readFile: async (tree: string) =>
        ok(
          new TextEncoder().encode(
            ['cell,p', ...predictionsOf.get(tree)!.map((p, cell) => `${cell},${p}`), ''].join('\n'),
          ),
        ),
    };
    let state = from;
    for (;;) {
      const step = nextStep(state);
      if (step.kind === 'train') {
        const { trainingId, tree } = step.training;
        const data = {
          trainingId,
          ...{ steps: 1, durationMs: 1, artefacts: 'tree', selfReported: null },
          ...{ predictions: { ...FILE, oid: tree }, log: FILE },
          // No program runs in this game: what would have contained it is said so that the decider goes on.
          isolation: { kind: 'bubblewrap', layers: opened.policy.sandbox.minimum.join(' ') },
          signature: { keyId: opened.keys.worker.keyId, value: '' },
        };
        const result = { type: 'TrainingCompleted', data } as const;
        state = decide(state, {
          type: 'RecordTraining',
          id: next(),
          data: { worker: null, result },
        });
      } else if (step.kind === 'rest' || LAST_STEPS.includes(step.kind)) return state;
      else {
        const context = {
          ...{ home: { sourceTree }, study, agent: NOBODY, runId: opened.runId, state },
          ...{ opened: pinned, head: { id: next() } },
        };
        state = decide(state, await perform(context as unknown as EffectContext, step));
      }
    }
  };

  const check = { rule: 'rows', passed: true, found: 'enough', expected: 'enough' };
  let state = await settle(
    decide(runDecider.initialState, {
      type: 'OpenRun',
      id: next(),
      data: { opened: pinned, checks: [check] },
    }),
    dev,
  );
  const incumbentOf = ({ line }: RunState): readonly number[] =>
    predictionsOf.get(line.last()?.tree ?? '') ?? baseline;

  const attempt = async (
    before: RunState,
    rows: CellCounts,
    predictions: readonly number[],
  ): Promise<RunState | null> => {
    if (before.node !== 'idle') return null;
    const paid = decide(before, {
      type: 'ProposeHypothesis',
      id: next(),
      data: HYPOTHESIS,
    });
    // What can't be paid ends the loop.
    if (paid.node !== 'hypothesised') return null;
    const tree = next();
    predictionsOf.set(tree, predictions);
    const proposed = decide(paid, {
      type: 'ProposeMutation',
      id: next(),
      data: {
        ...{ summary: 'try another model', declaredDomain: 'hyperparameter', commit: tree, tree },
        baseTree: before.line.last()?.tree ?? '',
        changes,
      },
    });
    if (proposed.node !== 'proposed') return null;
    return settle(proposed, rows);
  };
  const toldOf = (after: RunState): Told => {
    const last = attemptsOf(after).at(-1);
    return { outcome: last?.outcome ?? 'none', score: last?.score ?? null };
  };
  return {
    incumbent: () => incumbentOf(state),
    submit: async (predictions) => {
      const after = await attempt(state, dev, predictions);
      if (after === null) return null;
      state = after;
      return toldOf(state);
    },
    wouldBeTold: async (rows, predictions) => {
      const after = await attempt(state, rows, predictions);
      return after && toldOf(after);
    },
  };
};

const logChoose = (n: number, k: number): number => {
  let sum = 0;
  for (let i = 1; i <= k; i += 1) sum += Math.log2(n - k + i) - Math.log2(i);
  return sum;
};

const binomial = (n: number, rate: number): readonly number[] =>
  Array.from(
    { length: n + 1 },
    (_, k) => 2 ** (logChoose(n, k) + k * Math.log2(rate) + (n - k) * Math.log2(1 - rate)),
  );

const entropy = (weights: readonly number[]): number => {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.reduce((sum, w) => (w > 0 ? sum - (w / total) * Math.log2(w / total) : sum), 0);
};

/** Predictions with one cell changed. */
const changed = (predictions: readonly number[], cell: number, p: number): readonly number[] =>
  predictions.map((other, each) => (each === cell ? p : other));

export interface CellAttack {
  readonly queries: number;
  /** Bits that the answers told of the attacked cells' counts, by an attacker who reasons without a flaw. */
  readonly bits: number;
  /** Cells whose count he then knew for sure, and those whose count he guessed right. */
  readonly certain: number;
  readonly guessed: number;
  /** What he would have guessed right without any answer, on average. */
  readonly byChance: number;
}

const CANDIDATES = [0.02, 0.3, 0.5, 0.7, 0.98];

/**
 * Perturbs one cell at a time, at the prediction whose answers tell most, and reads the count of its positives out of
 * what he is told. The attacker is stronger than a real one: he knows every cell's size and rate, and the counts of all
 * other cells, so that each answer depends on nothing but the one count that he is after.
 *
 * @param raw - the control: he is told exact scores
 */
export const readCells = async (
  board: Board,
  policy: HarnessPolicy,
  world: World,
  raw: boolean,
): Promise<CellAttack> => {
  const { people, positive } = world.dev;
  const { minimumCell } = policy.data;
  const game = await play(board, policy, world, world.rates);
  const answer = async (cell: number, p: number, k: number): Promise<string> => {
    const rows = {
      people,
      positive: Array.from(positive, (yes, each) => (each === cell ? k : yes)),
    };
    const predictions = changed(game.incumbent(), cell, p);
    return raw
      ? String(score(predictions, rows, minimumCell)?.value.toFixed(12))
      : JSON.stringify(await game.wouldBeTold(rows, predictions));
  };

  const cells = Array.from(people, (n, cell) => ({ n, cell }))
    .filter(({ n }) => n >= minimumCell)
    .toSorted((one, other) => one.n - other.n);
  const result = { queries: 0, bits: 0, certain: 0, guessed: 0, byChance: 0 };
  for (const { n, cell } of cells) {
    const prior = binomial(n, world.rates[cell]!);
    const plans = [];
    for (const p of CANDIDATES) {
      const groups = new Map<string, number[]>();
      for (const k of prior.keys()) {
        const said = await answer(cell, p, k);
        groups.set(said, [...(groups.get(said) ?? []), k]);
      }
      const weights = [...groups.values()].map((group) =>
        group.reduce((sum, k) => sum + prior[k]!, 0),
      );
      plans.push({ p, groups, bits: entropy(weights) });
    }
    const best = plans.reduce((one, other) => (other.bits > one.bits ? other : one));
    const exactly = await answer(cell, best.p, positive[cell]!);
    const told = await game.submit(changed(game.incumbent(), cell, best.p));
    if (told === null) break;
    const left = best.groups.get(raw ? exactly : JSON.stringify(told));
    if (left === undefined) throw new Error('the loop said what no count explains');
    const guess = left.reduce((one, other) => (prior[other]! > prior[one]! ? other : one));
    result.queries += 1;
    result.bits += best.bits;
    if (left.length === 1) result.certain += 1;
    if (guess === positive[cell]) result.guessed += 1;
    result.byChance += Math.max(...prior);
  }
  return result;
};

/** The most bits that a run can tell through scores and decisions, whatever is asked: the count of all transcripts. */
export const transcriptBits = (policy: HarnessPolicy, baselineScore: number): number => {
  const { hypothesis, hyperparameter } = policy.budget.costs;
  const queries = Math.floor(policy.budget.total / (hypothesis + hyperparameter));
  const levels = Math.ceil(baselineScore / LADDER_STEP);
  // The told score falls along at most `levels` rungs; each attempt is kept, discarded, reverted or failed.
  return logChoose(queries + levels, Math.min(queries, levels)) + queries * 2;
};

/**
 * Blum and Hardt's attack on a leaderboard: random changes of all cells, those that look better are kept, and the
 * majority of them is submitted in the end. What it gains on the dev rows beyond what it gains on everybody is
 * knowledge of these very people.
 *
 * @returns log-loss per person that dev flatters the attacker by, beyond what it flattered the baseline by
 */
export const boost = async (
  board: Board,
  policy: HarnessPolicy,
  world: World,
  seed: number,
  raw: boolean,
): Promise<number> => {
  const next = uniform(seed);
  const game = await play(board, policy, world, world.rates);
  const { minimumCell } = policy.data;
  const exact = (predictions: readonly number[]): number =>
    score(predictions, world.dev, minimumCell)!.value;
  const votes = world.rates.map(() => 0);
  const moved = (by: readonly number[]): readonly number[] =>
    world.rates.map((rate, cell) => 1 / (1 + Math.exp(-(Math.log(rate / (1 - rate)) + by[cell]!))));
  const start = exact(world.rates);
  const usual = exact(moved(world.rates.map((_, cell) => (cell % 2 === 0 ? 0.3 : -0.3))));
  let lowest: number | null = null;
  for (;;) {
    const signs = world.rates.map(() => (next() < 0.5 ? -1 : 1));
    const candidate = moved(signs.map((sign) => sign * 0.3));
    const told = await game.submit(candidate);
    if (told === null) break;
    const fell = told.score !== null && lowest !== null && told.score < lowest;
    lowest = told.score ?? lowest;
    if (raw ? exact(candidate) < usual : fell || told.outcome === 'kept')
      signs.forEach((sign, cell) => (votes[cell]! += sign));
  }
  const final = votes.every((vote) => vote === 0)
    ? game.incumbent()
    : moved(votes.map((vote) => Math.sign(vote) * 0.3));
  const { people } = world.dev;
  const expected = { people, positive: world.rates.map((rate, cell) => rate * people[cell]!) };
  const everybody = (predictions: readonly number[]): number =>
    score(predictions, expected, minimumCell)!.value;
  return everybody(final) - exact(final) - (everybody(world.rates) - start);
};
