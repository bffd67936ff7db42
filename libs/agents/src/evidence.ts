import type { SearchKnob } from '#libs/harness';
import { strategyOf, treeKey, type Strategy } from './moves.ts';
import type { AgentView, AttemptView } from './port.ts';
import { apply, changesBetween, readSettings, type Change } from './settings.ts';

/** Times that something paid and times that it didn't. */
interface Tally {
  wins: number;
  losses: number;
}

/** What an agent has learnt from its own attempts. */
export interface Evidence {
  /** States that were tried or stood as incumbent. */
  readonly tried: ReadonlySet<string>;
  /** Changes that had been kept and were undone by a revert, and stand in the incumbent no more. */
  readonly lost: readonly Change[];
  /** What attempts are counted under: their strategy and, where it is one, their knob. */
  readonly armOf: (changes: readonly Change[]) => string;
  readonly ofStrategy: (changes: readonly Change[]) => Readonly<Tally>;
  readonly ofChange: (change: Change) => Readonly<Tally>;
  /** Mean relative gain of a strategy's attempts, drawn towards {@link PRIOR_GAIN}. */
  readonly expectedGain: (changes: readonly Change[]) => number;
}

/** Before anything is known: how often such a step pays, as wins and losses that were never seen. */
const PRIORS: Readonly<Record<Strategy, Tally>> = {
  add: { wins: 2, losses: 1 },
  pair: { wins: 2, losses: 2 },
  remove: { wins: 1, losses: 4 },
  tune: { wins: 1, losses: 2 },
  switch: { wins: 1, losses: 2 },
  recombine: { wins: 2, losses: 2 },
};
const PRIOR_GAIN = 0.02;
/** Losses, shared among the changes of a mutation, for having brought a revert of the run. */
const SUSPICION = 8;
/** Wins lent to an entry that was never tried: optimism in the face of uncertainty (Auer et al. 2002). */
const CURIOSITY = 4;

export const gather = (knobs: readonly SearchKnob[], view: AgentView): Evidence => {
  const tried = new Set([treeKey(readSettings(knobs, view.files))]);
  const tallies = new Map<string, Tally>();
  const gains = new Map<string, { sum: number; count: number }>();
  let lost: readonly Change[] = [];

  const nameOf = (change: Change): string =>
    JSON.stringify([knobs[change.knob]!.file, knobs[change.knob]!.key, change.kind, change.value]);
  const armOf = (changes: readonly Change[]): string => {
    const strategy = strategyOf(knobs, changes);
    const first = changes[0];
    if (strategy === 'recombine' || first === undefined) return strategy;
    return `${strategy} ${knobs[first.knob]!.file} ${knobs[first.knob]!.key}`;
  };
  const count = (name: string, result: keyof Tally, weight = 1): void => {
    const tally = tallies.get(name) ?? { wins: 0, losses: 0 };
    tally[result] += weight;
    tallies.set(name, tally);
  };

  const attempts = view.attempts.filter(isTried);
  let bestScore: number | null = null;
  attempts.forEach((attempt, index) => {
    const before = readSettings(knobs, attempt.base);
    const after = readSettings(knobs, attempt.proposed);
    tried.add(treeKey(before)).add(treeKey(after));
    const changes = changesBetween(before, after);
    const arm = armOf(changes);

    const next = attempts[index + 1]?.base ?? view.files;
    const stood = treeKey(readSettings(knobs, next)) === treeKey(after);
    const paid = attempt.outcome === 'kept' || (attempt.outcome === 'reverted' && stood);
    count(arm, paid ? 'wins' : 'losses');
    const suspicion =
      attempt.outcome === 'reverted' && !stood ? Math.ceil(SUSPICION / changes.length) : 1;
    for (const change of changes)
      count(nameOf(change), paid ? 'wins' : 'losses', paid ? 1 : suspicion);

    if (attempt.outcome === 'reverted' && stood) lost = [...lost, ...changes];
    const gain = paid && attempt.score !== null && bestScore ? 1 - attempt.score / bestScore : 0;
    const known = gains.get(arm) ?? { sum: 0, count: 0 };
    gains.set(arm, { sum: known.sum + Math.max(0, gain), count: known.count + 1 });
    bestScore = attempt.score ?? bestScore;
  });

  const now = readSettings(knobs, view.files);
  const tallyOf = (name: string): Tally => tallies.get(name) ?? { wins: 0, losses: 0 };
  return {
    tried,
    armOf,
    lost: lost.filter((change) => treeKey(apply(knobs, now, [change])) !== treeKey(now)),
    ofStrategy: (changes) => {
      const prior = PRIORS[strategyOf(knobs, changes)];
      const seen = tallyOf(armOf(changes));
      return { wins: prior.wins + seen.wins, losses: prior.losses + seen.losses };
    },
    ofChange: (change) => {
      const seen = tallyOf(nameOf(change));
      const curiosity = seen.wins + seen.losses === 0 && change.kind === 'add' ? CURIOSITY : 1;
      return { wins: curiosity + seen.wins, losses: 1 + seen.losses };
    },
    expectedGain: (changes) => {
      const { sum, count: times } = gains.get(armOf(changes)) ?? { sum: 0, count: 0 };
      return (PRIOR_GAIN + sum) / (1 + times);
    },
  };
};

type Tried = AttemptView & { readonly proposed: NonNullable<AttemptView['proposed']> };

const isTried = (attempt: AttemptView): attempt is Tried =>
  attempt.proposed !== null && attempt.outcome !== 'pending';
