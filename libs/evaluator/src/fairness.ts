import type {
  DataPolicy,
  FairnessMeasure,
  FairnessPolicy,
  FairnessReport,
  GroupCounts,
} from '#libs/harness';
import type { CellCounts, ProtectedCounts } from './counts.ts';
import {
  criticalValue,
  differenceInterval,
  ratioInterval,
  type Interval,
  type Proportion,
} from './proportions.ts';

/** So many of so many, of this group. */
interface Rate extends Proportion {
  readonly of: string;
}

/** What is compared between groups: the share of favourable decisions among everybody, or among some. */
interface Compared {
  readonly people: (label: string) => string;
  readonly rateOf: (counts: GroupCounts) => Rate;
}

const EVERYBODY: Compared = {
  people: () => 'people',
  rateOf: (c) => ({ of: c.group, hits: c.favoured, people: c.people }),
};

const DESERVING: Compared = {
  people: (label) => `people whose outcome is "${label}"`,
  rateOf: (c) => ({ of: c.group, hits: c.deservingFavoured, people: c.deserving }),
};

const OTHERS: Compared = {
  people: (label) => `people whose outcome is not "${label}"`,
  rateOf: (c) => ({
    of: c.group,
    hits: c.favoured - c.deservingFavoured,
    people: c.people - c.deserving,
  }),
};

type Measured =
  | (Required<Pick<FairnessMeasure, 'standardError' | 'interval' | 'passed'>> & {
      readonly value: number;
    })
  | { readonly reason: string };

/** What fairness is measured by. */
export interface FairnessAsked {
  readonly policy: FairnessPolicy;
  /** What the favourable outcome is called. */
  readonly label: string;
  /** The least count that a reason says, as {@link leastTold}; of a lesser one it says that it is less. */
  readonly leastTold: number;
}

/** The least number of people in a group that a reason may say; runs of version 1 said any. */
export const leastTold = ({ disclosure, minimumCell }: DataPolicy): number =>
  disclosure === null ? 0 : minimumCell;

/** The counts of one attribute's groups, or of one intersection's. */
export interface AttributeCounts {
  readonly attribute: string;
  readonly groups: readonly GroupCounts[];
}

/**
 * The fairness of decisions at the policy's threshold, between the groups of each protected attribute and of each
 * intersection. All cells count here, those below the minimum cell too: an agent is never told any of it.
 *
 * @param predictions probabilities by cell id, not clipped
 * @param attributes counts of the dev rows by protected group
 */
export const fairness = (
  predictions: ArrayLike<number>,
  attributes: readonly ProtectedCounts[],
  asked: FairnessAsked,
): FairnessReport =>
  fairnessOfCounts(
    attributes.map(({ attribute, groups }) => ({
      attribute,
      groups: groups.map(({ group, counts }) =>
        groupCounts(attribute, group, predictions, counts, asked.policy),
      ),
    })),
    asked,
  );

/**
 * The report that counts give: the same counts, the same report, so that whoever has the counts can check one.
 *
 * - demographic parity: greatest difference of the favourable rates
 * - disparate impact: least ratio of the favourable rates (the four-fifths rule, 29 CFR 1607.4 D)
 * - equal opportunity: greatest difference of the favourable rates among those whose outcome is the favourable one
 *   (Hardt, Price, Srebro 2016)
 * - equalized odds: the greater of that and of the same among all others (Hardt, Price, Srebro 2016)
 *
 * The worst pair of groups counts, and it is not known which pair that is in truth: each pair gets its score interval
 * (Newcombe 1998, Koopman 1984) at a level that makes all of them hold together (Bonferroni over the pairs compared),
 * and the measure's interval is the worst of their ends. A bound is compared with the unfavourable end. Where the policy
 * says `estimate` it is compared exactly: a ratio by cross-multiplied whole numbers, a difference as one division of
 * whole numbers.
 *
 * It fails closed: what can't be measured (a group below `minimumGroup`, nobody favoured, one group only,
 * no attribute declared) has no value, a reason, and does not pass where there is a bound.
 * Standard errors are binomial, by the delta method for the ratio, and of the shown pair; 0 at a rate of 0 or 1.
 */
export const fairnessOfCounts = (
  attributes: readonly AttributeCounts[],
  asked: FairnessAsked,
): FairnessReport => {
  const { threshold, favourable, decide, level } = asked.policy;
  return {
    threshold,
    favourable,
    label: asked.label,
    decide,
    level,
    groups: attributes.flatMap(({ groups }) => groups),
    measures:
      attributes.length > 0
        ? attributes.flatMap(({ attribute, groups }) => measures(attribute, groups, asked))
        : measures('none', null, asked),
  };
};

const groupCounts = (
  attribute: string,
  group: string,
  predictions: ArrayLike<number>,
  counts: CellCounts,
  policy: FairnessPolicy,
): GroupCounts => {
  const sums = { people: 0, favoured: 0, deserving: 0, deservingFavoured: 0 };
  for (let cell = 0; cell < counts.people.length; cell += 1) {
    const people = counts.people[cell]!;
    if (people === 0) continue;
    const p = predictions[cell];
    if (p === undefined || Number.isNaN(p)) throw new RangeError(`no prediction for cell ${cell}`);
    const positive = counts.positive[cell]!;
    const deserving = policy.favourable === 'positive' ? positive : people - positive;
    const decidedPositive = p >= policy.threshold;
    const favoured = decidedPositive === (policy.favourable === 'positive');
    sums.people += people;
    sums.deserving += deserving;
    if (favoured) {
      sums.favoured += people;
      sums.deservingFavoured += deserving;
    }
  }
  return { attribute, group, ...sums };
};

/** All four, in a fixed order; `groups` is null where no attribute is declared. */
const measures = (
  attribute: string,
  groups: readonly GroupCounts[] | null,
  asked: FairnessAsked,
): readonly FairnessMeasure[] => {
  const { policy } = asked;
  const ratio = policy.disparateImpact;
  const measure = (
    name: FairnessMeasure['measure'],
    bound: string | null,
    take: (groups: readonly GroupCounts[]) => Measured,
  ): FairnessMeasure => {
    const found = groups ? take(groups) : { reason: 'no protected attribute is declared' };
    const head = { attribute, measure: name, bound } as const;
    return 'reason' in found
      ? {
          ...head,
          ...{ value: null, standardError: null, interval: null },
          reason: found.reason,
          passed: bound === null,
        }
      : { ...head, ...found, reason: null };
  };
  const gap = (bound: number | null, ...compared: readonly Compared[]) => {
    return (counts: readonly GroupCounts[]) => greatestDifference(counts, compared, bound, asked);
  };
  const atMost = (bound: number | null) => (bound === null ? null : `at most ${bound}`);
  return [
    measure(
      'demographic-parity',
      atMost(policy.demographicParity),
      gap(policy.demographicParity, EVERYBODY),
    ),
    measure(
      'disparate-impact',
      ratio && `at least ${ratio.numerator}/${ratio.denominator}`,
      (counts) => leastRatio(counts, ratio, asked),
    ),
    measure(
      'equal-opportunity',
      atMost(policy.equalOpportunity),
      gap(policy.equalOpportunity, DESERVING),
    ),
    measure(
      'equalized-odds',
      atMost(policy.equalizedOdds),
      gap(policy.equalizedOdds, DESERVING, OTHERS),
    ),
  ];
};

/** A rate of each group, or why they can't be compared. */
const ratesOf = (
  groups: readonly GroupCounts[],
  compared: Compared,
  { policy: { minimumGroup }, label, leastTold: least }: FairnessAsked,
): { readonly rates: readonly Rate[] } | { readonly reason: string } => {
  const rates = groups.map(compared.rateOf);
  if (rates.length < 2)
    return { reason: `found ${rates.length} group: there is nothing to compare it with` };
  const small = rates.filter(({ people }) => people < Math.max(1, minimumGroup));
  if (small.length === 0) return { rates };
  const told = (people: number) => (people < least ? `fewer than ${least}` : String(people));
  const found = small.map(({ of, people }) => `${told(people)} in ${of}`).join(', ');
  return {
    reason: `found ${found}; expected ${minimumGroup} ${compared.people(label)} in each group`,
  };
};

/** The groups with the lowest and the highest rate, the first of equals. */
const extremes = (rates: readonly Rate[]): { readonly lowest: Rate; readonly highest: Rate } => {
  let [lowest, highest] = [rates[0]!, rates[0]!];
  for (const rate of rates) {
    if (excess(lowest, rate) > 0) lowest = rate;
    if (excess(rate, highest) > 0) highest = rate;
  }
  return { lowest, highest };
};

/** The numerator of a − b over the product of both denominators: a whole number, so its sign is exact. */
const excess = (a: Rate, b: Rate): number => a.hits * b.people - b.hits * a.people;

const variance = ({ hits, people }: Rate): number => (hits * (people - hits)) / people ** 3;

/** Every two groups once, the one with the lower rate first. */
const pairsOf = (rates: readonly Rate[]): readonly (readonly [Rate, Rate])[] =>
  rates.flatMap((a, i) =>
    rates.slice(i + 1).map((b) => (excess(a, b) <= 0 ? ([a, b] as const) : ([b, a] as const))),
  );

const names = ([a, b]: readonly [Rate, Rate]): readonly [string, string] => [a.of, b.of];

const greatestDifference = (
  groups: readonly GroupCounts[],
  compared: readonly Compared[],
  bound: number | null,
  asked: FairnessAsked,
): Measured => {
  const pairs: (readonly [Rate, Rate])[] = [];
  let worst: { readonly value: number; readonly pair: readonly [Rate, Rate] } | null = null;
  for (const one of compared) {
    const found = ratesOf(groups, one, asked);
    if ('reason' in found) return found;
    pairs.push(...pairsOf(found.rates));
    const { lowest, highest } = extremes(found.rates);
    // A single division is rounded once: a difference of exactly 1/10 is the number 0.1 that a policy says.
    const value = excess(highest, lowest) / (highest.people * lowest.people);
    if (worst === null || value > worst.value) worst = { value, pair: [lowest, highest] };
  }
  if (worst === null) throw new RangeError('nothing to compare was named');
  const z = criticalValue(asked.policy.level, pairs.length);
  const { interval, limit } = worstEnd(
    pairs.map((pair) => ({ pair, ...absolute(differenceInterval(pair[1], pair[0], z)) })),
    (one, other) => one.upper > other.upper,
    ({ lower, upper }, all) => ({
      lower: Math.max(lower, ...all.map((each) => each.lower)),
      upper,
    }),
  );
  const { value, pair } = worst;
  return {
    value,
    standardError: Math.sqrt(variance(pair[0]) + variance(pair[1])),
    interval: { ...interval, pair: names(pair), limit },
    passed:
      bound === null || (asked.policy.decide === 'estimate' ? value : interval.upper) <= bound,
  };
};

/** What the size of a difference may be, when the difference may be this. */
const absolute = ({ lower, upper }: Interval): Interval => ({
  lower: Math.max(0, lower, 0 - upper),
  upper: Math.max(Math.abs(lower), Math.abs(upper)),
});

/** What the ratio of the lower of two rates to the higher may be, when the ratio of the two may be this. */
const ofLowerToHigher = ({ lower, upper }: Interval): Interval => {
  const least = Math.min(lower, 1 / upper);
  if (lower <= 1 && upper >= 1) return { lower: least, upper: 1 };
  return { lower: least, upper: upper < 1 ? upper : 1 / lower };
};

type PairInterval = Interval & { readonly pair: readonly [Rate, Rate] };

/** The interval of the worst of all pairs, and the pair that its unfavourable end comes from (the first of equals). */
const worstEnd = (
  all: readonly PairInterval[],
  isWorse: (one: Interval, other: Interval) => boolean,
  join: (worst: Interval, all: readonly Interval[]) => Interval,
): { readonly interval: Interval; readonly limit: readonly [string, string] } => {
  const worst = all.reduce((one, other) => (isWorse(other, one) ? other : one));
  const { lower, upper } = join(worst, all);
  return { interval: { lower, upper }, limit: names(worst.pair) };
};

const leastRatio = (
  groups: readonly GroupCounts[],
  bound: FairnessPolicy['disparateImpact'],
  asked: FairnessAsked,
): Measured => {
  const found = ratesOf(groups, EVERYBODY, asked);
  if ('reason' in found) return found;
  const { lowest, highest } = extremes(found.rates);
  if (highest.hits === 0) return { reason: `nobody in any group is decided "${asked.label}"` };
  const pairs = pairsOf(found.rates);
  const z = criticalValue(asked.policy.level, pairs.length);
  const { interval, limit } = worstEnd(
    pairs.map((pair) => ({ pair, ...ofLowerToHigher(ratioInterval(pair[0], pair[1], z)) })),
    (one, other) => one.lower < other.lower,
    ({ lower }, all) => ({ lower, upper: Math.min(...all.map((each) => each.upper)) }),
  );
  const low = BigInt(lowest.hits) * BigInt(highest.people);
  const high = BigInt(highest.hits) * BigInt(lowest.people);
  const value = Number(low) / Number(high);
  const highRate = highest.hits / highest.people;
  const holds = ({ numerator, denominator }: NonNullable<typeof bound>): boolean =>
    asked.policy.decide === 'estimate'
      ? low * BigInt(denominator) >= high * BigInt(numerator)
      : interval.lower >= numerator / denominator;
  return {
    value,
    standardError: Math.sqrt(variance(lowest) + value ** 2 * variance(highest)) / highRate,
    interval: { ...interval, pair: [lowest.of, highest.of], limit },
    passed: bound === null || holds(bound),
  };
};
