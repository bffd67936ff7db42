import { clip, fairness, observe, score, type CellCounts } from '#libs/evaluator';
import type { FileChange, HarnessPolicy } from '#libs/harness';
import { deriveId } from '#libs/kernel';
import {
  attemptsOf,
  LADDER_STEP,
  runDecider,
  type RunCommand,
  type RunOpened,
  type RunState,
} from '#libs/run';
import { uniform } from '../support/fixture-study.ts';

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
  readonly submit: (predictions: readonly number[]) => Told | null;
  /** What it would be told if the held-out rows were others; nothing is submitted. */
  readonly wouldBeTold: (dev: CellCounts, predictions: readonly number[]) => Told | null;
}

const FILE = { path: 'predictions.csv', oid: 'oid', sha256: '', bytes: 1 };

/**
 * The loop on a world of one's own: the real decider, evaluator, Ladder, keep rule, charts and budget; only trees and
 * trainings are left out, since an agent that may write code can have any predictions.
 */
export const play = (
  { opened, changes }: Board,
  policy: HarnessPolicy,
  { dev }: World,
  baseline: readonly number[],
): Game => {
  let commands = 0;
  const send = (state: RunState, type: RunCommand['type'], data: object): RunState => {
    commands += 1;
    const id = deriveId('game', String(commands));
    const decision = runDecider.decide(state, { type, id, data } as RunCommand);
    if (!decision.ok) throw new Error(`${type}: ${decision.error.message}`);
    return decision.value.reduce(runDecider.evolve, state);
  };
  const observed = (
    state: RunState,
    rows: CellCounts,
    predictions: readonly number[],
    incumbent: readonly number[] | null,
  ): RunState => {
    const trainingId = state.training?.trainingId ?? '';
    const data = {
      trainingId,
      ...{ steps: 1, durationMs: 1, artefacts: 'tree', selfReported: null },
      ...{ predictions: FILE, log: FILE, isolation: { kind: 'bubblewrap' } },
      signature: { keyId: opened.keys.worker.keyId, value: '' },
    };
    return send(
      send(state, 'RecordTraining', { worker: null, result: { type: 'TrainingCompleted', data } }),
      'ObserveMetric',
      {
        trainingId,
        observation: observe({
          ...{ predictions, incumbent, dev: rows, check: null },
          minimumCell: policy.data.minimumCell,
          secondary: [],
        }),
      },
    );
  };

  const check = { rule: 'rows', passed: true, found: 'enough', expected: 'enough' };
  let state = send(runDecider.initialState, 'OpenRun', {
    opened: { ...opened, policy },
    checks: [check],
  });
  while (state.node === 'baseline')
    state = observed(send(state, 'LaunchBaseline', {}), dev, baseline, null);
  const submitted = new Map<string, readonly number[]>([[opened.pins.tree, baseline]]);
  const incumbentOf = ({ line }: RunState): readonly number[] =>
    submitted.get(line.at(-1)?.tree ?? '') ?? baseline;

  const attempt = (
    before: RunState,
    rows: CellCounts,
    predictions: readonly number[],
  ): { readonly state: RunState; readonly tree: string } | null => {
    if (before.node !== 'idle') return null;
    const idea = { statement: 'Cohorts by route tell more', expectedEffect: 0.01 };
    const paid = send(before, 'ProposeHypothesis', idea);
    // What can't be paid ends the loop.
    if (paid.node !== 'hypothesised') return null;
    const tree = deriveId('tree', String(commands));
    const proposed = send(paid, 'ProposeMutation', {
      ...{ summary: 'try another model', declaredDomain: 'hyperparameter', commit: tree, tree },
      baseTree: before.line.at(-1)?.tree ?? '',
      changes,
    });
    if (proposed.node !== 'proposed') return null;
    const { mutationId = '' } = proposed.trial ?? {};
    const told = observed(
      send(proposed, 'CutOver', { mutationId }),
      rows,
      predictions,
      incumbentOf(before),
    );
    return {
      tree,
      state:
        told.node === 'observed'
          ? send(told, 'Judge', {
              mutationId,
              fairness: fairness(predictions, [], {
                policy: policy.gates.postLoop,
                label: 'positive',
              }),
            })
          : told,
    };
  };
  const toldOf = (after: RunState): Told => {
    const last = attemptsOf(after).at(-1);
    return { outcome: last?.outcome ?? 'none', score: last?.score ?? null };
  };
  return {
    incumbent: () => incumbentOf(state),
    submit: (predictions) => {
      const made = attempt(state, dev, predictions);
      if (made === null) return null;
      submitted.set(made.tree, predictions);
      state = made.state;
      return toldOf(state);
    },
    wouldBeTold: (rows, predictions) => {
      const made = attempt(state, rows, predictions);
      return made && toldOf(made.state);
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
export const readCells = (
  board: Board,
  policy: HarnessPolicy,
  world: World,
  raw: boolean,
): CellAttack => {
  const { people, positive } = world.dev;
  const { minimumCell } = policy.data;
  const game = play(board, policy, world, world.rates);
  const answer = (cell: number, p: number, k: number): string => {
    const rows = {
      people,
      positive: Array.from(positive, (yes, each) => (each === cell ? k : yes)),
    };
    const predictions = changed(game.incumbent(), cell, p);
    return raw
      ? String(score(predictions, rows, minimumCell)?.value.toFixed(12))
      : JSON.stringify(game.wouldBeTold(rows, predictions));
  };

  const cells = Array.from(people, (n, cell) => ({ n, cell }))
    .filter(({ n }) => n >= minimumCell)
    .toSorted((one, other) => one.n - other.n);
  const result = { queries: 0, bits: 0, certain: 0, guessed: 0, byChance: 0 };
  for (const { n, cell } of cells) {
    const prior = binomial(n, world.rates[cell]!);
    const plans = CANDIDATES.map((p) => {
      const groups = new Map<string, number[]>();
      prior.forEach((_, k) => {
        const said = answer(cell, p, k);
        groups.set(said, [...(groups.get(said) ?? []), k]);
      });
      const weights = [...groups.values()].map((group) =>
        group.reduce((sum, k) => sum + prior[k]!, 0),
      );
      return { p, groups, bits: entropy(weights) };
    });
    const best = plans.reduce((one, other) => (other.bits > one.bits ? other : one));
    const exactly = answer(cell, best.p, positive[cell]!);
    const told = game.submit(changed(game.incumbent(), cell, best.p));
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
export const boost = (
  board: Board,
  policy: HarnessPolicy,
  world: World,
  seed: number,
  raw: boolean,
): { readonly flattery: number; readonly kept: number } => {
  const next = uniform(seed);
  const game = play(board, policy, world, world.rates);
  const { minimumCell } = policy.data;
  const exact = (predictions: readonly number[]): number =>
    score(predictions, world.dev, minimumCell)!.value;
  const votes = world.rates.map(() => 0);
  const moved = (by: readonly number[]): readonly number[] =>
    world.rates.map((rate, cell) => 1 / (1 + Math.exp(-(Math.log(rate / (1 - rate)) + by[cell]!))));
  const start = exact(world.rates);
  const usual = exact(moved(world.rates.map((_, cell) => (cell % 2 === 0 ? 0.3 : -0.3))));
  let kept = 0;
  let lowest: number | null = null;
  for (;;) {
    const signs = world.rates.map(() => (next() < 0.5 ? -1 : 1));
    const candidate = moved(signs.map((sign) => sign * 0.3));
    const told = game.submit(candidate);
    if (told === null) break;
    if (told.outcome === 'kept') kept += 1;
    const fell = told.score !== null && lowest !== null && told.score < lowest;
    lowest = told.score ?? lowest;
    if (raw ? exact(candidate) < usual : fell || told.outcome === 'kept')
      signs.forEach((sign, cell) => (votes[cell]! += sign));
  }
  const final = votes.every((vote) => vote === 0)
    ? game.incumbent()
    : moved(votes.map((vote) => Math.sign(vote) * 0.3));
  const { people } = world.dev;
  const everybody = (predictions: readonly number[]): number => {
    let loss = 0;
    let n = 0;
    Array.from(people).forEach((many, cell) => {
      if (many < minimumCell) return;
      const rate = world.rates[cell]!;
      loss -=
        many *
        (rate * Math.log(clip(predictions[cell])) +
          (1 - rate) * Math.log(1 - clip(predictions[cell])));
      n += many;
    });
    return loss / n;
  };
  const flattery = everybody(final) - exact(final) - (everybody(world.rates) - start);
  return { flattery, kept };
};
