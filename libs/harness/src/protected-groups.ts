import type { DimensionPolicy, HarnessPolicy, IntersectionPolicy } from './policy.ts';

/** Between the parts of an intersection's name, and of its groups'. */
const CROSS = ' × ';

/** A protected attribute, or an intersection of several, as fairness is measured over it. */
export interface ProtectedGroups {
  readonly attribute: string;
  /** In the policy's order. */
  readonly groups: readonly string[];
  /**
   * How a row finds its group: by its group in each of these attributes, `codes` at their mixed-radix number, the last
   * attribute's group counting fastest.
   */
  readonly of: readonly string[];
  readonly codes: readonly number[];
}

/** What the favourable outcome is called. */
export const favourableLabel = ({ data, gates }: Pick<HarnessPolicy, 'data' | 'gates'>): string =>
  data.outcome.labels[gates.postLoop.favourable];

/** Every combination of one entry of each list, the last list's entry changing fastest. */
const combinations = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.reduce<readonly (readonly string[])[]>(
    (sofar, list) => sofar.flatMap((start) => list.map((entry) => [...start, entry])),
    [[]],
  );

export const intersectionName = ({ of }: Pick<IntersectionPolicy, 'of'>): string => of.join(CROSS);

/** How many combinations an intersection has, without making them. */
export const combinationCount = (
  attributes: readonly Pick<DimensionPolicy, 'name' | 'labels'>[],
  of: readonly string[],
): number =>
  of.reduce(
    (product, name) =>
      product * (attributes.find((each) => each.name === name)?.labels.length ?? 0),
    1,
  );

/**
 * All that fairness is measured over: the protected attributes, then their intersections.
 *
 * @throws RangeError for an intersection that names no attribute, or whose groups leave a combination out or hold it
 *   twice; the study file is checked for both
 */
export const protectedGroups = (
  attributes: readonly Pick<DimensionPolicy, 'name' | 'labels'>[],
  intersections: readonly IntersectionPolicy[],
): readonly ProtectedGroups[] => [
  ...attributes.map(({ name, labels }) => ({
    attribute: name,
    groups: labels,
    of: [name],
    codes: labels.map((_, code) => code),
  })),
  ...intersections.map((intersection) => crossed(attributes, intersection)),
];

const crossed = (
  attributes: readonly Pick<DimensionPolicy, 'name' | 'labels'>[],
  intersection: IntersectionPolicy,
): ProtectedGroups => {
  const attribute = intersectionName(intersection);
  const labels = intersection.of.map((name) => {
    const found = attributes.find((each) => each.name === name);
    if (found === undefined)
      throw new RangeError(`${attribute}: ${name} is no protected attribute`);
    return found.labels;
  });
  const all = combinations(labels);
  const merged = intersection.groups;
  const head = { attribute, of: intersection.of };
  if (merged === null)
    return {
      ...head,
      groups: all.map((parts) => parts.join(CROSS)),
      codes: all.map((_, code) => code),
    };
  const holders = all.map((parts) =>
    merged.flatMap(({ combinations: held }, code) =>
      held.some((one) => one.length === parts.length && one.every((part, i) => part === parts[i]))
        ? [code]
        : [],
    ),
  );
  return {
    ...head,
    groups: merged.map(({ label }) => label),
    codes: holders.map(([code, ...more], at) => {
      if (code === undefined || more.length > 0)
        throw new RangeError(
          `${attribute}: ${(all[at] ?? []).join(CROSS)} is in ${more.length + (code === undefined ? 0 : 1)} groups, expected 1`,
        );
      return code;
    }),
  };
};
