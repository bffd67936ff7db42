/** Something that is wrong with what was sent, and where. */
export interface Fault {
  readonly path: readonly string[];
  readonly detail: string;
}

/** Members and list places of a body, all together: an agent's proposal of 64 files has some two hundred. */
const MOST_MEMBERS = 1_000;
/** Levels of a body: no command needs more than three. */
const DEEPEST = 8;

/**
 * What keeps a body or a query from being looked at any further; null when nothing does. The validator takes time that
 * grows with the square of the members, and a call a level: 2 MB of small members would hold the process for a minute.
 */
export const boundsProblem = (given: object): Fault | null => {
  const waiting: { readonly value: unknown; readonly path: readonly string[] }[] = [
    { value: given, path: [] },
  ];
  let members = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && !value.isWellFormed())
      return { path, detail: 'must be well-formed Unicode: it has half of a surrogate pair' };
    if (typeof value !== 'object' || value === null) continue;
    if (path.length === DEEPEST) return { path: [], detail: `has more than ${DEEPEST} levels` };
    for (const name of Object.keys(value)) {
      members += 1;
      if (members > MOST_MEMBERS)
        return { path: [], detail: `has more than ${MOST_MEMBERS} members` };
      const inside = [...path, name];
      if (name in Object.prototype || !name.isWellFormed())
        return { path: name.isWellFormed() ? inside : path, detail: 'is not known here' };
      waiting.push({ value: (value as Record<string, unknown>)[name], path: inside });
    }
  }
  return null;
};
