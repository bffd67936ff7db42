/** One member that is not the same in two objects. */
export interface Difference {
  /** Names from the outside in, joined by dots. */
  readonly path: string;
  /** Null: it is not there. */
  readonly from: unknown;
  readonly to: unknown;
}

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How two JSON values differ, member by member; a list is compared as a whole. */
export const differences = (from: unknown, to: unknown, path = ''): readonly Difference[] => {
  if (isObject(from) && isObject(to))
    return [...new Set([...Object.keys(from), ...Object.keys(to)])]
      .toSorted()
      .flatMap((name) =>
        differences(from[name] ?? null, to[name] ?? null, path === '' ? name : `${path}.${name}`),
      );
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ path, from, to }];
};
