import { MAX_EVENT_BYTES } from './hash-chain.ts';

/** Something wrong in a value, and where. */
export interface Problem {
  /** JSON path, e.g. `events[0].data.cells[3].n`. */
  readonly path: string;
  readonly message: string;
}

const MAX_DEPTH = 100;
/** Every value but the last needs at least itself and a comma, so more values than this cannot fit. */
const MAX_VALUES = MAX_EVENT_BYTES / 2;

export const memberPath = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

const prototypeName = (value: object): string => {
  const { constructor } = value;
  return typeof constructor === 'function' && constructor.name !== ''
    ? constructor.name
    : 'another prototype';
};

/**
 * Everything in `value` that JSON cannot say without loss, with its path. Plain objects, arrays, strings,
 * finite numbers, booleans and null are fine. The names `__proto__` and `constructor` are not: the
 * payload's validation cannot see them.
 */
export const jsonProblems = (value: unknown, root: string): readonly Problem[] => {
  const problems: Problem[] = [];
  let values = 0;

  const walk = (found: unknown, path: () => string, depth: number): void => {
    const report = (message: string) => problems.push({ path: path(), message });
    values += 1;
    if (values > MAX_VALUES) {
      if (values === MAX_VALUES + 1) {
        report(`holds more values than an event of ${MAX_EVENT_BYTES} bytes can`);
      }
      return;
    }
    switch (typeof found) {
      case 'boolean':
        return;
      case 'string':
        if (!found.isWellFormed()) report('holds a lone surrogate, which is not Unicode text');
        return;
      case 'number':
        if (!Number.isFinite(found)) report(`is ${found}, which JSON cannot say`);
        return;
      case 'object':
        break;
      default:
        report(`is ${typeof found}, which JSON cannot say`);
        return;
    }
    if (found === null) return;
    if (depth > MAX_DEPTH) {
      report(`is nested deeper than ${MAX_DEPTH} levels, or circular`);
      return;
    }
    if (Array.isArray(found)) {
      if (Object.keys(found).length !== found.length) {
        report('is an array with holes or with named members');
        return;
      }
      for (let index = 0; index < found.length; index += 1) {
        walk(found[index], () => `${path()}[${index}]`, depth + 1);
      }
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(found);
    if (prototype !== Object.prototype && prototype !== null) {
      report(`is an object with a prototype (${prototypeName(found)}), not plain data`);
      return;
    }
    if (Object.getOwnPropertySymbols(found).length > 0) report('has a member named by a symbol');
    for (const key of Object.keys(found)) {
      const member = () => memberPath(path(), key);
      if (key === '__proto__' || key === 'constructor') {
        problems.push({ path: member(), message: `is named ${key}, which is not allowed` });
      } else if (!key.isWellFormed()) {
        problems.push({ path: member(), message: 'has a lone surrogate in its name' });
      }
      walk((found as Record<string, unknown>)[key], member, depth + 1);
    }
  };

  walk(value, () => root, 0);
  return problems;
};
