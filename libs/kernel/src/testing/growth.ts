import { fold, type Decider, type Fact } from '../decider.ts';
import type { Compare } from './specification.ts';

type Evolves<State, Event extends Fact> = Pick<
  Decider<State, never, Event>,
  'initialState' | 'evolve'
>;

/**
 * Folds, and keeps every state on the way: each still reads as it did when it was made, and the rest of the events lead
 * from it to the same end. A state that shares with a newer one what the newer one changes fails it.
 */
export const keepsOlderStates = <State, Event extends Fact>(
  { initialState, evolve }: Evolves<State, Event>,
  events: readonly Event[],
  compare: Compare,
): void => {
  const states = [initialState];
  const read = [JSON.stringify(initialState)];
  for (const event of events) {
    const next = evolve(states.at(-1)!, event);
    states.push(next);
    read.push(JSON.stringify(next));
  }
  for (const [at, state] of states.entries())
    compare(JSON.stringify(events.slice(at).reduce(evolve, state)), read.at(-1));
  compare(
    states.map((state) => JSON.stringify(state)),
    read,
  );
};

/** How large each plain collection of a value is, by its path: those that a change of one member copies whole. */
const plainSizes = (value: unknown, path = ''): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  const members =
    value instanceof Map || value instanceof Set
      ? [...value.values()].map((member, at): [string, unknown] => [String(at), member])
      : Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
        ? Object.entries(value)
        : null;
  return members === null
    ? []
    : [
        `${path}: ${String(members.length)}`,
        ...members.flatMap(([name, member]) => plainSizes(member, `${path}.${name}`)),
      ];
};

/**
 * That no plain array, record, Map or Set of the state is larger after a long history than after a short one: what grows
 * with the history is held so that an event need not copy it.
 */
export const growsOnlyPersistently = <State, Event extends Fact>(
  decider: Evolves<State, Event>,
  short: readonly Event[],
  long: readonly Event[],
  compare: Compare,
): void => {
  compare(plainSizes(fold(decider, long)), plainSizes(fold(decider, short)));
};
