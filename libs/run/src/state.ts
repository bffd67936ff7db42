import { List } from 'immutable';
import { evolveBudget, openBudget, type Budget } from '#libs/budget';
import {
  memoriesOf,
  recentred,
  remembered,
  ZERO,
  type Memories,
  type Sums,
} from '#libs/divergence';
import { ladder } from '#libs/evaluator';
import type { Domain, Estimate, FileDomain, Observation } from '#libs/harness';
import { unreachable, type ArtefactRef } from '#libs/kernel';
import type {
  RunEvent,
  RunOpened,
  TrainingCompleted,
  TrainingLaunched,
  TrainingPurpose,
} from './events.ts';
import { keptUndone } from './kept-undone.ts';
import { follow, type LoopNode } from './loop-graph.ts';

/** What a training with one seed came to. */
export interface Seeded {
  readonly trainingId: string;
  readonly seed: number;
  readonly predictions: ArtefactRef;
  readonly observation: Observation;
  /** Of a candidate's: the difference to the incumbent over its seeds up to this one. */
  readonly overSeeds: Estimate | null;
}

/** A kept state: the source tree, or the tree after a kept mutation. */
export interface KeptState {
  readonly commit: string;
  readonly tree: string;
  /** The training that stands for it: that with the run's own seed. */
  readonly trainingId: string;
  readonly predictions: ArtefactRef;
  readonly metric: number;
  /** Its trainings, one a seed, the one that stands for it first. */
  readonly seeds: readonly Seeded[];
  /** Null for the baseline. */
  readonly mutationId: string | null;
  /** What the self-starting charts know of the line up to it, when nothing was charted since. */
  readonly memories: Memories;
}

export interface Hypothesis {
  readonly hypothesisId: string;
  readonly number: number;
  readonly statement: string;
  readonly expectedEffect: number;
}

export interface Trial {
  readonly mutationId: string;
  readonly number: number;
  readonly summary: string;
  readonly domain: FileDomain;
  readonly baseTree: string;
  readonly commit: string;
  readonly tree: string;
}

/** One attempt, as the agent's own history needs it. */
export interface Attempt {
  readonly number: number;
  readonly mutationId: string | null;
  readonly hypothesis: string;
  readonly summary: string | null;
  readonly domain: Domain | null;
  readonly baseTree: string;
  readonly proposedTree: string | null;
  readonly outcome:
    'pending' | 'kept' | 'discarded' | 'reverted' | 'crashed' | 'timed-out' | 'refused';
  readonly error: {
    readonly errorClass: string | null;
    readonly file: string | null;
    readonly line: number | null;
  } | null;
  /** The Ladder's answer after it; null where nothing was scored, or a revert was the answer. */
  readonly score: number | null;
}

/**
 * A run as far as its events go. What grows with the run is held in persistent collections: an event costs the same after
 * however many others, and an older state stays as it was.
 */
export interface RunState {
  readonly node: LoopNode;
  readonly opened: RunOpened['data'] | null;
  readonly budget: Budget;
  /** Replicates of the baseline so far. */
  readonly replicates: readonly Seeded[];
  readonly seedDeviation: number;
  /** The line: the baseline, then every kept state that stands. Its last one is the incumbent. */
  readonly line: List<KeptState>;
  /** A chart's sums since the last reset. */
  readonly sums: Readonly<Record<string, Sums>>;
  /** What each self-starting chart knows. */
  readonly memories: Memories;
  /**
   * For each chart the length of the line when the chart last stood at zero: after a decision, the stability chart
   * after a re-measurement.
   */
  readonly stable: Readonly<Record<string, number>>;
  /** Mutations that were kept or taken back so far: what a re-measurement comes due by. */
  readonly decided: number;
  /** Re-measurements launched so far: what the next one's seed is counted by. */
  readonly remeasurements: number;
  readonly hypothesis: Hypothesis | null;
  readonly trial: Trial | null;
  readonly training: TrainingLaunched['data'] | null;
  /** Ids of the keys that sign results besides the pinned worker's. */
  readonly enlisted: readonly string[];
  /** The result of the training under way, once it is there. */
  readonly completed: TrainingCompleted['data'] | null;
  /** The candidate's trainings that were measured, one a seed, the run's own first. */
  readonly seeds: readonly Seeded[];
  readonly hypotheses: number;
  readonly mutations: number;
  readonly refusalsInARow: number;
  readonly secondary: readonly string[];
  readonly ladderScore: number | null;
  /** The attempts before the newest one. */
  readonly earlierAttempts: List<Attempt>;
  /** The newest attempt. */
  readonly attempt: Attempt | null;
  /** The whole message of the halt, if any. */
  readonly haltMessage: string | null;
}

const NOTHING: Budget = openBudget(0, {
  hypothesis: 0,
  hyperparameter: 0,
  feature: 0,
  architecture: 0,
  metric: 0,
});

export const INITIAL: RunState = {
  node: 'new',
  opened: null,
  budget: NOTHING,
  replicates: [],
  seedDeviation: 0,
  line: List(),
  sums: {},
  memories: {},
  stable: {},
  decided: 0,
  remeasurements: 0,
  hypothesis: null,
  trial: null,
  training: null,
  enlisted: [],
  completed: null,
  seeds: [],
  hypotheses: 0,
  mutations: 0,
  refusalsInARow: 0,
  secondary: [],
  ladderScore: null,
  earlierAttempts: List(),
  attempt: null,
  haltMessage: null,
};

/** The kept state that the next mutation starts from. @throws before the baseline stands: asking is a bug */
export const incumbent = ({ line }: RunState): KeptState => {
  const last = line.last();
  if (last === undefined) throw new Error('no incumbent before the baseline is established');
  return last;
};

/** The mutation that was proposed and is not decided. @throws where there is none: asking is a bug */
export const candidate = ({ trial }: RunState): Trial => {
  if (trial === null) throw new Error('no mutation is on trial');
  return trial;
};

/** The hypothesis that was paid for and has no edit yet. @throws where none stands: asking is a bug */
export const standingHypothesis = ({ hypothesis }: RunState): Hypothesis => {
  if (hypothesis === null) throw new Error('no hypothesis stands');
  return hypothesis;
};

/** Where a run reverts to when these charts fire: the earliest of their stable states, as a length of the line. */
export const stableLength = ({ stable }: RunState, charts: readonly string[]): number =>
  Math.min(...charts.map((chart) => stable[chart] ?? 1));

/** This run's attempts, oldest first. */
export const attemptsOf = (state: RunState): readonly Attempt[] => [...allAttempts(state)];

const allAttempts = ({ earlierAttempts, attempt }: RunState): List<Attempt> =>
  attempt === null ? earlierAttempts : earlierAttempts.push(attempt);

/**
 * These attempts with the undone ones told as reverted. Looks back as far as the first of those and no further: a revert
 * undoes nothing from before the last one, so that no attempt is looked at by two of them.
 */
const withUndone = (attempts: List<Attempt>, undone: readonly string[]): List<Attempt> => {
  const left = new Set<string | null>(undone);
  let told = attempts;
  for (let at = attempts.size - 1; at >= 0 && left.size > 0; at -= 1) {
    const attempt = attempts.get(at);
    if (attempt !== undefined && left.delete(attempt.mutationId))
      told = told.set(at, { ...attempt, outcome: 'reverted' });
  }
  return told;
};

const changed = ({ attempt }: RunState, change: Partial<Attempt>): Attempt | null =>
  attempt === null ? null : { ...attempt, ...change };

/** Every one of these charts that stands at zero vouches for the line as it is. */
const vouched = (
  state: RunState,
  charts: (kind: string) => boolean = (kind) => kind !== 'stability',
): RunState['stable'] => ({
  ...state.stable,
  ...Object.fromEntries(
    Object.entries(state.sums)
      .filter(([chart, { upper, lower }]) => charts(chart) && upper === 0 && lower === 0)
      .map(([chart]) => [chart, state.line.size]),
  ),
});

const TRAINING_OVER = { training: null, completed: null } as const;

const ITERATION_OVER = {
  ...TRAINING_OVER,
  hypothesis: null,
  trial: null,
  seeds: [],
} as const;

const metricsOf = (seeds: readonly Seeded[]): readonly number[] =>
  seeds.map(({ observation }) => observation.metric.value);

/** What the training under way predicted. @throws without a result: the graph lets none be measured before it */
export const predicted = ({ completed }: Pick<RunState, 'completed'>): ArtefactRef => {
  if (completed === null) throw new Error('no training has completed');
  return completed.predictions;
};

/** The agent's published score moves in steps of this size only (Blum and Hardt 2015). */
export const LADDER_STEP = 0.005;

/** What the agent is told after a score of this size. */
export const told = (best: number | null, score: number): number =>
  ladder(best, score, LADDER_STEP);

const isRemeasured = ({ training }: RunState): boolean => training?.purpose === 'remeasurement';

const apply = (state: RunState, event: RunEvent): RunState => {
  switch (event.type) {
    case 'RunOpened': {
      const { budget, charts } = event.data.policy;
      return {
        ...state,
        opened: event.data,
        budget: openBudget(budget.total, budget.costs),
        sums: Object.fromEntries(charts.map(({ kind }) => [kind, ZERO])),
        stable: Object.fromEntries(charts.map(({ kind }) => [kind, 1])),
      };
    }
    case 'BudgetCharged':
    case 'BudgetExhausted':
      return { ...state, budget: evolveBudget(state.budget, event) };
    case 'TrainingLaunched':
      return {
        ...state,
        training: event.data,
        completed: null,
        remeasurements: state.remeasurements + (event.data.purpose === 'remeasurement' ? 1 : 0),
      };
    case 'WorkerEnlisted':
      return { ...state, enlisted: [...state.enlisted, event.data.keyId] };
    case 'TrainingCompleted':
      return { ...state, completed: event.data };
    case 'TrainingTimedOut':
      return isRemeasured(state) ? { ...state, ...TRAINING_OVER } : state;
    case 'TrainingFailed':
      // How the incumbent's re-measurement went is nothing that the newest attempt brought.
      if (isRemeasured(state)) return { ...state, ...TRAINING_OVER };
      return {
        ...state,
        attempt: changed(state, {
          error: {
            errorClass: event.data.errorClass ?? event.data.failure,
            file: event.data.errorFile,
            line: event.data.errorLine,
          },
        }),
      };
    case 'MetricObserved': {
      const { observation, trainingId, charts, ladderScore, purpose, overSeeds } = event.data;
      const seeded = {
        trainingId,
        seed: state.training?.seed ?? 0,
        predictions: predicted(state),
        observation,
        overSeeds,
      };
      const moved = {
        ...state,
        sums: {
          ...state.sums,
          ...Object.fromEntries(charts.map(({ chart, upper, lower }) => [chart, { upper, lower }])),
        },
        memories: remembered(state.memories, charts, observation.metric.value),
      };
      switch (purpose) {
        case 'baseline':
          return { ...state, replicates: [...state.replicates, seeded], ladderScore };
        case 'replicate':
          return { ...state, seeds: [...state.seeds, seeded] };
        case 'remeasurement':
          return {
            ...moved,
            ...TRAINING_OVER,
            stable: vouched(moved, (kind) => kind === 'stability'),
          };
        case 'candidate':
          return {
            ...moved,
            seeds: [seeded],
            ladderScore,
            // A result that brings a revert is not told: the revert itself is all that the agent learns.
            attempt: charts.some(({ fired }) => fired)
              ? state.attempt
              : changed(state, { score: ladderScore }),
          };
        default:
          return unreachable(purpose);
      }
    }
    case 'BaselineEstablished': {
      const { commit, tree, trainingId, metric, seedDeviation } = event.data;
      const { opened, replicates } = state;
      const first = replicates.find((replicate) => replicate.trainingId === trainingId);
      const memories = opened === null ? {} : memoriesOf(opened.policy, metricsOf(replicates));
      const baseline: KeptState = {
        commit,
        tree,
        trainingId,
        predictions: first?.predictions ?? predicted(state),
        metric,
        seeds: replicates,
        mutationId: null,
        memories,
      };
      return { ...state, ...ITERATION_OVER, seedDeviation, line: List([baseline]), memories };
    }
    case 'HypothesisProposed':
      return {
        ...state,
        hypothesis: event.data,
        hypotheses: event.data.number,
        refusalsInARow: 0,
        earlierAttempts: allAttempts(state),
        attempt: {
          number: event.data.number,
          mutationId: null,
          hypothesis: event.data.statement,
          summary: null,
          domain: null,
          baseTree: incumbent(state).tree,
          proposedTree: null,
          outcome: 'pending',
          error: null,
          score: null,
        },
      };
    case 'ProposalRefused':
      return {
        ...state,
        refusalsInARow: event.data.inARow,
        attempt: changed(state, { outcome: 'refused' }),
      };
    case 'SecondaryMetricProposed':
      return {
        ...state,
        ...ITERATION_OVER,
        secondary: [...state.secondary, event.data.name],
        attempt: changed(state, { domain: 'metric', outcome: 'kept' }),
      };
    case 'MutationProposed': {
      const { mutationId, number, summary, measuredDomain, baseTree } = event.data;
      const { proposedCommit: commit, proposedTree: tree } = event.data;
      return {
        ...state,
        mutations: number,
        trial:
          measuredDomain === null
            ? null
            : { mutationId, number, summary, domain: measuredDomain, baseTree, commit, tree },
        attempt: changed(state, {
          mutationId,
          summary,
          domain: measuredDomain,
          proposedTree: tree,
          outcome: 'pending',
        }),
      };
    }
    case 'MutationKept': {
      const { commit, tree, trainingId, metric, mutationId } = event.data;
      const { seeds } = state;
      // Under version 1 the observation has moved it already, and this moves it no further.
      const ladderScore = told(state.ladderScore, metric);
      const predictions = seeds[0]?.predictions ?? predicted(state);
      const kept: RunState = {
        ...state,
        ...ITERATION_OVER,
        decided: state.decided + 1,
        line: state.line.push({
          ...{ commit, tree, trainingId, predictions, metric, seeds, mutationId },
          memories: recentred(state.line.last()?.memories ?? {}, metricsOf(seeds)),
        }),
        memories: recentred(state.memories, metricsOf(seeds)),
        ladderScore,
        attempt: changed(state, { outcome: 'kept', score: ladderScore }),
      };
      return { ...kept, stable: vouched(kept) };
    }
    case 'MutationReverted': {
      const outcome = {
        'not-better-than-noise': 'discarded',
        'post-loop-gate': 'discarded',
        'training-failed': 'crashed',
        'timed-out': 'timed-out',
      } as const;
      return {
        ...state,
        ...ITERATION_OVER,
        decided: state.decided + 1,
        stable: vouched(state),
        attempt: changed(state, { outcome: outcome[event.data.reason] }),
      };
    }
    case 'RunReverted': {
      const { mutationId, undone } = event.data;
      const line = state.line.slice(0, state.line.size - keptUndone(event.data));
      const attempts = withUndone(allAttempts(state), undone);
      return {
        ...state,
        ...ITERATION_OVER,
        decided: state.decided + (mutationId === null ? 0 : 1),
        line,
        memories: line.last()?.memories ?? {},
        sums: Object.fromEntries(Object.keys(state.sums).map((chart) => [chart, ZERO])),
        stable: Object.fromEntries(Object.keys(state.stable).map((chart) => [chart, line.size])),
        earlierAttempts: attempts.pop(),
        attempt: attempts.last() ?? null,
      };
    }
    case 'RunHalted':
      return { ...state, haltMessage: event.data.message };
    case 'GatePassed':
    case 'CohortsServed':
    case 'RestorePointTaken':
    case 'MutationCutOver':
    case 'FairnessMeasured':
    case 'DivergenceDetected':
    case 'LoopEnded':
    case 'RunHeadSigned':
    case 'RunClosed':
      return state;
  }
};

/** The run after one more event. */
export const evolve = (state: RunState, event: RunEvent): RunState => {
  const purpose: TrainingPurpose | null = state.training?.purpose ?? null;
  return { ...apply(state, event), node: follow(state.node, event.type, purpose) };
};
