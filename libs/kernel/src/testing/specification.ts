import { fold, type Decider, type Fact } from '../decider.ts';

/** An event as a specification expects it; the `check` decides how much of it must be said. */
export interface ExpectedEvent<Event extends Fact> {
  readonly type: Event['type'];
  readonly data?: unknown;
}

/** Compares what was found with what was expected, and throws where they differ. */
export type Compare = (found: unknown, expected: unknown) => void;

/**
 * Given/when/then for a decider; shaped as in event-driven-io/emmett. The comparison is the test runner's, so that
 * a failure is told in its words.
 *
 * @example
 * const given = specification(runDecider, (found, expected) => expect(found).toMatchObject(expected));
 * given(opened).when(launchBaseline).then([{ type: 'TrainingLaunched' }]);
 * given(halted).when(launchBaseline).thenRefused('over');
 */
export const specification =
  <State, Command, Event extends Fact, Code extends string>(
    decider: Decider<State, Command, Event, Code>,
    compare: Compare,
  ) =>
  (events: readonly Event[]) => ({
    when: (command: Command) => {
      const decision = decider.decide(fold(decider, events), command);
      return {
        /** Exactly these events, in this order. */
        then: (expected: readonly ExpectedEvent<Event>[]): void => {
          if (!decision.ok)
            throw new Error(`refused as ${decision.error.code}: ${decision.error.message}`);
          compare(decision.value, expected);
        },
        thenRefused: (code: Code, message = ''): void => {
          if (decision.ok)
            throw new Error(
              `taken, with ${decision.value.map(({ type }) => type).join(', ')}; expected a refusal as ${code}`,
            );
          compare(
            { code: decision.error.code, says: decision.error.message.includes(message) },
            { code, says: true },
          );
        },
      };
    },
  });
