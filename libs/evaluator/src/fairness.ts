import type { FairnessMeasure, FairnessPolicy, FairnessReport, GroupCounts } from '#libs/harness';
import type { CellCounts, ProtectedCounts } from './counts.ts';

/** So many of so many, as whole numbers. */
interface Rate {
  readonly of: string;
  readonly hits: number;
  readonly people: number;
}

/** What is compared between groups: the share of favourable decisions among everybody, or among some. */
interface Compared {
  readonly people: string;
  readonly rateOf: (counts: GroupCounts) => Rate;
}

const EVERYBODY: Compared = {
  people: 'people',
  rateOf: (c) => ({ of: c.group, hits: c.favoured, people: c.people }),
};

const DESERVING: Compared = {
  people: 'people whose outcome is the favourable one',
  rateOf: (c) => ({ of: c.group, hits: c.deservingFavoured, people: c.deserving }),
};

const OTHERS: Compared = {
  people: 'people whose outcome is not the favourable one',
  rateOf: (c) => ({
    of: c.group,
    hits: c.favoured - c.deservingFavoured,
    people: c.people - c.deserving,
  }),
};

type Measured =
  | { readonly value: number; readonly standardError: number; readonly passed: boolean }
  | { readonly reason: string };

/**
 * The fairness of decisions at the policy's threshold, between the groups of each protected attribute, the worst
 * pair of groups counting. All cells count here, those below the minimum cell too: an agent is never told
 * any of it.
 *
 * - demographic parity: greatest difference of the favourable rates
 * - disparate impact: least ratio of the favourable rates (the four-fifths rule, 29 CFR 1607.4 D)
 * - equal opportunity: greatest difference of the favourable rates among those whose outcome is the favourable one
 *   (Hardt, Price, Srebro 2016)
 * - equalized odds: the greater of that and of the same among all others (Hardt, Price, Srebro 2016)
 *
 * Bounds are compared exactly: a ratio by cross-multiplied whole numbers, a difference as one division of whole
 * numbers. It fails closed: what can't be measured (a group below `minimumGroup`, nobody favoured, one group only,
 * no attribute declared) has no value, a reason, and does not pass where there is a bound.
 * Standard errors are binomial, by the delta method for the ratio, and of the shown pair; 0 at a rate of 0 or 1.
 *
 * @param predictions probabilities by cell id, not clipped
 * @param attributes counts of the dev rows by protected group
 */
export const fairness = (
  predictions: ArrayLike<number>,
  attributes: readonly ProtectedCounts[],
  policy: FairnessPolicy,
): FairnessReport => {
  const counted = attributes.map(({ attribute, groups }) => ({
    attribute,
    groups: groups.map(({ group, counts }) =>
      groupCounts(attribute, group, predictions, counts, policy),
    ),
  }));
  return {
    threshold: policy.threshold,
    favourable: policy.favourable,
    groups: counted.flatMap(({ groups }) => groups),
    measures:
      counted.length > 0
        ? counted.flatMap(({ attribute, groups }) => measures(attribute, groups, policy))
        : measures('none', null, policy),
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
  policy: FairnessPolicy,
): readonly FairnessMeasure[] => {
  const { minimumGroup, disparateImpact: ratio } = policy;
  const measure = (
    name: FairnessMeasure['measure'],
    bound: string | null,
    take: (groups: readonly GroupCounts[]) => Measured,
  ): FairnessMeasure => {
    const found = groups ? take(groups) : { reason: 'no protected attribute is declared' };
    const head = { attribute, measure: name, bound } as const;
    return 'reason' in found
      ? { ...head, value: null, standardError: null, reason: found.reason, passed: bound === null }
      : { ...head, ...found, reason: null };
  };
  const gap = (bound: number | null, ...compared: readonly Compared[]) => {
    return (groups: readonly GroupCounts[]) =>
      greatestDifference(groups, compared, minimumGroup, bound);
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
      (counts) => leastRatio(counts, minimumGroup, ratio),
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

/** The groups with the lowest and the highest rate (the first of equals), or why there are none. */
const extremes = (
  groups: readonly GroupCounts[],
  compared: Compared,
  minimumGroup: number,
): { readonly lowest: Rate; readonly highest: Rate } | { readonly reason: string } => {
  const rates = groups.map(compared.rateOf);
  const [first] = rates;
  if (first === undefined || rates.length < 2) {
    return { reason: `found ${rates.length} group: there is nothing to compare it with` };
  }
  const small = rates.filter(({ people }) => people < Math.max(1, minimumGroup));
  if (small.length > 0) {
    const found = small.map(({ of, people }) => `${people} in ${of}`).join(', ');
    return { reason: `found ${found}; expected ${minimumGroup} ${compared.people} in each group` };
  }
  let lowest = first;
  let highest = first;
  for (const rate of rates) {
    if (excess(lowest, rate) > 0) lowest = rate;
    if (excess(rate, highest) > 0) highest = rate;
  }
  return { lowest, highest };
};

/** The numerator of a − b over the product of both denominators: a whole number, so its sign is exact. */
const excess = (a: Rate, b: Rate): number => a.hits * b.people - b.hits * a.people;

const variance = ({ hits, people }: Rate): number => (hits * (people - hits)) / people ** 3;

const greatestDifference = (
  groups: readonly GroupCounts[],
  compared: readonly Compared[],
  minimumGroup: number,
  bound: number | null,
): Measured => {
  let greatest: { readonly value: number; readonly standardError: number } | null = null;
  for (const one of compared) {
    const found = extremes(groups, one, minimumGroup);
    if ('reason' in found) return found;
    const { lowest, highest } = found;
    // A single division is rounded once: a difference of exactly 1/10 is the number 0.1 that a policy says.
    const value = excess(highest, lowest) / (highest.people * lowest.people);
    if (greatest === null || value > greatest.value) {
      greatest = { value, standardError: Math.sqrt(variance(highest) + variance(lowest)) };
    }
  }
  if (greatest === null) throw new RangeError('nothing to compare was named');
  return { ...greatest, passed: bound === null || greatest.value <= bound };
};

const leastRatio = (
  groups: readonly GroupCounts[],
  minimumGroup: number,
  bound: FairnessPolicy['disparateImpact'],
): Measured => {
  const found = extremes(groups, EVERYBODY, minimumGroup);
  if ('reason' in found) return found;
  const { lowest, highest } = found;
  if (highest.hits === 0) return { reason: 'nobody in any group is decided favourably' };
  const low = BigInt(lowest.hits) * BigInt(highest.people);
  const high = BigInt(highest.hits) * BigInt(lowest.people);
  const value = Number(low) / Number(high);
  const highRate = highest.hits / highest.people;
  return {
    value,
    standardError: Math.sqrt(variance(lowest) + value ** 2 * variance(highest)) / highRate,
    passed: bound === null || low * BigInt(bound.denominator) >= high * BigInt(bound.numerator),
  };
};
