import { erasureDecider } from '#libs/erasures';
import type { EventLog } from '#libs/event-log';
import { findingDecider } from '#libs/findings';
import { fleetDecider } from '#libs/fleet';
import {
  eventId,
  holdsClearText,
  ok,
  refused,
  type Actor,
  type Clock,
  type Decider,
  type Fact,
  type RecordedEvent,
  type Refusal,
  type Result,
} from '#libs/kernel';
import { ledgerReadDecider } from '#libs/ledger-reads';
import { sha256 } from '#libs/log-tree';
import { authorise } from '#libs/mandate';
import { notaryDecider, type NotaryPorts } from '#libs/notary';
import { schemaVersionOf } from '#libs/payloads';
import { runDecider } from '#libs/run';
import { verifyRaw } from '#libs/signatures';
import { dataDecider, studyDecider } from '#libs/studies';
import { recent } from './recent.ts';

/** Where a stream stands: its folded state and its last event. */
export interface Standing<State, E extends Fact> {
  readonly state: State;
  readonly head: RecordedEvent<E> | null;
}

export interface Stream<State, Command, E extends Fact, Code extends string> {
  /** The state now. Reads only what came since the last load. */
  load(id: string): Promise<Standing<State, E>>;
  /**
   * Load, decide, append: one command, one append. `lost-race` when somebody else appended in between: load again
   * and ask what is owed now.
   *
   * @param after - the head that the command was made of; given, a stream that has moved on since is a lost race
   */
  send(
    id: string,
    command: Command,
    actor: Actor,
    after?: RecordedEvent<E>,
  ): Promise<Result<readonly RecordedEvent<E>[], Refusal<Code | 'lost-race' | 'not-authorised'>>>;
  /**
   * A command from outside. Whoever sends it again under the same id is given the events that it became the first
   * time; the log is what remembers. Races with other writers are run again.
   *
   * @param commandOf - the command, made of the state as it is then
   */
  request<Refused extends string = never>(
    id: string,
    request: OutsideRequest,
    commandOf: (standing: Standing<State, E>) => Promise<Result<Command, Refusal<Refused>>>,
  ): Promise<
    Result<
      Requested<E>,
      Refusal<Code | Refused | 'lost-race' | 'not-authorised' | 'idempotency-key-reused'>
    >
  >;
}

/** Who asks for something, and under which name. */
export interface OutsideRequest {
  /** Derives from the sender and the key that he repeats when he asks again. */
  readonly commandId: string;
  /** Derives from what is asked, too: the same key with other content is no repetition. */
  readonly causationId: string;
  readonly actor: Actor;
}

export interface Requested<E extends Fact> {
  readonly events: readonly RecordedEvent<E>[];
  /** True when the command was recorded earlier; nothing was written. */
  readonly repeated: boolean;
}

interface Kind<State, Command, E extends Fact, Code extends string> {
  readonly nameOf: (id: string) => string;
  readonly decider: Decider<State, Command, E, Code>;
  /** Ties everything of one run together. */
  readonly correlation: (id: string) => string;
}

const KEY_REUSED = refused({
  code: 'idempotency-key-reused' as const,
  message:
    'this key was used with other content, expected the same content or a key of its own; send the request again with a new key',
});

const isReused = ({ code }: Refusal): boolean => code === 'event-id-reused';

/** Races that a request from outside may lose before it is refused. */
const PATIENCE = 20;

/** Folds that are held in memory, of each kind of stream: one that made way is read from its first event again. */
const MOST_FOLDS = 500;

/** Events whose ids are held in memory, of each kind of stream, to tell whether a request was recorded before. */
const MOST_IDS = 500_000;

/** The one way in which commands become events. The cache holds folds of what was read, never decisions. */
const stream = <
  State,
  Command extends { readonly id: string; readonly type: string },
  E extends Fact,
  Code extends string,
>(
  log: EventLog,
  clock: Clock,
  { nameOf, decider, correlation }: Kind<State, Command, E, Code>,
): Stream<State, Command, E, Code> => {
  const known = recent<Standing<State, E>>(MOST_FOLDS);
  /** Of each stream that was asked from outside, its events' revisions by their ids, as far as it was read. */
  const revisions = recent<Map<string, number>>(MOST_IDS);

  const load = async (id: string): Promise<Standing<State, E>> => {
    let { state, head } = known.get(id) ?? { state: decider.initialState, head: null };
    const from = head === null ? 0 : head.revision + 1;
    for await (const event of log.readStream<E>(nameOf(id), { from })) {
      state = decider.evolve(state, event as unknown as E);
      head = event;
    }
    known.set(id, { state, head });
    return { state, head };
  };

  const decideAndAppend = async (
    id: string,
    { state, head }: Standing<State, E>,
    command: Command,
    actor: Actor,
    causationId: string,
  ): Promise<
    Result<
      readonly RecordedEvent<E>[],
      Refusal<Code | 'lost-race' | 'not-authorised' | 'event-id-reused'>
    >
  > => {
    const authorised = authorise(actor, command.type);
    if (!authorised.ok) return authorised;
    const decision = decider.decide(state, command);
    if (!decision.ok) return decision;
    if (decision.value.length === 0) return ok([]);
    const clear = decision.value.find(({ data }) => holdsClearText(data));
    // Deciders take one, of older versions decided anew; an edge that sends one forgot to seal it.
    if (clear !== undefined)
      throw new Error(`${clear.type} holds what a human wrote in clear, expected it sealed`);
    const appended = await log.append(
      nameOf(id),
      head?.revision ?? 'no-stream',
      decision.value.map(({ type, data }, ordinal) => ({
        id: eventId(command.id, ordinal),
        type,
        data,
        metadata: {
          correlationId: correlation(id),
          causationId,
          actor,
          time: clock.now(),
          schemaVersion: schemaVersionOf(type),
        },
      })),
    );
    if (appended.ok) return ok(appended.value.events as readonly RecordedEvent<E>[]);
    const { code, message } = appended.error;
    if (code === 'wrong-expected-revision') return refused({ code: 'lost-race', message });
    if (code === 'event-id-reused') return refused({ code, message });
    // Events that our own deciders made must fit the log's schemas: anything else is a bug.
    throw new Error(`${nameOf(id)}: ${code}: ${message}`);
  };

  /** The events that a command became, in their order; empty when it was never recorded. */
  const recordedOf = async (
    id: string,
    commandId: string,
  ): Promise<readonly RecordedEvent<E>[]> => {
    const read = revisions.get(id) ?? new Map<string, number>();
    for await (const event of log.readStream<E>(nameOf(id), { from: read.size }))
      read.set(event.id, event.revision);
    revisions.set(id, read, read.size);
    const first = read.get(eventId(commandId, 0));
    if (first === undefined) return [];
    const found: RecordedEvent<E>[] = [];
    for await (const event of log.readStream<E>(nameOf(id), { from: first }))
      if (event.id === eventId(commandId, found.length)) found.push(event);
      else break;
    return found;
  };

  return {
    load,
    send: async (id, command, actor, after) => {
      const standing = await load(id);
      const { head } = standing;
      if (after !== undefined && head?.revision !== after.revision)
        return refused({
          code: 'lost-race',
          message: `${nameOf(id)} stands at revision ${head?.revision ?? 'none'}, expected ${after.revision}`,
        });
      const sent = await decideAndAppend(id, standing, command, actor, head?.id ?? command.id);
      // Ids derive from what launched the command: whoever was faster with the same one has recorded it already.
      return !sent.ok && isReused(sent.error)
        ? refused({ code: 'lost-race', message: sent.error.message })
        : (sent as Result<
            readonly RecordedEvent<E>[],
            Refusal<Code | 'lost-race' | 'not-authorised'>
          >);
    },
    request: async (id, { commandId, causationId, actor }, commandOf) => {
      for (let attempt = 1; ; attempt += 1) {
        const standing = await load(id);
        const earlier = await recordedOf(id, commandId);
        if (earlier[0] !== undefined)
          return earlier[0].metadata.causationId === causationId
            ? ok({ events: earlier, repeated: true })
            : KEY_REUSED;
        const command = await commandOf(standing);
        if (!command.ok) return command;
        const sent = await decideAndAppend(id, standing, command.value, actor, causationId);
        if (sent.ok) return ok({ events: sent.value, repeated: false });
        if (isReused(sent.error)) {
          // Recorded in this stream meanwhile it is a repetition; in another one it was another command.
          if ((await recordedOf(id, commandId)).length === 0) return KEY_REUSED;
        } else if (sent.error.code !== 'lost-race' || attempt === PATIENCE)
          return refused(sent.error as Refusal<Code | 'lost-race' | 'not-authorised'>);
      }
    },
  };
};

export const studyStreams = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: (id) => `study-${id}`,
    decider: studyDecider,
    correlation: (id) => id,
  });

/** What all studies of the same data share, by the data's digest. */
export const dataStreams = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: (id) => `data-${id}`,
    decider: dataDecider,
    correlation: (id) => id,
  });

export const runStreams = (log: EventLog, clock: Clock) =>
  stream(log, clock, { nameOf: (id) => `run-${id}`, decider: runDecider, correlation: (id) => id });

export const findingStreams = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: (id) => `finding-${id}`,
    decider: findingDecider,
    // A finding's id is its run's with a suffix.
    correlation: (id) => id.replace(/-f\d+$/, ''),
  });

export const ledgerReadStreams = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: (id) => `access-${id}`,
    decider: ledgerReadDecider,
    correlation: (id) => id,
  });

/** The one stream of all workers; it has no other id. */
export const FLEET = 'fleet';
export const fleetStream = (log: EventLog, clock: Clock) =>
  stream(log, clock, { nameOf: () => FLEET, decider: fleetDecider, correlation: () => FLEET });

/** The two functions that the notary's decider needs. */
export const NOTARY_PORTS: NotaryPorts = {
  sha256,
  verify: verifyRaw,
};

/** The one stream of the notary; it has no other id, and its events are no leaves of the tree. */
export const NOTARY = 'notary';
export const notaryStream = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: () => NOTARY,
    decider: notaryDecider(NOTARY_PORTS),
    correlation: () => NOTARY,
  });

/** The one stream of everything that was erased; it has no other id. */
export const ERASURES = 'erasures';
export const erasureStream = (log: EventLog, clock: Clock) =>
  stream(log, clock, {
    nameOf: () => ERASURES,
    decider: erasureDecider,
    correlation: () => ERASURES,
  });
