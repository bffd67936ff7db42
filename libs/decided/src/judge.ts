import { eventId, holdsClearText, reasonOf, type Actor, type Fact } from '#libs/kernel';
import { authorise } from '#libs/mandate';
import { difference, UNTOLD, type Bindings } from './compare.ts';
import { kindOf, newestVersion, type Kind, type Known } from './kinds.ts';
import type { JudgedEvent, Place, Reading } from './reading.ts';

/** A stream as far as it was read. Opaque: made by {@link startOf}, moved on by {@link judgeAppend} and {@link remember}. */
export interface StreamState {
  readonly stream: string;
  readonly head: Place['head'];
  /** Ids of its last events, the newest first: what a command can have been made of. */
  readonly recent: readonly string[];
  /** The version that a type was written in last. */
  readonly versions: Readonly<Record<string, number>>;
  readonly folded: unknown;
}

export interface Judgement {
  /** The stream after the events; as it was before them where there is a problem. */
  readonly state: StreamState;
  /** Why the rules would not have made these events, with the place, what was found and what was expected. */
  readonly problem: string | null;
}

/**
 * How many events can have come between a command's making and its append. A command that names what was before it is
 * made and sent at once, or (a verdict) takes the time of a verification.
 */
const MOST_BETWEEN = 200;

/** A stream that holds nothing yet. Of an unknown kind, no append of it is taken. */
export const startOf = (stream: string): StreamState => ({
  stream,
  head: null,
  recent: [],
  versions: {},
  folded: kindOf(stream)?.kind.initialState ?? null,
});

const at = ({ stream, revision }: JudgedEvent): string => `${stream}@${String(revision)}`;

/** What says no: everything below gives a problem as a text, or null. */
const problemAt = (event: JudgedEvent, problem: string | null): string | null =>
  problem === null ? null : `${at(event)} (${event.type}): ${problem}`;

const unlinked = ({ stream, head }: StreamState, event: JudgedEvent): string | null => {
  if (event.stream !== stream) return `found the stream ${event.stream}, expected ${stream}`;
  const revision = (head?.revision ?? -1) + 1;
  if (event.revision !== revision)
    return `found the revision ${String(event.revision)}, expected ${String(revision)}`;
  const prev = head?.hash ?? null;
  return event.prev === prev
    ? null
    : `found metadata.prev ${String(event.prev)}, expected ${String(prev)}`;
};

const outdated = ({ versions }: StreamState, event: JudgedEvent): string | null => {
  const { schemaVersion } = event.metadata;
  const oldest = Object.hasOwn(versions, event.type) ? (versions[event.type] ?? 1) : 1;
  const newest = newestVersion(event.type);
  // What people write was in clear in the first versions alone.
  if (holdsClearText(event.data) && schemaVersion !== 1)
    return `found a human's text in clear in version ${String(schemaVersion)}, expected a sealed one`;
  return Number.isInteger(schemaVersion) && schemaVersion >= oldest && schemaVersion <= newest
    ? null
    : `found metadata.schemaVersion ${String(schemaVersion)}, expected ${oldest === newest ? String(newest) : `${String(oldest)} to ${String(newest)}`}`;
};

const factOf = ({ type, data }: JudgedEvent): Fact => ({ type, data });

const next = (kind: Kind, state: StreamState, event: JudgedEvent): StreamState => {
  const { id, revision, hash, type, metadata } = event;
  return {
    stream: state.stream,
    head: { id, revision, hash },
    recent: [id, ...state.recent.slice(0, MOST_BETWEEN - 1)],
    versions:
      state.versions[type] === metadata.schemaVersion
        ? state.versions
        : { ...state.versions, [type]: metadata.schemaVersion },
    folded: kind.evolve(state.folded, factOf(event)),
  };
};

/** Who sent it, and what an append says of itself on each of its events alike. */
const misattributed = (
  { commands }: Reading,
  correlation: string,
  append: readonly JudgedEvent[],
): string | null => {
  const [first] = append;
  if (first === undefined) return null;
  const { actor, causationId } = first.metadata;
  const allowed = commands.map((command) => authorise(actor as Actor, command));
  const [refusal] = allowed;
  if (refusal?.ok === false && allowed.every(({ ok }) => !ok))
    return problemAt(first, refusal.error.message);
  for (const event of append) {
    const { metadata } = event;
    const found: readonly (readonly [string, string, string])[] = [
      ['correlationId', metadata.correlationId, correlation],
      ['causationId', metadata.causationId, causationId],
      ['actor.role', metadata.actor.role, actor.role],
      ['actor.id', metadata.actor.id, actor.id],
    ];
    const other = found.find(([, has, wants]) => has !== wants);
    if (other !== undefined)
      return problemAt(event, `found metadata.${other[0]} ${other[1]}, expected ${other[2]}`);
  }
  return null;
};

const causesOf = (
  { head, recent }: Pick<StreamState, 'head' | 'recent'>,
  { naming: { cause } }: Reading,
): readonly string[] => {
  if (cause === 'itself') return [''];
  if (cause === 'earlier') return recent;
  return head === null ? [] : [head.id];
};

/**
 * The id of the command, by the first event's: one that its kind can have, or null where the log doesn't tell it.
 * `problem` where neither can be.
 */
const commandIdOf = (
  state: StreamState,
  reading: Reading,
  first: JudgedEvent,
): { readonly id: string | null; readonly problem: string | null } => {
  const { naming, commands } = reading;
  const { causationId, actor } = first.metadata;
  const { head } = state;
  const isOf = (id: string): boolean => eventId(id, 0) === first.id;
  const caused = (expected: string): string | null =>
    causationId === expected
      ? null
      : `found metadata.causationId ${causationId}, expected ${expected}`;
  for (const cause of causesOf(state, reading)) {
    const id = naming.ids(cause).find(isOf);
    if (id !== undefined) return { id, problem: caused(head?.id ?? id) };
  }
  // The first event of a stream names the command itself, where it was not asked for over the API.
  if (naming.random && head === null && isOf(causationId))
    return { id: causationId, problem: null };
  if (naming.random && head !== null && causationId === head.id) return { id: null, problem: null };
  if (naming.asked && actor.role !== 'harness' && causationId !== head?.id)
    return { id: null, problem: null };
  return {
    id: null,
    problem: `found the id ${first.id}, caused by ${causationId}; expected one of ${commands.join(' or ')}, caused by ${head?.id ?? 'itself'}`,
  };
};

/** What is asked of the envelope of an append besides its data. */
export type Asked =
  /** All: ids, causes and actors too. */
  | 'envelope'
  /** The data alone: of logs whose envelopes no handler of commands made, as a recorder of golden logs. */
  | 'data';

/** How far an append is looked into for what its command was: a verdict's third event tells of the accepted line. */
const LOOKED_AT = 3;

interface Append {
  readonly length: number;
  readonly problem: string | null;
}

/** The append that begins with this event: how long it is, or why the rules would not have made it. */
export const appendAt = (
  { kind, id }: Known,
  state: StreamState,
  events: readonly JudgedEvent[],
  from: number,
  asked: Asked,
): Append => {
  const first = events[from] as JudgedEvent;
  const refuse = (problem: string | null): Append => ({ length: 0, problem });
  const facts = events.slice(from, from + LOOKED_AT).map(factOf);
  const readings = kind.readings(state.folded, facts, { id, head: state.head });
  if (readings.length === 0)
    return refuse(problemAt(first, 'found an append that begins so, expected one of a command'));
  let closest: string | null = null;
  for (const reading of readings) {
    const command = reading.commands.join(' or ');
    const named =
      asked === 'envelope' ? commandIdOf(state, reading, first) : { id: null, problem: null };
    if (named.problem !== null) return refuse(problemAt(first, named.problem));
    const decision = reading.decide(named.id ?? UNTOLD);
    if (!decision.ok) {
      closest ??= problemAt(
        first,
        `found what ${command} brings, expected nothing: ${decision.error.message}`,
      );
      continue;
    }
    const append = events.slice(from, from + decision.value.length);
    const problem = unlike(command, append, first, named.id, decision.value);
    if (problem === null)
      return asked === 'envelope'
        ? {
            length: append.length,
            problem: misattributed(reading, kind.correlation(id), append),
          }
        : { length: append.length, problem: null };
    closest ??= problem;
  }
  return refuse(closest);
};

/** How an append differs from what its command decides. */
const unlike = (
  command: string,
  append: readonly JudgedEvent[],
  first: JudgedEvent,
  commandId: string | null,
  decided: readonly Fact[],
): string | null => {
  if (decided.length === 0)
    return problemAt(first, `found what ${command} brings, expected nothing: it decides nothing`);
  const bindings: Bindings = new Map();
  for (const [ordinal, fact] of decided.entries()) {
    const event = append[ordinal];
    if (event === undefined)
      return `${first.stream}@${String(first.revision + ordinal)}: found nothing, expected ${fact.type}, as ${command} decides`;
    const says = (problem: string | null): string | null =>
      problem === null ? null : `${at(event)} (${event.type}): ${problem}, as ${command} decides`;
    if (event.type !== fact.type) return says(`found ${event.type}, expected ${fact.type}`);
    const problem = difference('data', event.data, fact.data, bindings);
    if (problem !== null) return says(problem);
    if (commandId !== null && event.id !== eventId(commandId, ordinal))
      return says(`found the id ${event.id}, expected ${eventId(commandId, ordinal)}`);
  }
  return null;
};

/** What follows when something is wrong that should not have been there to begin with. */
const unreadable = (first: JudgedEvent | undefined, error: unknown): string => {
  const why = reasonOf(error);
  let where = 'an event';
  try {
    if (first !== undefined) where = at(first);
  } catch {
    // Not even its place can be read.
  }
  return `${where}: found what cannot be decided anew (${why}), expected events as they are written`;
};

/**
 * Decides anew what stands in the log: whether the rules would have made these events of a stream, of a command that they
 * tell themselves, in the state in which the stream stood. What the command took from outside (a measurement, a
 * signature, a diff) is taken as given; everything that was decided of it is compared. Never throws, whatever the events
 * are.
 *
 * @param state - the stream before them
 * @param events - in order, one or more whole appends of the stream
 * @example
 * let state = startOf('run-pay-1');
 * for (const append of appends) ({ state, problem } = judgeAppend(state, append));
 */
export const judgeAppend = (
  state: StreamState,
  events: readonly JudgedEvent[],
  asked: Asked = 'envelope',
): Judgement => {
  try {
    const known = kindOf(state.stream);
    const no = (problem: string | null): Judgement => ({ state, problem });
    if (known === null)
      return no(
        `${state.stream}: found a stream of an unknown kind, expected one that Holdfast writes`,
      );
    const { kind, id } = known;
    let moved = state;
    let from = 0;
    for (;;) {
      if (from >= events.length) return { state: moved, problem: null };
      const { length, problem } = appendAt(known, moved, events, from, asked);
      if (problem !== null) return no(problem);
      for (const event of events.slice(from, from + length)) {
        const place = { id, head: moved.head };
        const strange =
          unlinked(moved, event) ??
          outdated(moved, event) ??
          kind.strangeness(factOf(event), place, event.metadata.schemaVersion);
        if (strange !== null) return no(problemAt(event, strange));
        moved = next(kind, moved, event);
      }
      from += length;
    }
  } catch (error) {
    return { state, problem: unreadable(events[0], error) };
  }
};

/**
 * The stream after events that were judged before, or that a person vouched for: nothing is decided anew, only links are
 * looked at. What was dropped from memory is rebuilt by it.
 */
export const remember = (state: StreamState, events: readonly JudgedEvent[]): Judgement => {
  try {
    const known = kindOf(state.stream);
    if (known === null)
      return { state, problem: `${state.stream}: found a stream of an unknown kind` };
    let moved = state;
    for (const event of events) {
      const problem = problemAt(event, unlinked(moved, event));
      if (problem !== null) return { state, problem };
      moved = next(known.kind, moved, event);
    }
    return { state: moved, problem: null };
  } catch (error) {
    return { state, problem: unreadable(events[0], error) };
  }
};
