import {
  keepLevel,
  keepPower,
  outcomeEntropy,
  powerRemedies,
  type PowerQuestion,
} from '#libs/divergence';
import { FILE_DOMAINS, type FileDomain, type HarnessPolicy } from '#libs/harness';
import { digits, grouped, percent } from './words.ts';

/** The dev people in the cells that are scored. */
export interface ScoredPeople {
  readonly people: number;
  readonly positive: number;
}

/** The power of a keep in one domain. */
export interface DomainPower {
  readonly domain: FileDomain;
  /** One-sided level of a keep: its share of the run's bound on false keeps. */
  readonly level: number;
  /** The chance that a mutation which truly gains the effect is kept. */
  readonly power: number;
}

/** How likely the run is to keep what the study wants caught. */
export interface PowerMeaning {
  /** Relative gain, as the study declares it. */
  readonly effect: number;
  readonly people: number;
  /** Log-loss per person of a program that predicts the base rate: what the gain is relative to. */
  readonly metric: number;
  readonly domains: readonly DomainPower[];
  /** Sentences for people. */
  readonly words: readonly string[];
  /** A sentence for each domain whose power is below {@link ENOUGH}, with what would help. */
  readonly warnings: readonly string[];
}

/** Power below this is warned of. */
const ENOUGH = 0.8;

/** Rounded down, so that what is too little never looks like enough. */
const rounded = (power: number): string =>
  power > 0.99 ? 'more than 99 %' : `${Math.floor(power * 100)} %`;

/** Rounded up to two leading digits, so that what is named is enough. */
const upwards = (value: number): number => {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
};

const remediesOf = (
  { budget, keep }: Pick<HarnessPolicy, 'budget' | 'keep'>,
  domain: FileDomain,
  question: PowerQuestion,
): string => {
  const { people, effect, level } = powerRemedies(question, ENOUGH);
  const cost = budget.costs.hypothesis + budget.costs[domain];
  // The level is the domain's cost as a share of the budget, so a smaller budget is fewer trials and a greater level.
  const total = Math.floor((keep.falseKeeps * cost) / level);
  const options = [
    `${grouped(upwards(people))} scored dev people`,
    ...(total >= cost && total < budget.total
      ? [`a budget of at most ${grouped(total)} (fewer trials)`]
      : []),
    `an effect of ${percent(Math.ceil(effect * 1e3) / 1e3)}`,
  ];
  return `${options.slice(0, -1).join(', ')} or ${options.at(-1) ?? ''}`;
};

/**
 * The a-priori power of a keep at the effect that the study declares, for each domain that a mutation may be of. Null
 * where the study declares none, or where the outcome does not vary among the dev people who are scored.
 *
 * It is told of a first keep over the base rate: against a better incumbent the same relative gain is smaller, and
 * kept less often.
 */
export const describePower = (
  policy: Pick<HarnessPolicy, 'budget' | 'keep' | 'program'>,
  { people, positive }: ScoredPeople,
): PowerMeaning | null => {
  const { effect } = policy.keep;
  const metric = outcomeEntropy(positive, people);
  if (effect === null || !(metric > 0)) return null;
  const domains = FILE_DOMAINS.filter((domain) => policy.program.mutable[domain].length > 0).map(
    (domain) => {
      const level = keepLevel(policy, domain);
      return { domain, level, power: keepPower({ people, metric, effect, level }) };
    },
  );
  return {
    effect,
    people,
    metric,
    domains,
    words: [
      ...domains.map(
        ({ domain, power }) =>
          `A true gain of ${percent(effect)} is kept with a chance of ${rounded(power)} (${domain}; ${grouped(people)} dev people).`,
      ),
      `Told beforehand, of a program whose seeds don't move it, over the base rate's log-loss of ${digits(metric)}.`,
    ],
    warnings: domains
      .filter(({ power }) => power < ENOUGH)
      .map(
        ({ domain, level, power }) =>
          `power ${rounded(power)} for ${domain}, expected ${percent(ENOUGH)}; each of these by itself would do: ${remediesOf(policy, domain, { people, metric, effect, level })}`,
      ),
  };
};
