import type { Fact, RecordedEvent } from '#libs/kernel';
import type { EventTypes } from './event-types.ts';
import type { EventLog, ReadOptions, StoredEvent } from './port.ts';
import { decodeStored, linkCheck } from './stored-event.ts';
import type { News } from './subscription.ts';

/** What an embedded log can be asked; each answer is a page of events, empty at the end. Synchronous. */
export interface Pages {
  /** Events after `after`, up to `upTo`, by position. */
  readonly byPosition: (after: number, upTo: number, limit: number) => readonly StoredEvent[];
  /** Events of a stream with `from` ≤ revision ≤ `to`, upwards or downwards. */
  readonly byRevision: (
    stream: string,
    from: number,
    to: number,
    direction: 'forwards' | 'backwards',
    limit: number,
  ) => readonly StoredEvent[];
  /** The last position, 0 of an empty log. */
  readonly lastPosition: () => number;
  /** The stream's last revision, -1 of a stream without events. */
  readonly lastRevision: (stream: string) => number;
  readonly closed: () => boolean;
}

/** How long a subscription sleeps before it looks for what other processes appended. */
const POLL_MILLISECONDS = 100;

/** The reading half of the port, the same for every log that answers in pages. */
export const reading = (
  pages: Pages,
  types: EventTypes,
  appended: News,
): Pick<EventLog, 'readStream' | 'readAll' | 'readStored' | 'subscribe'> => {
  const asStored = (stored: StoredEvent): StoredEvent => stored;
  const asRecorded = (stored: StoredEvent): RecordedEvent => decodeStored(stored, types);

  async function* byPosition<T>(
    after: number,
    limit: number,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    const upTo = pages.lastPosition();
    let position = after;
    let left = limit;
    while (left > 0) {
      const page = pages.byPosition(position, upTo, left);
      if (page.length === 0) return;
      for (const stored of page) yield as(stored);
      position = page.at(-1)!.position;
      left -= page.length;
    }
  }

  async function* byRevision<T>(
    stream: string,
    { from, direction = 'forwards', limit = Infinity }: ReadOptions,
    as: (stored: StoredEvent) => T,
  ): AsyncGenerator<T> {
    const last = pages.lastRevision(stream);
    const forwards = direction === 'forwards';
    let next = forwards ? (from ?? 0) : Math.min(from ?? last, last);
    let left = limit;
    while (left > 0) {
      const page = forwards
        ? pages.byRevision(stream, next, last, direction, left)
        : pages.byRevision(stream, 0, next, direction, left);
      if (page.length === 0) return;
      for (const stored of page) yield as(stored);
      next = page.at(-1)!.revision + (forwards ? 1 : -1);
      left -= page.length;
    }
  }

  return {
    readStream: <E extends Fact>(stream: string, options: ReadOptions = {}) => {
      const linked = linkCheck(options.direction ?? 'forwards');
      return byRevision(
        stream,
        options,
        (stored) => linked(asRecorded(stored)) as RecordedEvent<E>,
      );
    },

    readAll: ({ after = 0, limit = Infinity } = {}) => byPosition(after, limit, asRecorded),

    readStored: (options = {}) =>
      'stream' in options
        ? byRevision(options.stream, {}, asStored)
        : byPosition(options.after ?? 0, options.limit ?? Infinity, asStored),

    async *subscribe({ after = 0, signal }) {
      let position = after;
      const over = () => signal.aborted || pages.closed();
      while (!over()) {
        const page = pages.byPosition(position, Infinity, Infinity);
        for (const stored of page) {
          if (over()) return;
          yield asRecorded(stored);
          position = stored.position;
        }
        if (page.length === 0) await appended.wait(signal, POLL_MILLISECONDS);
      }
    },
  };
};
