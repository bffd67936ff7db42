import type { CoarseningStep, CohortDimension } from './policy.ts';

/** What is wrong with a step on dimensions as the steps before left them; null: nothing. */
export const misstep = (
  dimensions: readonly CohortDimension[],
  { dimension: name, merge, into }: CoarseningStep,
): string | null => {
  const dimension = dimensions.find((one) => one.name === name);
  if (dimension === undefined) return `no dimension "${name}"`;
  if (merge.length < 2 || new Set(merge).size !== merge.length)
    return `${name}: fewer than two different labels`;
  const strange = merge.filter((label) => !dimension.labels.includes(label));
  if (strange.length > 0) return `${name}: no label ${strange.map((one) => `"${one}"`).join(', ')}`;
  const others = dimension.labels.filter((label) => !merge.includes(label));
  if (others.includes(into)) return `${name}: the label "${into}" is taken`;
  return null;
};

/** The dimensions after these steps, each sound: {@link misstep}. */
export const coarsened = (
  dimensions: readonly CohortDimension[],
  steps: readonly CoarseningStep[],
): readonly CohortDimension[] => {
  let coarse = dimensions.map(({ name, labels }) => ({ name, labels }));
  for (const step of steps) {
    coarse = coarse.map((dimension) =>
      dimension.name === step.dimension
        ? { name: dimension.name, labels: mergedLabels(dimension.labels, step) }
        : dimension,
    );
  }
  return coarse;
};

const mergedLabels = (labels: readonly string[], { merge, into }: CoarseningStep) => {
  const first = labels.findIndex((label) => merge.includes(label));
  return labels.flatMap((label, i) => {
    if (i === first) return [into];
    return merge.includes(label) ? [] : [label];
  });
};
