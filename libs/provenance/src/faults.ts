import type { Outcome } from './check.ts';

/** Faults that a row names; the others are counted, so that a broken log of any length fits in a verdict. */
const NAMED = 12;

export interface Faults {
  readonly add: (fault: string) => void;
  /** Adds a fault unless the two are identical. */
  readonly differ: (what: string, found: unknown, expected: unknown) => void;
  /** Passed with `good` if there were none; else what was found instead. */
  readonly outcome: (good: string) => Outcome;
  /** The same so far; what is added to either is not in the other. */
  readonly copy: () => Faults;
}

const shown = (value: unknown): string =>
  typeof value === 'string' || value === undefined ? (value ?? 'nothing') : JSON.stringify(value);

/** Collects what is wrong, in the order of the chain. */
export const collectFaults = (): Faults => faultsFrom([], 0);

const faultsFrom = (named: string[], count: number): Faults => {
  const add = (fault: string): void => {
    count += 1;
    if (named.length < NAMED) named.push(fault);
  };
  return {
    add,
    differ: (what, found, expected) => {
      if (found !== expected) add(`${what} is ${shown(found)}, expected ${shown(expected)}`);
    },
    copy: () => faultsFrom([...named], count),
    outcome: (good) => {
      if (count === 0) return { passed: true, found: good };
      const more = count > named.length ? `; and ${String(count - named.length)} more` : '';
      return { passed: false, found: `${named.join('; ')}${more}` };
    },
  };
};
