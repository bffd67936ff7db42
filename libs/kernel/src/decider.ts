import type { Result } from './result.ts';

/** A fact, in the past tense, as plain data. */
export interface Fact<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** An expected refusal: a code for programs and a sentence that says what was found, what was expected and what to do. */
export interface Refusal<Code extends string = string> {
  readonly code: Code;
  readonly message: string;
}

/**
 * The pure core of a stream: what a command does to a state, and what an event makes of it.
 * Neither function reads a clock, makes an id or touches the world.
 * Source: the Decider pattern (Chassaing 2021); shaped as in event-driven-io/emmett.
 */
export interface Decider<State, Command, Event extends Fact, Code extends string = string> {
  readonly initialState: State;
  readonly decide: (state: State, command: Command) => Result<readonly Event[], Refusal<Code>>;
  readonly evolve: (state: State, event: Event) => State;
}

/** The state after `events`, from the decider's initial state. */
export const fold = <State, Event extends Fact>(
  decider: Pick<Decider<State, never, Event>, 'initialState' | 'evolve'>,
  events: Iterable<Event>,
): State => {
  let state = decider.initialState;
  for (const event of events) state = decider.evolve(state, event);
  return state;
};
