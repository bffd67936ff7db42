import { fairnessOfCounts, leastTold } from '#libs/evaluator';
import {
  favourableLabel,
  protectedGroups,
  type FairnessReport,
  type GroupCounts,
  type HarnessPolicy,
} from '#libs/harness';
import { isClose } from './rounding.ts';

/** Whether two plain values are the same, numbers to within rounding. */
const alike = (found: unknown, expected: unknown): boolean => {
  if (typeof found === 'number' && typeof expected === 'number') return isClose(found, expected);
  if (typeof found !== 'object' || typeof expected !== 'object') return found === expected;
  if (found === null || expected === null) return found === expected;
  const keys = Object.keys(expected);
  return (
    Object.keys(found).length === keys.length &&
    keys.every(
      (key) =>
        Object.hasOwn(found, key) &&
        alike((found as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key]),
    )
  );
};

const isPossible = ({ people, favoured, deserving, deservingFavoured }: GroupCounts): boolean =>
  [people, favoured, deserving, deservingFavoured].every(
    (count) => Number.isSafeInteger(count) && count >= 0,
  ) &&
  deservingFavoured <= Math.min(favoured, deserving) &&
  favoured - deservingFavoured <= people - deserving;

const totals = (groups: readonly GroupCounts[]): string =>
  (['people', 'favoured', 'deserving', 'deservingFavoured'] as const)
    .map((key) => groups.reduce((sum, group) => sum + group[key], 0))
    .join(', ');

/**
 * What is wrong with a fairness report under this policy: groups that are not the policy's, counts that no people can
 * have, or figures, intervals and passes that do not follow from the counts. Empty when all of it holds. That the
 * counts are true is the operator's word: they are of rows that never leave the vault.
 */
export const fairnessFaults = (
  report: FairnessReport,
  policy: Pick<HarnessPolicy, 'data' | 'gates'>,
): readonly string[] => {
  const { postLoop } = policy.gates;
  const expected = protectedGroups(policy.data.protected, postLoop.intersections);
  const named = expected.flatMap(({ attribute, groups }) =>
    groups.map((group) => JSON.stringify([attribute, group])),
  );
  const found = report.groups.map(({ attribute, group }) => JSON.stringify([attribute, group]));
  if (found.join() !== named.join())
    return [`groups ${found.join() || 'none'}, expected those of the policy: ${named.join()}`];
  const impossible = report.groups.filter((group) => !isPossible(group));
  if (impossible.length > 0)
    return impossible.map(
      ({ attribute, group }) => `counts of ${attribute} ${group} that no people can have`,
    );
  const counted = expected.map(({ attribute }) => ({
    attribute,
    groups: report.groups.filter((group) => group.attribute === attribute),
  }));
  const [everybody, ...others] = counted.map(({ groups }) => totals(groups));
  if (others.some((other) => other !== everybody))
    return ['attributes whose groups do not add up to the same people'];
  const recomputed = fairnessOfCounts(counted, {
    policy: postLoop,
    label: favourableLabel(policy),
    leastTold: leastTold(policy.data),
  });
  const { measures, groups: _, ...head } = recomputed;
  const { measures: said, groups: __, ...saidHead } = report;
  const faults = alike(saidHead, head)
    ? []
    : [`a report by ${JSON.stringify(saidHead)}, expected ${JSON.stringify(head)}`];
  if (said.length !== measures.length)
    return [...faults, `${said.length} measures, expected ${measures.length}`];
  return [
    ...faults,
    ...measures.flatMap((measure, at) =>
      alike(said[at], measure)
        ? []
        : [
            `${measure.measure} of ${measure.attribute} is ${JSON.stringify(said[at])}, the counts give ${JSON.stringify(measure)}`,
          ],
    ),
  ];
};
