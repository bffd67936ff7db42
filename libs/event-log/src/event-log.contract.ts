import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventId, type NewEvent, type RecordedEvent } from '#libs/kernel';
import { eventTypes, Nullable, type EventTypes } from './event-types.ts';
import { UnknownEventVersion } from './errors.ts';
import { chain, parseBody, unchained, verifyHash } from './hash-chain.ts';
import type { EventLog } from './port.ts';
import { streamHead } from './stream-head.ts';

class Line {
  @IsString() name!: string;
  @IsInt() @Min(1) count!: number;
}

class OrderPlaced {
  @IsString() customer!: string;
  @Nullable() @IsString() note!: string | null;
  @IsArray() @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
}

/** Of the contract suite: a validated type, a free one, and `Moved`, which grew from version 1 to 3. */
export const contractTypes: EventTypes = eventTypes([
  { type: 'OrderPlaced', version: 1, payload: OrderPlaced, upcasters: [] },
  { type: 'Noted', version: 1, payload: null, upcasters: [] },
  {
    type: 'Moved',
    version: 3,
    payload: null,
    upcasters: [
      (first: { place: string }) => ({ to: first.place }),
      (second: { to: string }) => ({ ...second, from: null }),
    ],
  },
]);

/** The same names as they were when the log was young. */
const olderTypes: EventTypes = eventTypes([
  { type: 'Moved', version: 1, payload: null, upcasters: [] },
  { type: 'Noted', version: 1, payload: null, upcasters: [] },
]);

export const noted = (name: string, data: unknown = { name }): NewEvent => ({
  id: eventId(name, 0),
  type: 'Noted',
  data,
  metadata: {
    correlationId: 'run-1',
    causationId: name,
    actor: { role: 'harness', id: 'h1' },
    time: '2026-01-02T03:04:05.678Z',
    schemaVersion: 1,
  },
});

const ordered = (name: string, data: unknown): NewEvent => ({
  ...noted(name, data),
  type: 'OrderPlaced',
});

export const all = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
};

const names = (events: readonly RecordedEvent[]): unknown[] =>
  events.map(({ data }) => (data as { name: unknown }).name);

export interface LogUnderTest {
  /** Opens the same log again with other types; null for a log that dies with its process. */
  readonly reopen: ((types: EventTypes) => Promise<EventLog>) | null;
  readonly log: EventLog;
  readonly dispose: () => Promise<void>;
}

/** Where adapters differ; the port says why. */
export interface Capabilities {
  /** Where an id is known again: in the whole log, or in its stream alone. */
  readonly ids: 'log' | 'stream';
  /** Whether `append` tells each event's position, or gives all events of a batch the last one's. */
  readonly positions: 'each' | 'last';
}

/** What every event log promises; each adapter's spec runs it. */
export const eventLogContract = (
  adapter: string,
  open: (types: EventTypes) => Promise<LogUnderTest>,
  { ids, positions }: Capabilities = { ids: 'log', positions: 'each' },
): void => {
  describe(`${adapter}: the event log's contract`, () => {
    let under: LogUnderTest;
    let log: EventLog;

    beforeEach(async () => {
      under = await open(contractTypes);
      log = under.log;
    });
    afterEach(async () => under.dispose());

    const append = async (...args: Parameters<EventLog['append']>) => {
      const appended = await log.append(...args);
      if (!appended.ok) throw new Error(appended.error.message);
      return appended.value;
    };
    const refusal = async (...args: Parameters<EventLog['append']>) => {
      const appended = await log.append(...args);
      if (appended.ok) throw new Error('the append was accepted');
      return appended.error;
    };
    const count = async () => (await all(log.readAll())).length;

    /** What `append` gave, with the positions that reading tells where `append` is not bound to tell them. */
    const asRead = (
      appended: readonly RecordedEvent[],
      read: readonly RecordedEvent[],
    ): readonly RecordedEvent[] => {
      expect(appended.at(-1)?.position).toBe(read.at(-1)?.position);
      if (positions === 'each') return appended;
      return appended.map((event, index) => {
        expect(event.position).toBeGreaterThanOrEqual(read[index]!.position);
        return { ...event, position: read[index]!.position };
      });
    };

    describe('appending', () => {
      it('gives dense revisions from 0, growing positions, and what was sent', async () => {
        const first = await append('s', 'no-stream', [noted('a'), noted('b')]);
        const second = await append('s', 1, [noted('c')]);
        const events = [...first.events, ...second.events];
        expect(first.repeated).toBe(false);
        expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2]);
        const read = await all(log.readStream('s'));
        expect(read[1]!.position).toBeGreaterThan(read[0]!.position);
        expect(read[2]!.position).toBeGreaterThan(read[1]!.position);
        expect(events[2]).toMatchObject({ ...noted('c'), stream: 's' });
        expect(read).toEqual([
          ...asRead(first.events, read.slice(0, 2)),
          ...asRead(second.events, read.slice(2)),
        ]);
      });

      it('chains each event to the one before it, within a batch and across appends', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        await append('other', 'no-stream', [noted('x')]);
        await append('s', 1, [noted('c')]);
        const [a, b, c] = await all(log.readStream('s'));
        expect([a!.prev, b!.prev, c!.prev]).toEqual([null, a!.hash, b!.hash]);
        expect([a, b, c].every((event) => verifyHash(event!))).toBe(true);
        const expected = chain(null, [
          unchained('s', 0, noted('a')),
          unchained('s', 1, noted('b')),
          unchained('s', 2, noted('c')),
        ]);
        expect(c!.hash).toBe(expected[2]!.hash);
        expect(parseBody(c!.canonical).metadata.prev).toBe(b!.hash);
      });

      it('refuses a wrong expected revision as a value that names expected and actual', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        for (const expected of ['no-stream', 0, 2] as const) {
          const error = await refusal('s', expected, [noted(`late-${expected}`)]);
          expect(error.code).toBe('wrong-expected-revision');
          expect(error.message).toMatch(expected === 'no-stream' ? /no event/ : `${expected}`);
          expect(error.message).toContain('revision 1');
        }
        expect((await refusal('none', 0, [noted('d')])).message).toContain('found no event');
        expect(await count()).toBe(2);
      });

      it('lets exactly one of many concurrent appends to a place win', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            log.append('s', 'no-stream', [noted(`a${index}`)]),
          ),
        );
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
        const codes = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error.code]));
        expect(new Set(codes)).toEqual(new Set(['wrong-expected-revision']));
        expect(await count()).toBe(1);
      });

      it('accepts and refuses concurrent appends to several streams each by itself', async () => {
        const outcomes = await Promise.all([
          log.append('s', 'no-stream', [noted('a')]),
          log.append('s', 'no-stream', [noted('b')]),
          log.append('t', 'no-stream', [noted('c')]),
          log.append('t', 0, [noted('d')]),
          log.append('u', 5, [noted('e')]),
        ]);
        expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true, true, false]);
        expect(names(await all(log.readAll())).sort()).toEqual(['a', 'c', 'd']);
      });

      it('takes an empty batch as a question for the revision', async () => {
        expect(await append('s', 'no-stream', [])).toEqual({ events: [], repeated: false });
        expect((await refusal('s', 3, [])).code).toBe('wrong-expected-revision');
      });

      it('takes 1,000 events at once and refuses 1,001', async () => {
        const many = Array.from({ length: 1001 }, (_, index) => noted(`m${index}`));
        const error = await refusal('s', 'no-stream', many);
        expect(error).toMatchObject({ code: 'invalid-event' });
        await append('s', 'no-stream', many.slice(0, 1000));
        const read = await all(log.readStream('s'));
        expect(read.map(({ revision }) => revision)).toEqual([...many.keys()].slice(0, 1000));
        expect(
          read.every((event, index) => index === 0 || event.prev === read[index - 1]!.hash),
        ).toBe(true);
      });

      it('keeps any Unicode text, and what the caller changes afterwards is not its business', async () => {
        const data = { name: 'été 🦊 \u0000 \u2028 "\\', 'ключ 🗝': ['漢字', '\ufeff'] };
        const sent = structuredClone(data);
        const pending = log.append('поток-🦊', 'no-stream', [noted('u', sent)]);
        sent.name = 'changed';
        await pending;
        const [read] = await all(log.readStream('поток-🦊'));
        expect(read!.data).toEqual(data);
      });
    });

    describe('repeating an append', () => {
      it('acknowledges the same events again without writing, even when the stream went on', async () => {
        const batch = [noted('a'), noted('b')];
        const first = await append('s', 'no-stream', batch);
        await append('s', 1, [noted('c')]);
        const again = await append('s', 'no-stream', structuredClone(batch));
        expect(again.repeated).toBe(true);
        expect(again.events).toEqual(asRead(first.events, again.events));
        expect(again.events).toEqual((await all(log.readStream('s'))).slice(0, 2));
        expect((await append('s', 1, [noted('c')])).repeated).toBe(true);
        expect(await count()).toBe(3);
      });

      it('acknowledges two equal appends that are under way at once, one of them as repeated', async () => {
        const outcomes = await Promise.all([
          append('s', 'no-stream', [noted('a')]),
          append('s', 'no-stream', [noted('a')]),
        ]);
        expect(outcomes.map(({ repeated }) => repeated)).toEqual([false, true]);
        expect(outcomes[0].events).toEqual(outcomes[1].events);
        expect(await count()).toBe(1);
      });

      it('refuses an id that is in the log with other content or at another place', async () => {
        await append('s', 'no-stream', [noted('a')]);
        const otherTime = { ...noted('a').metadata, time: '2026-01-02T03:04:05.679Z' };
        const cases: Parameters<EventLog['append']>[] = [
          ['s', 'no-stream', [noted('a', { name: 'other' })]],
          ['s', 'no-stream', [{ ...noted('a'), metadata: otherTime }]],
          ['s', 0, [noted('a')]],
          ['s', 7, [noted('a')]],
          ['s', 0, [noted('b'), noted('b', { name: 'twice' })]],
        ];
        for (const args of cases) {
          const error = await refusal(...args);
          expect(error.code).toBe('event-id-reused');
        }
        expect(await count()).toBe(1);
      });

      it('knows an id again as far as it promises', async () => {
        const outcomes = await Promise.all([
          log.append('s', 'no-stream', [noted('a')]),
          log.append('t', 'no-stream', [noted('a')]),
        ]);
        const elsewhere = await log.append('u', 'no-stream', [noted('a')]);
        const accepted = [...outcomes, elsewhere].filter((outcome) => outcome.ok);
        // A log that cannot look an id up says so in the port; it writes the event, and reads it back.
        expect(accepted).toHaveLength(ids === 'log' ? 1 : 3);
        expect(await count()).toBe(accepted.length);
        if (ids === 'log')
          expect(elsewhere).toMatchObject({ ok: false, error: { code: 'event-id-reused' } });
      });

      it('refuses a batch that is in the log in part', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        const partly = await refusal('s', 'no-stream', [noted('a'), noted('b'), noted('c')]);
        expect(partly.code).toBe('event-id-reused');
        expect(partly.message).toContain('event 2 of the batch');
        const overlap = await refusal('s', 1, [noted('c'), noted('b')]);
        expect(overlap.code).toBe('event-id-reused');
        expect(await count()).toBe(2);
      });
    });

    describe('the door', () => {
      const good = { customer: 'c', note: null, lines: [{ name: 'n', count: 1 }] };

      it('lets a payload through that fits, unchanged', async () => {
        const { events } = await append('s', 'no-stream', [ordered('a', good)]);
        expect(events[0]!.data).toEqual(good);
      });

      it('names every problem of every event with its path, and writes nothing', async () => {
        const error = await refusal('s', 'no-stream', [
          noted('fine'),
          ordered('a', { customer: 1, lines: [{ name: 'n', count: 0, odd: true }], extra: 'x' }),
          ordered('b', [good]),
        ]);
        expect(error.code).toBe('invalid-event');
        for (const path of [
          'events[1].data.customer',
          'events[1].data.note',
          'events[1].data.lines[0].count',
          'events[1].data.lines[0].odd',
          'events[1].data.extra',
          'events[2].data',
        ]) {
          expect(error.message).toContain(`${path} `);
        }
        expect(await count()).toBe(0);
        await append('s', 'no-stream', [noted('fine')]);
      });

      it('refuses what JSON cannot say', async () => {
        const circular: Record<string, unknown> = {};
        circular['self'] = circular;
        const bad: Record<string, unknown> = {
          nan: NaN,
          infinite: -Infinity,
          big: 1n,
          missing: undefined,
          act: () => 1,
          symbol: Symbol('s'),
          lone: '\ud800',
          '\udc00': 1,
          date: new Date(0),
          map: new Map(),
          line: new Line(),
          // eslint-disable-next-line no-sparse-arrays -- the hole is what is refused
          holes: [1, , 2],
          circular,
          ['__proto__']: 1,
        };
        const error = await refusal('s', 'no-stream', [noted('a', { deep: [bad] })]);
        expect(error.code).toBe('invalid-event');
        for (const name of [
          ...['nan', 'infinite', 'big', 'missing', 'act', 'symbol', 'lone', 'date', 'map', 'line'],
          ...['holes', 'circular'],
        ]) {
          expect(error.message).toContain(`events[0].data.deep[0].${name}`);
        }
        expect(error.message).toContain('"\\udc00"');
        expect(await count()).toBe(0);
      });

      it('takes -0 as 0', async () => {
        const { events } = await append('s', 'no-stream', [noted('a', { n: -0 })]);
        expect(events[0]!.data).toEqual({ n: 0 });
      });

      it('refuses unknown types, other versions, broken envelopes and names', async () => {
        const event = noted('a');
        const cases: [unknown, string][] = [
          [{ ...event, type: 'Unheard' }, 'events[0].type'],
          [{ ...event, metadata: { ...event.metadata, schemaVersion: 2 } }, 'schemaVersion'],
          [{ ...event, id: 'a' }, 'events[0].id'],
          [{ ...event, metadata: { ...event.metadata, time: 'today' } }, 'metadata.time'],
          [{ ...event, metadata: { ...event.metadata, prev: null } }, 'metadata.prev'],
          [{ ...event, metadata: { ...event.metadata, actor: { role: 'god', id: 'x' } } }, 'role'],
          [{ id: event.id, type: 'Noted', metadata: event.metadata }, 'events[0].data'],
        ];
        for (const [bad, path] of cases) {
          const error = await refusal('s', 'no-stream', [bad as NewEvent]);
          expect(error.code).toBe('invalid-event');
          expect(error.message).toContain(path);
        }
        for (const stream of ['', '$system', 'a b', '\ud800']) {
          expect((await refusal(stream, 'no-stream', [event])).message).toContain('stream');
        }
        expect((await refusal('s', -1, [event])).message).toContain('expected');
        expect(await count()).toBe(0);
      });

      it('refuses an event of more than 1 MiB and takes a large one', async () => {
        const large = noted('large', { text: 'é'.repeat(500_000) });
        const error = await refusal('s', 'no-stream', [noted('a', { text: 'é'.repeat(525_000) })]);
        expect(error.message).toContain('bytes');
        await append('s', 'no-stream', [large]);
        expect((await all(log.readStream('s')))[0]!.data).toEqual(large.data);
      });
    });

    describe('reading', () => {
      beforeEach(async () => {
        await append('s', 'no-stream', [noted('a'), noted('b'), noted('c')]);
        await append('t', 'no-stream', [noted('x')]);
        await append('s', 2, [noted('d')]);
      });

      it('reads a missing stream as empty', async () => {
        expect(await all(log.readStream('none'))).toEqual([]);
        expect(await all(log.readStream('none', { direction: 'backwards' }))).toEqual([]);
        expect(await streamHead(log, 'none')).toBeNull();
      });

      it.each([
        [{}, ['a', 'b', 'c', 'd']],
        [{ from: 2 }, ['c', 'd']],
        [{ from: 4 }, []],
        [{ limit: 2 }, ['a', 'b']],
        [{ limit: 0 }, []],
        [{ from: 1, limit: 1 }, ['b']],
        [{ direction: 'backwards' }, ['d', 'c', 'b', 'a']],
        [{ direction: 'backwards', from: 1 }, ['b', 'a']],
        [{ direction: 'backwards', from: 99, limit: 1 }, ['d']],
        [{ direction: 'backwards', from: 2, limit: 2 }, ['c', 'b']],
      ] as const)('reads a stream with %o', async (options, expected) => {
        expect(names(await all(log.readStream('s', options)))).toEqual(expected);
      });

      it('reads everything in log order, from a position, with a limit', async () => {
        const events = await all(log.readAll());
        expect(names(events)).toEqual(['a', 'b', 'c', 'x', 'd']);
        const after = events[1]!.position;
        expect(names(await all(log.readAll({ after })))).toEqual(['c', 'x', 'd']);
        expect(names(await all(log.readAll({ after, limit: 2 })))).toEqual(['c', 'x']);
        expect(await all(log.readAll({ after: events[4]!.position }))).toEqual([]);
      });

      it('ends where the log stood when the reading began', async () => {
        const seen: unknown[] = [];
        for await (const event of log.readAll()) {
          seen.push((event.data as { name: string }).name);
          await append('u', (await streamHead(log, 'u'))?.revision ?? 'no-stream', [
            noted(`echo-${seen.length}`),
          ]);
        }
        expect(seen).toEqual(['a', 'b', 'c', 'x', 'd']);
      });

      it('gives the head of a stream', async () => {
        expect(await streamHead(log, 's')).toMatchObject({ revision: 3, data: { name: 'd' } });
      });

      it('gives what is stored, unparsed', async () => {
        const events = await all(log.readAll());
        const stored = events.map(
          ({ data: _data, metadata: _metadata, prev: _prev, ...rest }) => rest,
        );
        expect(await all(log.readStored())).toEqual(stored);
        expect(await all(log.readStored({ stream: 's' }))).toEqual(
          stored.filter(({ stream }) => stream === 's'),
        );
        expect(await all(log.readStored({ after: stored[0]!.position, limit: 2 }))).toEqual(
          stored.slice(1, 3),
        );
      });
    });

    describe('subscribing', () => {
      const take = async (
        after: number | undefined,
        wanted: number,
        during: () => Promise<unknown>,
      ): Promise<RecordedEvent[]> => {
        const over = new AbortController();
        const seen: RecordedEvent[] = [];
        const following = (async () => {
          const options = { signal: over.signal, ...(after === undefined ? {} : { after }) };
          for await (const event of log.subscribe(options)) {
            seen.push(event);
            if (seen.length === wanted) over.abort();
          }
        })();
        await during();
        await following;
        return seen;
      };

      it('gives what is there and then what comes, without gaps, and ends when aborted', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        const seen = await take(undefined, 6, async () => {
          for (const [revision, name] of ['c', 'd', 'e', 'f'].entries()) {
            await append('s', revision + 1, [noted(name)]);
          }
        });
        expect(names(seen)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      });

      it('hears at once of what is appended here', async () => {
        const over = new AbortController();
        const following = log.subscribe({ signal: over.signal })[Symbol.asyncIterator]();
        let waited = 0;
        for (let revision = 0; revision < 10; revision += 1) {
          const next = following.next();
          await sleep(1);
          const start = performance.now();
          await append('s', revision === 0 ? 'no-stream' : revision - 1, [noted(`e${revision}`)]);
          expect((await next).value).toMatchObject({ revision });
          waited += performance.now() - start;
        }
        over.abort();
        // Looking every 100 ms would take about a second.
        expect(waited).toBeLessThan(500);
      });

      it('gives nothing more once it is aborted, whatever is there', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b'), noted('c')]);
        expect(names(await take(undefined, 2, async () => {}))).toEqual(['a', 'b']);
      });

      it('goes on after a position', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        const [first] = await all(log.readStream('s', { limit: 1 }));
        const seen = await take(first!.position, 2, () => append('s', 1, [noted('c')]));
        expect(names(seen)).toEqual(['b', 'c']);
      });

      it('goes on after any number, whether an event stands there or not', async () => {
        await append('s', 'no-stream', [noted('a'), noted('b')]);
        const [, second] = await all(log.readStream('s'));
        const before = second!.position - 1;
        expect(names(await take(before, 1, async () => {}))).toEqual(['b']);
        expect(names(await all(log.readAll({ after: before })))).toEqual(['b']);
        expect(names(await all(log.readAll({ after: before, limit: 1 })))).toEqual(['b']);
      });

      it('ends while it waits, when aborted or when the log is closed', async () => {
        const over = new AbortController();
        const waiting = all(log.subscribe({ signal: over.signal }));
        setTimeout(() => over.abort(), 5);
        expect(await waiting).toEqual([]);
        expect(await all(log.subscribe({ signal: AbortSignal.abort() }))).toEqual([]);
        const closing = all(log.subscribe({ signal: new AbortController().signal }));
        await log.close();
        expect(await closing).toEqual([]);
      });
    });

    describe('versions', () => {
      it('reads an event of an older version as the newest, with its hash intact', async (context) => {
        if (under.reopen === null) return context.skip();
        const older = await under.reopen(olderTypes);
        const moved: NewEvent = { ...noted('m', { place: 'here' }), type: 'Moved' };
        const written = await older.append('s', 'no-stream', [moved]);
        expect(written.ok).toBe(true);
        await older.close();
        const newer = await under.reopen(contractTypes);
        const [event] = await all(newer.readStream('s'));
        expect(event!.data).toEqual({ to: 'here', from: null });
        expect(event!.metadata.schemaVersion).toBe(1);
        expect(verifyHash(event!)).toBe(true);
        expect(parseBody(event!.canonical).data).toEqual({ place: 'here' });
        await newer.close();
      });

      it('does not guess at a type or version that it does not know, but gives what is stored', async (context) => {
        if (under.reopen === null) return context.skip();
        const metadata = { ...noted('m').metadata, schemaVersion: 3 };
        await append('s', 'no-stream', [{ ...noted('m'), type: 'Moved', metadata }]);
        await append('t', 'no-stream', [ordered('o', { customer: 'c', note: 'n', lines: [] })]);
        const older = await under.reopen(olderTypes);
        await expect(all(older.readStream('s'))).rejects.toMatchObject({
          name: 'UnknownEventVersion',
          type: 'Moved',
          version: 3,
          known: 1,
        });
        await expect(all(older.readStream('t'))).rejects.toThrow(UnknownEventVersion);
        await expect(all(older.readAll())).rejects.toThrow(UnknownEventVersion);
        expect(await all(older.readStored())).toHaveLength(2);
        await older.close();
      });
    });

    it('throws when it is used after it was closed', async () => {
      await log.close();
      await log.close();
      await expect(log.append('s', 'no-stream', [noted('a')])).rejects.toThrow('closed');
      await expect(all(log.readAll())).rejects.toThrow('closed');
    });
  });
};
