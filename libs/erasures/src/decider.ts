import { OrderedSet } from 'immutable';
import { ok, unreachable, type Decider } from '#libs/kernel';
import type { ErasureEvent, PersonErased, TextErased } from './events.ts';

interface Command<Type extends string, Data> {
  readonly type: Type;
  readonly id: string;
  readonly data: Data;
}

/** The edge has looked: the event is there, and the text of this key stands in it. */
export type EraseText = Command<'EraseText', TextErased['data']>;
/** The edge has looked: the person is known. */
export type ErasePerson = Command<'ErasePerson', PersonErased['data']>;

export type ErasureCommand = EraseText | ErasePerson;

/** What was ever erased: whoever carries it out, or has restored an old backup, does so from here. */
export interface ErasureState {
  readonly texts: OrderedSet<string>;
  readonly people: OrderedSet<string>;
}

/**
 * Erasures, in one stream of their own. The event stands before the effect, so that what is gone is never a riddle;
 * carrying one out twice changes nothing. What was erased already is not said twice.
 */
export const erasureDecider: Decider<ErasureState, ErasureCommand, ErasureEvent, never> = {
  initialState: { texts: OrderedSet(), people: OrderedSet() },
  decide: ({ texts, people }, command) => {
    switch (command.type) {
      case 'EraseText':
        return ok(
          texts.has(command.data.keyId) ? [] : [{ type: 'TextErased', data: command.data }],
        );
      case 'ErasePerson':
        return ok(
          people.has(command.data.personId) ? [] : [{ type: 'PersonErased', data: command.data }],
        );
      default:
        return unreachable(command);
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'TextErased':
        return { ...state, texts: state.texts.add(event.data.keyId) };
      case 'PersonErased':
        return { ...state, people: state.people.add(event.data.personId) };
    }
  },
};
