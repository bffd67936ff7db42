import { cellCount, type CohortDimension, type DataPolicy } from '#libs/harness';

/**
 * The planted dimensions that predictions rest on. It is read from what was predicted: an agent's words could leave a
 * column out.
 */
export const plantedIn = (
  predictions: ArrayLike<number>,
  {
    planted,
    dimensions,
  }: Pick<DataPolicy, 'planted'> & { readonly dimensions: readonly CohortDimension[] },
): readonly string[] => planted.filter((name) => restsOn(predictions, dimensions, name));

/** Whether predictions differ between cells that differ in one dimension alone. */
const restsOn = (
  predictions: ArrayLike<number>,
  dimensions: readonly CohortDimension[],
  name: string,
): boolean => {
  const place = dimensions.findIndex((dimension) => dimension.name === name);
  const labels = dimensions[place]?.labels.length ?? 1;
  const stride = cellCount(dimensions.slice(place + 1));
  return Array.from(predictions).some((p, cell) => {
    const label = Math.floor(cell / stride) % labels;
    return p !== predictions[cell - label * stride];
  });
};
