import { chain, decodeStored, eventTypes, unchained } from '#libs/event-log';
import {
  deriveId,
  eventId,
  type Actor,
  type Fact,
  type RecordedEvent,
  type StoredEvent,
} from '#libs/kernel';
import { rolesForCommand } from '#libs/mandate';
import { EVENT_TYPES } from '#libs/payloads';
import { commandIds } from '#libs/run';
import { difference, UNTOLD, type Bindings } from '../compare.ts';
import { appendAt, judgeAppend, startOf, type StreamState } from '../judge.ts';
import { kindOf } from '../kinds.ts';
import type { Reading } from '../reading.ts';

export const types = eventTypes(EVENT_TYPES);

/** An append as the log holds it, with the stream before it. */
export interface Append {
  readonly before: StreamState;
  readonly events: readonly RecordedEvent[];
}

/** What a writer says of an event. */
export type Written = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'metadata'> & {
  /** In the version of its metadata. */
  readonly data: unknown;
};

/** These events as a log that anybody could write to would hold them: hashed and linked, whatever they say. */
export const written = (
  prev: string | null,
  events: readonly Written[],
): readonly RecordedEvent[] =>
  chain(
    prev,
    events.map(({ stream, revision, ...event }) => unchained(stream, revision, event)),
  ).map(({ stream, revision, event: { id, type }, hash, canonical }, position) =>
    decodeStored({ position, stream, revision, id, type, hash, canonical }, types),
  );

/** The data as it was written, before upcasting. */
export const writtenData = ({ canonical }: Pick<StoredEvent, 'canonical'>): unknown =>
  (JSON.parse(new TextDecoder().decode(canonical)) as { data: unknown }).data;

/** The appends of a stream, as their commands decide them. */
export const appendsOf = (
  stream: string,
  events: readonly RecordedEvent[],
  asked: 'envelope' | 'data' = 'envelope',
): readonly Append[] => {
  const known = kindOf(stream);
  if (known === null) throw new Error(`${stream} is of no kind`);
  const appends: Append[] = [];
  let before = startOf(stream);
  for (let from = 0; from < events.length; ) {
    const { length, problem } = appendAt(known, before, events, from, asked);
    const append = events.slice(from, from + length);
    const judged = judgeAppend(before, append, asked);
    if (problem !== null || judged.problem !== null) throw new Error(problem ?? judged.problem ?? '');
    appends.push({ before, events: append });
    before = judged.state;
    from += length;
  }
  return appends;
};

const readingOf = (state: StreamState, facts: readonly Fact[]): Reading => {
  const known = kindOf(state.stream);
  if (known === null) throw new Error(`${state.stream} is of no kind`);
  const readings = known.kind.readings(state.folded, facts, { id: known.id, head: state.head });
  const reading = readings.find(({ decide }) => {
    const decision = decide(UNTOLD);
    return (
      decision.ok &&
      decision.value.length === facts.length &&
      decision.value.every(
        (fact, at) => difference('data', facts[at]?.data, fact.data, new Map()) === null,
      )
    );
  });
  if (reading === undefined) throw new Error(`${state.stream}: no command decides this`);
  return reading;
};

const replaced = (value: unknown, names: ReadonlyMap<string, string>): unknown =>
  JSON.parse(JSON.stringify(value), (_, member: unknown) =>
    typeof member === 'string' ? (names.get(member) ?? member) : member,
  );

/**
 * The same facts as the handlers of commands would have written them: with the ids, causes and actors of today. For logs
 * that a recorder wrote, whose envelopes are made up.
 */
export const enveloped = (
  stream: string,
  recorded: readonly RecordedEvent[],
): readonly Append[] => {
  const known = kindOf(stream);
  if (known === null) throw new Error(`${stream} is of no kind`);
  /** What derived from the made-up ids, and what derives from these. */
  const names = new Map<string, string>();
  let state = startOf(stream);
  return appendsOf(stream, recorded, 'data').map(({ events }, nth) => {
    const { head } = state;
    const renamed = events.map((event) => {
      const data = replaced(writtenData(event), names);
      return {
        ...event,
        data:
          event.type === 'RunHeadSigned'
            ? { ...(data as object), revision: head?.revision, hash: head?.hash }
            : data,
      };
    });
    const reading = readingOf(
      state,
      renamed.map(({ type, data, metadata }) => ({
        type,
        data: types.upcast(type, metadata.schemaVersion, data),
      })),
    );
    const [role] = rolesForCommand(reading.commands[0] ?? '');
    const { naming } = reading;
    const [known1] = naming.ids(naming.cause === 'itself' ? '' : (head?.id ?? ''));
    const own = deriveId('outside', stream, nth);
    const commandId = known1 ?? own;
    const isAsked = known1 === undefined && naming.asked;
    const bindings: Bindings = new Map();
    const decision = reading.decide(UNTOLD);
    if (!decision.ok) throw new Error(decision.error.message);
    for (const [at, fact] of decision.value.entries()) {
      const upcast = types.upcast(
        fact.type,
        renamed[at]?.metadata.schemaVersion ?? 1,
        renamed[at]?.data,
      );
      difference('data', upcast, fact.data, bindings);
    }
    for (const derive of Object.values(commandIds)) {
      const old = bindings.get(derive(UNTOLD));
      if (old !== undefined) names.set(old, derive(commandId));
    }
    const actor: Actor =
      role === 'harness' || role === undefined
        ? { role: 'harness', id: 'harness' }
        : { role, id: 'somebody' };
    const made = written(
      head?.hash ?? null,
      renamed.map(({ revision, type, data, metadata }, ordinal) => ({
        ...{ stream, revision, type },
        id: eventId(commandId, ordinal),
        data: replaced(data, names),
        metadata: {
          ...metadata,
          correlationId: known.kind.correlation(known.id),
          causationId: isAsked ? deriveId('request', stream, nth) : (head?.id ?? commandId),
          actor,
        },
      })),
    );
    const before = state;
    const judged = judgeAppend(before, made);
    if (judged.problem !== null) throw new Error(judged.problem);
    state = judged.state;
    return { before, events: made };
  });
};
