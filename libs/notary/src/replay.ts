import { parseNote } from '#libs/checkpoints';
import { ok, refused, type Actor, type Refusal, type Result } from '#libs/kernel';
import { authorise } from '#libs/mandate';
import { acceptanceText, type Accepted } from './append.ts';
import {
  notaryDecider,
  type NotaryCommand,
  type NotaryPorts,
  type NotaryState,
} from './decider.ts';
import type { CheckpointSigned, NotaryAlarmSettled, NotaryEvent } from './events.ts';

const commandOf = (event: NotaryEvent): NotaryCommand | null => {
  const id = '';
  switch (event.type) {
    case 'NotaryOpened':
      return { type: 'OpenNotary', id, data: event.data };
    case 'NotaryKeyRotated':
      return { type: 'RotateNotaryKey', id, data: event.data };
    case 'CheckpointSigned':
      return { type: 'RecordCheckpoint', id, data: event.data };
    case 'CheckpointAnchored':
      return { type: 'RecordAnchor', id, data: event.data };
    case 'NotaryAlarmRaised':
      return { type: 'RaiseAlarm', id, data: event.data };
    case 'NotaryAlarmSettled':
      return { type: 'SettleAlarm', id, data: event.data };
    default:
      return null;
  }
};

/** Why an acceptance is not that of whoever recorded it; null where it is, and where nothing is accepted. */
const misattributed = (
  { origin }: NotaryState,
  { data: { alarm, accepts, note } }: NotaryAlarmSettled,
  actor: Accepted['by'],
): string | null => {
  if (accepts === null) return null;
  const allowed = authorise(actor as Actor, 'SettleAlarm');
  if (!allowed.ok) return allowed.error.message;
  const signed = parseNote(note ?? '');
  return signed.ok &&
    signed.value.text === acceptanceText(origin ?? '', alarm ?? -1, accepts, actor)
    ? null
    : `found an append that is accepted by ${actor.role} ${actor.id}, expected it by whom the note names`;
};

/**
 * Folds the notary's stream and decides each of its events again: a checkpoint that no key of the log signed, or that
 * is not shown to extend the one before it, or commits to another event than the one before it in the stream, is
 * refused wherever it came from; so is an append that is accepted by anybody but the operator whom the key that signed it names. Bytes, hashes and links are
 * the reader's to check.
 */
export const notaryReplay = (
  ports: NotaryPorts,
): {
  readonly initialState: NotaryState;
  readonly next: (
    state: NotaryState,
    event: NotaryEvent,
    /** Revision and chain hash of the event before it; null for the first one. */
    before: CheckpointSigned['data']['follows'],
    actor: Accepted['by'],
  ) => Result<NotaryState, Refusal<'not-decided'>>;
  /** After an event that was refused: it stands in the stream, and says nothing. */
  readonly passOver: (state: NotaryState) => NotaryState;
} => {
  const { initialState, decide, evolve } = notaryDecider(ports);
  const fail = (message: string) => refused({ code: 'not-decided' as const, message });
  return {
    initialState,
    passOver: (state) => ({ ...state, length: state.length + 1 }),
    next: (state, event, before, actor) => {
      const command = commandOf(event);
      if (command === null) return fail(`found ${event.type}, which is no event of the notary`);
      try {
        const decided = decide(state, command);
        if (!decided.ok) return fail(`found ${event.type}: ${decided.error.message}`);
        const follows = event.type === 'CheckpointSigned' ? event.data.follows : null;
        if (
          follows !== null &&
          !(follows.revision === before?.revision && follows.hash === before.hash)
        )
          return fail(
            `found a CheckpointSigned that commits to event ${follows.revision} of the notary (${follows.hash}), expected the one before it, ${before?.revision ?? 'none'} (${before?.hash ?? 'nothing'})`,
          );
        const problem =
          event.type === 'NotaryAlarmSettled' ? misattributed(state, event, actor) : null;
        if (problem !== null) return fail(problem);
        return decided.value.length === 1 && decided.value[0]?.type === event.type
          ? ok(evolve(state, event))
          : fail(`found a ${event.type} that says nothing new, expected none`);
      } catch {
        // What a stranger wrote may have any shape.
        return fail(`found a ${event.type} that is not shaped as its type says`);
      }
    },
  };
};
