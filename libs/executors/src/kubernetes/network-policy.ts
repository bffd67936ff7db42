import type { V1LabelSelector, V1NetworkPolicy } from '@kubernetes/client-node';

type Labels = Readonly<Record<string, string>>;

/** Whether a label selector takes these labels; an empty one takes all. `unknown` is the answer for an unknown operator. */
const selects = (
  selector: V1LabelSelector | undefined,
  labels: Labels,
  unknown: boolean,
): boolean => {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return unknown;
      }
    })
  );
};

/** Without the list, a policy is about Ingress, and about Egress where it has such rules. */
const typesOf = ({ spec }: V1NetworkPolicy): readonly string[] =>
  spec?.policyTypes ?? ['Ingress', ...(spec?.egress === undefined ? [] : ['Egress'])];

/**
 * What keeps pods with these labels from having no network at all; null when nothing does. Policies add up: what one
 * of them allows is allowed, so all that select the pods must allow nothing, and each direction needs one of them.
 */
export const networkProblem = (
  policies: readonly V1NetworkPolicy[],
  labels: Labels,
): string | null => {
  const ours = (unknown: boolean) =>
    policies.filter(({ spec }) => selects(spec?.podSelector, labels, unknown));
  // What is not understood opens, and does not shut.
  for (const policy of ours(true)) {
    const { ingress = [], egress = [] } = policy.spec ?? {};
    const types = typesOf(policy);
    const opens =
      (types.includes('Ingress') && ingress.length > 0) ||
      (types.includes('Egress') && egress.length > 0);
    if (opens)
      return `the network policy ${policy.metadata?.name ?? '?'} allows pods with these labels some traffic`;
  }
  for (const direction of ['Ingress', 'Egress']) {
    if (!ours(false).some((policy) => typesOf(policy).includes(direction)))
      return `no network policy denies pods with these labels ${direction.toLowerCase()}`;
  }
  return null;
};
