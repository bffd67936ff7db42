import normal from '@stdlib/stats-base-dists-normal-cdf';
import { quietChances } from './quiet.ts';

/** What is known of a two-sided chart; see `NoiseScaledChart`. */
interface TwoSided {
  readonly allowance: number;
  readonly decisionInterval: number;
  readonly shift: number;
}

/** Steps that [0, h] is cut into, for both sums at once. Their joint behaviour is smooth: more change nothing. */
const STEPS = 16;

/** Transitions of a chain that has not fired, from its start: `to[at]` and `chance[at]` for each state. */
interface Chain {
  readonly to: readonly (readonly number[])[];
  readonly chance: readonly (readonly number[])[];
}

/** Follows the states that can be reached from both sums at zero. */
const jointChain = ({ allowance, decisionInterval, shift }: TwoSided): Chain => {
  const width = (2 * decisionInterval) / (2 * STEPS - 1);
  const known = new Map<number, number>([[0, 0]]);
  const states: [upper: number, lower: number][] = [[0, 0]];
  const to: number[][] = [];
  const chance: number[][] = [];
  for (const [upper, lower] of states) {
    // Up to these values of x the sums land in the next lower (upper) or next higher (lower) step.
    const upperEdge = (step: number): number => (step + 0.5 - upper) * width + allowance;
    const lowerEdge = (step: number): number => (lower - step - 0.5) * width - allowance;
    const from = lowerEdge(STEPS - 1);
    const until = upperEdge(STEPS - 1);
    const edges = [from, until];
    for (let step = 0; step < STEPS - 1; step += 1)
      edges.push(
        ...[upperEdge(step), lowerEdge(step)].filter((edge) => edge > from && edge < until),
      );
    edges.sort((one, other) => one - other);
    const targets: number[] = [];
    const chances: number[] = [];
    let below = normal(from, shift, 1);
    for (let at = 1; at < edges.length; at += 1) {
      const [left, right] = [edges[at - 1]!, edges[at]!];
      const upTo = normal(right, shift, 1);
      const share = upTo - below;
      below = upTo;
      if (share <= 0) continue;
      const x = (left + right) / 2;
      const next: [number, number] = [
        Math.max(0, Math.round(upper + (x - allowance) / width)),
        Math.max(0, Math.round(lower - (x + allowance) / width)),
      ];
      const name = next[0] * STEPS + next[1];
      let target = known.get(name);
      if (target === undefined) {
        target = states.length;
        known.set(name, target);
        states.push(next);
      }
      targets.push(target);
      chances.push(share);
    }
    to.push(targets);
    chance.push(chances);
  }
  return { to, chance };
};

/** The same for one sum alone, on the same steps: a Markov chain as in Brook and Evans (1972). */
const sideChain = ({ allowance, decisionInterval }: TwoSided, shift: number): Chain => {
  const width = (2 * decisionInterval) / (2 * STEPS - 1);
  const places = Array.from({ length: STEPS }, (_, place) => place);
  const below = (edge: number): number => normal(edge, shift - allowance, 1);
  return {
    to: places.map(() => places),
    chance: places.map((from) =>
      places.map((place) => {
        const edge = (place - from + 0.5) * width;
        return place === 0 ? below(edge) : below(edge) - below(edge - width);
      }),
    ),
  };
};

const quiet = ({ to, chance }: Chain, counts: readonly number[]): readonly number[] =>
  quietChances(
    to.length,
    (from, quietFrom) => {
      const [targets, chances] = [to[from]!, chance[from]!];
      let sum = 0;
      for (let at = 0; at < targets.length; at += 1) sum += chances[at]! * quietFrom[targets[at]!]!;
      return sum;
    },
    counts,
  );

/**
 * By what factor two sides are likelier to stay quiet together for so many observations than if each had values of its
 * own. Both follow the same values: while one runs up the other stands at zero, so that they seldom fire in the same
 * run. Source: the bivariate Markov chain of Lucas and Crosier (1982), Technometrics 24, 199–205; what its coarse steps
 * get wrong cancels in the ratio.
 */
export const quietTogether = (chart: TwoSided, counts: readonly number[]): readonly number[] => {
  const upper = quiet(sideChain(chart, chart.shift), counts);
  const lower = quiet(sideChain(chart, -chart.shift), counts);
  const joint = quiet(jointChain(chart), counts);
  return counts.map((_, at) => {
    const apart = upper[at]! * lower[at]!;
    return apart > 0 ? joint[at]! / apart : 1;
  });
};
