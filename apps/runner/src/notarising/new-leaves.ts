import { setImmediate as turn } from 'node:timers/promises';
import {
  CorruptEvent,
  decodeStored,
  eventTypes,
  StreamGone,
  UnknownEventVersion,
  type EventLog,
} from '#libs/event-log';
import type { RecordedEvent, StoredEvent } from '#libs/kernel';
import { isSameAppend, type Append, type NotaryAlarmRaised } from '#libs/notary';
import { EVENT_TYPES } from '#libs/payloads';
import { NOTARY } from '../streams.ts';
import type { Judge } from './judge.ts';

/** What is wrong with the log; where it is an append that was not decided, which one: a human can vouch for that. */
export type Trouble = Omit<NotaryAlarmRaised['data'], 'size' | 'append'> & {
  readonly append?: Append;
};

/** An event that this program is too old to judge: no alarm, but nothing that it could sign. */
export class TooNewToSign extends Error {
  override readonly name = 'TooNewToSign';
}

const types = eventTypes(EVENT_TYPES);

export const nameOf = ({ stream, revision }: Pick<StoredEvent, 'stream' | 'revision'>): string =>
  `event ${revision} of ${stream}`;

/** The event whose bytes were stored, if they hash to its chain hash and stand where they say. */
export const readLeaf = (stored: StoredEvent): RecordedEvent | Trouble => {
  try {
    return decodeStored(stored, types);
  } catch (error) {
    if (error instanceof CorruptEvent)
      return {
        reason: 'not-decided',
        found: error.message,
        expected: 'bytes that hash to the chain hash, where they say that they stand',
      };
    if (error instanceof UnknownEventVersion) throw new TooNewToSign(error.message);
    throw error;
  }
};

export const isTrouble = (found: RecordedEvent | Trouble): found is Trouble => 'reason' in found;

/** Events of the log in its order, without the notary's own, which are no leaves. */
export async function* leavesOf(
  log: Pick<EventLog, 'readStored'>,
  after: number | null,
): AsyncGenerator<StoredEvent> {
  let read = 0;
  for await (const stored of log.readStored(after === null ? {} : { after })) {
    // An embedded log answers without ever waiting: leases would not be renewed, nor requests be answered.
    read += 1;
    if (read % EVENTS_A_TURN === 0) await turn();
    if (stored.stream !== NOTARY) yield stored;
  }
}

const EVENTS_A_TURN = 256;

/** A stream that the server no longer gives is one that lost what it held. */
export const goneStream = (error: unknown): Trouble | null =>
  error instanceof StreamGone
    ? {
        reason: 'shorter-log',
        found: error.message,
        expected: 'every event that was appended: a log loses none',
      }
    : null;

/** What is known beside the events that are looked at. */
export interface LeafContext {
  /** Where a stream ended before the event that is looked at; null: it held none. */
  readonly headOf: (stream: string) => { readonly revision: number; readonly hash: string } | null;
  /** Appends that humans vouched for: these, as they were then, may be otherwise than the rules decide, and no others. */
  readonly accepted: () => readonly Append[];
}

/** Looks at events in log order: whether each is linked to its stream's event before, and decided by the rules. */
export interface LeafCheck {
  /** What is wrong with this event, or with an append that it shows to be complete. */
  readonly see: (event: RecordedEvent) => Promise<Trouble | null>;
  /** What is wrong with the append that was seen last. The events seen until now are then known to be good. */
  readonly end: () => Promise<Trouble | null>;
}

export const leafCheck = (
  log: Pick<EventLog, 'readStream'>,
  judge: Judge,
  { headOf, accepted }: LeafContext,
): LeafCheck => {
  let append: RecordedEvent[] = [];

  const unlinked = (event: RecordedEvent): Trouble | null => {
    const { stream, revision, prev } = event;
    const before = headOf(stream);
    return revision === (before?.revision ?? -1) + 1 && prev === (before?.hash ?? null)
      ? null
      : {
          reason: 'not-decided',
          found: `${nameOf(event)} linked to ${prev ?? 'nothing'}`,
          expected:
            before === null
              ? 'the first event of its stream, linked to nothing'
              : `the event after ${before.revision} of it, linked to ${before.hash}`,
        };
  };

  /** What stands before it in its stream was signed already, or is about to be: it must be readable. */
  const judged = async (
    events: readonly RecordedEvent[],
    first: RecordedEvent,
  ): Promise<string | Trouble | null> => {
    try {
      return await judge(events, () => earlierThan(log, first));
    } catch (error) {
      if (error instanceof CorruptEvent)
        return {
          reason: 'not-decided',
          found: error.message,
          expected: `the events that ${nameOf(first)} rests on, as they were written`,
        };
      const gone = goneStream(error);
      if (gone !== null) return gone;
      throw error;
    }
  };

  const end = async (): Promise<Trouble | null> => {
    const [first] = append;
    const last = append.at(-1);
    if (first === undefined || last === undefined) return null;
    const events = append;
    append = [];
    const why = await judged(events, first);
    if (typeof why !== 'string') return why;
    const { stream, revision: from } = first;
    const written: Append = { stream, from, to: last.revision, hash: last.hash };
    return accepted().some((each) => isSameAppend(each, written))
      ? null
      : {
          reason: 'not-decided',
          found: `${nameOf(first)}${events.length > 1 ? ` and ${events.length - 1} after it` : ''}: ${why}`,
          expected: 'what the rules decide there',
          append: written,
        };
  };

  const see = async (event: RecordedEvent): Promise<Trouble | null> => {
    const wrong = unlinked(event);
    if (wrong !== null) return wrong;
    const last = append.at(-1);
    const isSame = last === undefined || belongsTogether(last, event);
    const before = isSame ? null : await end();
    append.push(event);
    return before;
  };
  return { see, end };
};

/** One append's events stand side by side and share what caused them: the command, or the event before the append. */
const belongsTogether = (last: RecordedEvent, next: RecordedEvent): boolean =>
  next.stream === last.stream &&
  next.revision === last.revision + 1 &&
  next.metadata.causationId === last.metadata.causationId;

async function* earlierThan(
  log: Pick<EventLog, 'readStream'>,
  { stream, revision }: RecordedEvent,
): AsyncGenerator<RecordedEvent> {
  if (revision === 0) return;
  for await (const event of log.readStream(stream, { limit: revision })) yield event;
}
