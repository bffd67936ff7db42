import { commandIds } from '#libs/run';

/** Stands for a command's id where the log doesn't tell it. */
export const UNTOLD = 'untold';

/** What derives from the id of a command that is not told: such a name is taken as it is found, and binds from there on. */
const DERIVED: ReadonlySet<string> = new Set(
  Object.values(commandIds).map((derive) => derive(UNTOLD)),
);

/** What an append calls what derives from its command's id. */
export type Bindings = Map<string, string>;

const said = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const memberOf = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

/**
 * The first member in which a found value differs from the decided one, with both; null where they say the same as JSON.
 *
 * @param bindings - names that derive from a command's id that is not told, by what stands for them; grows
 */
export const difference = (
  path: string,
  found: unknown,
  decided: unknown,
  bindings: Bindings,
): string | null => {
  if (typeof decided === 'string' && typeof found === 'string' && DERIVED.has(decided)) {
    const bound = bindings.get(decided);
    if (bound === undefined) bindings.set(decided, found);
    return bound === undefined || bound === found
      ? null
      : `found ${path} ${said(found)}, expected ${said(bound)}`;
  }
  if (!isObject(found) || !isObject(decided) || Array.isArray(found) !== Array.isArray(decided))
    // JSON knows one zero, and takes what is undefined for absent.
    return found === decided ? null : `found ${path} ${said(found)}, expected ${said(decided)}`;
  for (const key of new Set([...Object.keys(decided), ...Object.keys(found)])) {
    const member = Array.isArray(found) ? `${path}[${key}]` : `${path}.${key}`;
    const problem = difference(member, memberOf(found, key), memberOf(decided, key), bindings);
    if (problem !== null) return problem;
  }
  return null;
};
