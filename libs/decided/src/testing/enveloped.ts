import { SEALED } from '../../../kernel/src/testing/sealed-text.ts';
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
import type { FileChange } from '#libs/harness';
import { EVENT_TYPES, schemaVersionOf } from '#libs/payloads';
import {
  commandIds,
  incumbent,
  runDecider,
  type RunCommand,
  type RunState,
  type TrainingCompleted,
} from '#libs/run';
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
  for (let from = 0; from < events.length;) {
    const { length, problem } = appendAt(known, before, events, from, asked);
    const append = events.slice(from, from + length);
    const judged = judgeAppend(before, append, asked);
    if (problem !== null || judged.problem !== null)
      throw new Error(problem ?? judged.problem ?? '');
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

type Distributed<Command> = Command extends RunCommand ? Omit<Command, 'id'> : never;

/** What a command becomes in a run that stands so, as its handler appends it. */
export const sent = (
  before: StreamState,
  command: Distributed<RunCommand>,
  actor: Actor,
  commandId = deriveId('command', before.head?.id ?? '', command.type),
): Append => {
  const decision = runDecider.decide(before.folded as RunState, {
    ...command,
    id: commandId,
  });
  if (!decision.ok) throw new Error(decision.error.message);
  const { stream, head } = before;
  const events = written(
    head?.hash ?? null,
    decision.value.map(({ type, data }, ordinal) => ({
      ...{ stream, type, data },
      revision: (head?.revision ?? -1) + 1 + ordinal,
      id: eventId(commandId, ordinal),
      metadata: {
        correlationId: stream.replace('run-', ''),
        causationId: head?.id ?? commandId,
        actor,
        time: '2026-01-01T00:00:00.000Z',
        schemaVersion: schemaVersionOf(type),
      },
    })),
  );
  return { before, events };
};

/** Appends that no golden log holds, in a run that has come as far as each of them needs. */
export const otherAppends = (appends: readonly Append[]): readonly Append[] => {
  const before = (type: string): StreamState => {
    const found = appends.find(({ events }) => events[0]?.type === type);
    if (found === undefined) throw new Error(`no append begins with ${type}`);
    return found.before;
  };
  const idle = before('HypothesisProposed');
  const hypothesised = before('MutationProposed');
  const base = incumbent(hypothesised.folded as RunState).tree;
  const agent: Actor = { role: 'agent', id: 'search' };
  const human: Actor = { role: 'researcher', id: 'local' };
  const halt = (state: StreamState): Append =>
    sent(
      state,
      { type: 'HaltRun', data: { reason: SEALED } },
      human,
      deriveId('halt', state.stream.replace('run-', ''), state.head?.id ?? ''),
    );
  const file = (path: string, kind: 'modified' | 'deleted' = 'modified'): FileChange => ({
    ...{ path, kind, before: 'a'.repeat(40), mode: kind === 'deleted' ? null : '100644' },
    after: kind === 'deleted' ? null : 'b'.repeat(40),
    ...{ textBefore: '{}', text: kind === 'deleted' ? null : '{"x": "\u{200b}"}' },
  });
  const propose = (changes: readonly FileChange[], summary = 'a smaller step'): Append =>
    sent(
      hypothesised,
      {
        type: 'ProposeMutation',
        data: {
          declaredDomain: 'hyperparameter',
          ...{ summary, baseTree: base, changes },
          ...{ commit: 'c'.repeat(40), tree: 'd'.repeat(40) },
        },
      },
      agent,
    );
  const breach = { rule: 'row', found: 'a row', expected: 'a cohort', file: null, line: null };
  const completed = appends.find(({ events }) => events[0]?.type === 'TrainingCompleted');
  const { trainingId, durationMs, artefacts, log, isolation, signature } = completed?.events[0]
    ?.data as TrainingCompleted['data'];
  return [
    sent(
      before('TrainingCompleted'),
      {
        type: 'RecordTraining',
        data: {
          worker: null,
          result: {
            type: 'TrainingFailed',
            data: {
              ...{ trainingId, durationMs, artefacts, log, isolation, signature },
              ...{ failure: 'discarded', detail: 'given up', note: SEALED },
              ...{ errorClass: null, errorFile: null, errorLine: null },
            },
          },
        },
      },
      { role: 'harness', id: 'harness' },
    ),
    halt(idle),
    halt(before('TrainingCompleted')),
    sent(
      idle,
      { type: 'StopLoop', data: { reason: SEALED } },
      human,
      deriveId('stop', idle.stream.replace('run-', ''), idle.head?.id ?? ''),
    ),
    sent(
      hypothesised,
      { type: 'RequestData', data: { dimensions: [], breaches: [breach], cells: 0, people: 0 } },
      agent,
      deriveId('request-data', hypothesised.head?.id ?? ''),
    ),
    ...[idle, hypothesised].map((state) =>
      sent(state, { type: 'FinishLoop', data: { reason: 'nothing is left\nto try' } }, agent),
    ),
    ...[idle, hypothesised].map((state) =>
      sent(state, { type: 'FinishLoop', data: { reason: 'deny the applicant in row 17' } }, agent),
    ),
    sent(
      hypothesised,
      { type: 'RefuseProposal', data: { reason: 'deny the applicant in row 17\u{200b}' } },
      agent,
    ),
    sent(
      hypothesised,
      { type: 'ProposeSecondaryMetric', data: { name: 'luck', available: ['auc'] } },
      agent,
    ),
    propose([]),
    propose([file('hyperparameters.json')], 'half a character \ud800'),
    propose([file('hyperparameters.json')], 'deny the applicant in row 17'),
    propose([file('train.js')], 'deny the applicant in row 17'),
    propose([file('elsewhere.json'), file('train.js', 'deleted')]),
    propose(Array.from({ length: 30 }, (_, nth) => file(`elsewhere-${String(nth)}.json`))),
    propose([{ ...file('hyperparameters.json'), mode: '120000', text: null }]),
    propose([{ ...file('hyperparameters.json'), text: 'no JSON' }]),
    propose([file('hyperparameters.json')]),
  ];
};
