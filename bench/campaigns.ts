/**
 * Simulated campaigns of mutations whose true effect is known, through the real evaluator and the real keep rule: how
 * often a whole run keeps anything that is no better than noise, and how often it keeps what is.
 *
 * The population is a table of cells, each with the true share p of positive outcomes. A program predicts q for a cell;
 * its loss there is the entropy of p plus an excess, KL(p ‖ q). On either side of p there is a q with the same excess:
 * a mutation that changes sides moves every prediction, and its true difference is exactly 0. The dev rows are drawn
 * once a campaign and reused for every mutation, as a run does. A seed multiplies the excess of all cells by a
 * log-normal factor that is drawn anew for each program and seed, so that no program is better than another by it.
 */
import normal from '@stdlib/stats-base-dists-normal-quantile';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import {
  advance,
  isKept,
  keepRuling,
  owesSeed,
  recentre,
  remember,
  standardised,
  UNKNOWN,
  ZERO,
  type KeepEvidence,
  type Sums,
} from '#libs/divergence';
import { difference, differenceOverSeeds, score, type CellCounts } from '#libs/evaluator';
import type { HarnessPolicy } from '#libs/harness';
import { told } from '#libs/run';

/** One source of chance a campaign, so that campaigns are independent and each can be done again. */
interface Chance {
  readonly uniform: () => number;
  readonly normal: () => number;
}

/** Draws to throw away: what the generator gives first still looks like its seed, which here is 1, 2, 3, …. */
const SETTLING = 200;

const chanceOf = (seed: number): Chance => {
  const generator = xoroshiro128plus(Math.imul(seed, 0x9e3779b1));
  for (let draw = 0; draw < SETTLING; draw += 1) generator.next();
  const uniform = (): number => uniformFloat64(generator);
  return { uniform, normal: () => normal(uniform() * (1 - 2 ** -53) + 2 ** -54, 0, 1) };
};

export type Terms = Pick<HarnessPolicy, 'version' | 'budget' | 'keep' | 'replicates'>;

/** A budget that buys exactly 125 mutations of the cheapest kind. */
export const TERMS: Terms = {
  version: 2,
  budget: {
    total: 1875,
    costs: { hypothesis: 5, hyperparameter: 10, feature: 20, architecture: 25, metric: 10 },
  },
  keep: { falseKeeps: 0.05, effect: 0.02 },
  replicates: 3,
};
export const MUTATIONS = 125;

const CELLS = 100;
const MINIMUM_CELL = 11;
/** Mean excess of a program over the best that there is, in nats a person. */
const EXCESS = 0.03;

export interface Setting {
  /** Dev rows. */
  readonly rows: number;
  /** Deviation of the logarithm of the factor that a seed multiplies the excess by; 0: the seed moves nothing. */
  readonly seedNoise: number;
  readonly replicates: number;
}

interface World {
  readonly truth: Float64Array;
  /** Excess of every program in each cell. */
  readonly excess: Float64Array;
  readonly dev: CellCounts;
  /** Loss of a program on the population, in nats a person. */
  readonly loss: number;
}

const entropy = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);

const worldOf = ({ rows }: Setting, chance: Chance): World => {
  const truth = Float64Array.from(
    { length: CELLS },
    () => 1 / (1 + Math.exp(-1.2 * chance.normal())),
  ).map((p) => Math.min(0.9, Math.max(0.1, p)));
  const excess = Float64Array.from({ length: CELLS }, () => EXCESS * (0.5 + chance.uniform()));
  const weights = Float64Array.from({ length: CELLS }, () => Math.exp(0.8 * chance.normal()));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ends: number[] = [];
  weights.reduce((sum, weight, cell) => (ends[cell] = sum + weight / total), 0);
  const people = new Array<number>(CELLS).fill(0);
  const positive = new Array<number>(CELLS).fill(0);
  for (let row = 0; row < rows; row += 1) {
    const at = chance.uniform();
    let cell = 0;
    while (cell < CELLS - 1 && at >= ends[cell]!) cell += 1;
    people[cell]! += 1;
    if (chance.uniform() < truth[cell]!) positive[cell]! += 1;
  }
  // Cells below the minimum are not scored, so that the population of a difference is that of the others.
  const scored = people.map((many) => (many >= MINIMUM_CELL ? 1 : 0));
  const inScored = weights.reduce((sum, weight, cell) => sum + weight * scored[cell]!, 0);
  const loss = weights.reduce(
    (sum, weight, cell) =>
      sum + (weight * scored[cell]! * (entropy(truth[cell]!) + excess[cell]!)) / inScored,
    0,
  );
  return { truth, excess, dev: { people, positive }, loss };
};

/** The prediction above (side 1) or below (−1) the truth p whose excess loss is `excess`: Newton's method on its logit. */
const predictionOf = (p: number, excess: number, side: number): number => {
  const target = excess + entropy(p);
  let x = Math.log(p / (1 - p)) + side * Math.sqrt((2 * excess) / (p * (1 - p)));
  for (let step = 0; step < 30; step += 1) {
    const over = Math.log1p(Math.exp(x)) - p * x - target;
    const slope = 1 / (1 + Math.exp(-x)) - p;
    const next = x - over / slope;
    // A step over the minimum would end on the other side: half of the way is always possible.
    const middle = Math.log(p / (1 - p));
    x = (next - middle) * side > 0 ? next : (x + middle) / 2;
    if (Math.abs(over) < 1e-13) break;
  }
  return 1 / (1 + Math.exp(-x));
};

/** A program: the side of the truth that it errs on in each cell, and what it takes off every excess. */
interface Program {
  readonly sides: Int8Array;
  readonly gain: number;
  /** The factor of each of its seeds, drawn when it is trained. */
  readonly factors: number[];
}

const trained = (
  { truth, excess }: World,
  program: Program,
  seed: number,
  { seedNoise }: Setting,
  chance: Chance,
): Float64Array => {
  program.factors[seed] ??= Math.exp(seedNoise * chance.normal());
  const factor = program.factors[seed] ?? 1;
  return truth.map((p, cell) =>
    predictionOf(p, Math.max(1e-9, (excess[cell]! - program.gain) * factor), program.sides[cell]!),
  );
};

/** Which mutation comes next, from what the agent knows: the sides of its own programs, and the score that it is told. */
export type Proposer = (known: {
  readonly incumbent: Int8Array;
  /** The program whose score was told last as the best. */
  readonly best: Int8Array;
  readonly uniform: () => number;
  readonly number: number;
}) => Int8Array;

/** Changes the side of each cell with this chance. */
const flipped = (sides: Int8Array, chance: number, uniform: () => number): Int8Array =>
  sides.map((side) => (uniform() < chance ? -side : side));

export const PROPOSERS = {
  /** Half of all cells change, or a few: whatever was measured before. */
  blind: ({ incumbent, uniform, number }) =>
    flipped(incumbent, number % 2 === 0 ? 0.5 : 0.05, uniform),
  /** Climbs by the told score: goes on from the best program that it was told of, kept or not, a tenth changed. */
  climbing: ({ best, uniform }) => flipped(best, 0.1, uniform),
  /** The same in long steps. */
  leaping: ({ best, uniform }) => flipped(best, 0.3, uniform),
} as const satisfies Record<string, Proposer>;

export interface Campaign {
  /** Mutations that were kept. */
  readonly kept: number;
  /** Trainings with further seeds. */
  readonly replicates: number;
}

/** The harness's part of a campaign: trains, measures and rules as a run does. */
const harness = (setting: Setting, seed: number) => {
  const chance = chanceOf(seed);
  const world = worldOf(setting, chance);
  const terms: Terms = { ...TERMS, replicates: setting.replicates };
  const program = (sides: Int8Array, gain = 0): Program => ({ sides, gain, factors: [] });
  const train = (one: Program, at: number) => trained(world, one, at, setting, chance);
  const allSeeds = (one: Program): Float64Array[] =>
    Array.from({ length: terms.replicates }, (_, at) => train(one, at));
  let replicates = 0;

  /** The predictions of all of its seeds where it is kept, else null. */
  const rule = (
    candidate: Program,
    first: Float64Array,
    incumbent: readonly Float64Array[],
  ): readonly Float64Array[] | null => {
    const compared = (predictions: Float64Array, at: number) => {
      const estimate = difference(predictions, incumbent[at]!, world.dev, MINIMUM_CELL);
      if (estimate === null) throw new Error('no dev cell is large enough');
      return estimate;
    };
    let seeds = [first];
    const overAll = (all: readonly Float64Array[]) => {
      const estimate = differenceOverSeeds(
        all.map((predictions, at) => ({ predictions, incumbent: incumbent[at]! })),
        world.dev,
        MINIMUM_CELL,
      );
      if (estimate === null) throw new Error('no dev cell is large enough');
      return estimate;
    };
    let evidence: KeepEvidence = {
      differences: [compared(first, 0)],
      overSeeds: [overAll(seeds)],
      seedDeviation: 0,
    };
    while (owesSeed(terms, 'hyperparameter', evidence)) {
      replicates += 1;
      const next = train(candidate, seeds.length);
      seeds = [...seeds, next];
      evidence = {
        ...evidence,
        differences: [...evidence.differences, compared(next, seeds.length - 1)],
        overSeeds: [...evidence.overSeeds, overAll(seeds)],
      };
    }
    return isKept(keepRuling(terms, 'hyperparameter', evidence)) ? seeds : null;
  };
  return { chance, world, program, train, allSeeds, rule, counted: () => replicates };
};

const randomSides = ({ uniform }: Chance): Int8Array =>
  Int8Array.from({ length: CELLS }, () => (uniform() < 0.5 ? -1 : 1));

/**
 * 125 mutations, none better than what it starts from; what is kept by mistake is the next incumbent, as in a run.
 * `tellsAll`: the agent is told the Ladder's score of discarded candidates too, as version 1 did.
 */
export const nullCampaign = (
  setting: Setting,
  propose: Proposer,
  seed: number,
  tellsAll = false,
): Campaign => {
  const { chance, world, program, train, allSeeds, rule, counted } = harness(setting, seed);
  let incumbent = program(randomSides(chance));
  let standing: readonly Float64Array[] = allSeeds(incumbent);
  let best = incumbent.sides;
  let published: number | null = null;
  let kept = 0;
  const tell = (sides: Int8Array, predictions: Float64Array): void => {
    const measured = score(predictions, world.dev, MINIMUM_CELL);
    const now = told(published, measured?.value ?? 0);
    if (now !== published) best = sides;
    published = now;
  };
  tell(incumbent.sides, standing[0]!);
  for (let number = 1; number <= MUTATIONS; number += 1) {
    const { uniform } = chance;
    const candidate = program(propose({ incumbent: incumbent.sides, best, uniform, number }));
    const first = train(candidate, 0);
    if (tellsAll) tell(candidate.sides, first);
    const seeds = rule(candidate, first, standing);
    if (seeds === null) continue;
    kept += 1;
    tell(candidate.sides, first);
    incumbent = candidate;
    standing = seeds;
  }
  return { kept, replicates: counted() };
};

/** How a mutation that gains what the study declares changes the predictions besides. */
export type Gain = 'clean' | 'stirring';

/**
 * Whether one mutation that truly gains `keep.effect` of the population's loss is kept. clean: each prediction goes
 * nearer to the truth. stirring: and changes sides in half of the cells, as much noise as a null mutation makes.
 */
export const powerTrial = (setting: Setting, gain: Gain, seed: number): boolean => {
  const { chance, world, program, train, allSeeds, rule } = harness(setting, seed);
  const sides = randomSides(chance);
  const incumbent = allSeeds(program(sides));
  const better = program(
    gain === 'clean' ? sides : flipped(sides, 0.5, chance.uniform),
    (TERMS.keep.effect ?? 0) * world.loss,
  );
  return rule(better, train(better, 0), incumbent) !== null;
};

export interface Share {
  readonly of: number;
  readonly count: number;
  readonly share: number;
  /** 95 % interval (Wilson 1927). */
  readonly lower: number;
  readonly upper: number;
}

export const shareOf = (count: number, of: number): Share => {
  const z = normal(0.975, 0, 1);
  const share = count / of;
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half =
    (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return { of, count, share, lower: Math.max(0, middle - half), upper: Math.min(1, middle + half) };
};

/** The share of campaigns with any false keep, and the trainings with further seeds that a campaign takes. */
export const falseKeeps = (
  setting: Setting,
  proposer: keyof typeof PROPOSERS,
  campaigns: number,
  tellsAll = false,
): Share & { readonly replicates: number } => {
  const all = Array.from({ length: campaigns }, (_, index) =>
    nullCampaign(setting, PROPOSERS[proposer], index + 1, tellsAll),
  );
  return {
    ...shareOf(all.filter(({ kept }) => kept > 0).length, campaigns),
    replicates: all.reduce((sum, { replicates }) => sum + replicates, 0) / campaigns,
  };
};

/** The share of mutations with the declared effect that are kept. */
export const power = (setting: Setting, gain: Gain, trials: number): Share =>
  shareOf(
    Array.from({ length: trials }, (_, index) => powerTrial(setting, gain, index + 1)).filter(
      Boolean,
    ).length,
    trials,
  );

/**
 * How often a chart of re-measurements fires within 20 of them: standard normal values, `shift` deviations off from the
 * first re-measurement on, charted in the self-starting form after so many replicates (k 0.5, h 5).
 */
export const chartFires = (replicates: number, shift: number, trials: number): Share => {
  const chart = { kind: 'stability', allowance: 0.5, decisionInterval: 5, every: 1 } as const;
  const fires = (seed: number): boolean => {
    const { normal: draw } = chanceOf(seed);
    let memory = recentre(UNKNOWN, Array.from({ length: replicates }, draw));
    let sums: Sums = ZERO;
    for (let number = 0; number < 20; number += 1) {
      const x = draw() + shift;
      const reading = advance(chart, sums, standardised(memory, x));
      if (reading.fired) return true;
      sums = reading;
      memory = remember(memory, x);
    }
    return false;
  };
  const fired = Array.from({ length: trials }, (_, index) => fires(index + 1)).filter(Boolean);
  return shareOf(fired.length, trials);
};

/**
 * The chance of a false keep by the rule of several seeds, as a multiple of its level, where the true variance between
 * seeds is `ratio` times that of the rows: by simulation of the difference alone, with `quantile` in place of the
 * rule's threshold if given.
 */
export const excessOfLevel = (
  ratio: number,
  replicates: number,
  level: number,
  quantile: number | null,
): number => {
  const { normal: draw } = chanceOf(Math.round(ratio * 100) + replicates);
  const terms: Terms = {
    ...TERMS,
    replicates,
    keep: { ...TERMS.keep, falseKeeps: level * MUTATIONS },
  };
  const trials = Math.round(400 / level);
  let kept = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const ofRows = draw();
    const values = Array.from(
      { length: replicates },
      () => ofRows + Math.sqrt(ratio * replicates) * draw(),
    );
    const estimate = (value: number) => ({ name: 'log-loss', value, standardError: 1, n: 1000 });
    const mean = values.reduce((sum, value) => sum + value, 0) / replicates;
    const ruling = keepRuling(terms, 'hyperparameter', {
      differences: values.map(estimate),
      overSeeds: values.map(() => estimate(mean)),
      seedDeviation: 0,
    });
    if (quantile === null ? isKept(ruling) : ruling.z > quantile) kept += 1;
  }
  return kept / trials / level;
};
