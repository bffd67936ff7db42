import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANY, EventStoreDBClient } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CorruptEvent,
  EventLogUnavailable,
  kurrentSettings,
  openKurrentEventLog,
  StreamGone,
  streamHead,
  type EventLog,
  type EventTypes,
} from '#libs/event-log';
import { eventId, type NewEvent, type RecordedEvent } from '#libs/kernel';
import { startEventStoreDouble } from './event-store-double.ts';
import { EVENT_STORES, type RunningEventStore } from '../../support/event-store-targets.ts';
import {
  all,
  contractTypes,
  eventLogContract,
  noted,
} from '../../../libs/event-log/src/event-log.contract.ts';
import { serverIdOf } from '../../../libs/event-log/src/kurrent-records.ts';

const opened = async (
  connectionString: string,
  prefix: string,
  types: EventTypes = contractTypes,
  deadline = 10_000,
): Promise<EventLog> => {
  const found = await openKurrentEventLog({ connectionString, prefix, deadline }, types);
  if (!found.ok) throw new Error(found.error.message);
  return found.value.log;
};

const named = (name: string, text: string): NewEvent => ({
  ...noted(name),
  data: { name: text },
});

const names = (events: readonly RecordedEvent[]): unknown[] =>
  events.map(({ data }) => (data as { name: unknown }).name);

const mustAppend = async (log: EventLog, ...args: Parameters<EventLog['append']>) => {
  const appended = await log.append(...args);
  if (!appended.ok) throw new Error(appended.error.message);
  return appended.value.events;
};

/** What reading throws. */
const thrown = async (reading: AsyncIterable<unknown> | Promise<unknown>): Promise<unknown> => {
  try {
    await (Symbol.asyncIterator in reading ? all(reading) : reading);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

for (const { name, start } of EVENT_STORES) {
  // Every test has streams of its own under a prefix of its own, since a server keeps what it was given.
  eventLogContract(
    `EventStoreDB (${name})`,
    async (types) => {
      const store = await start();
      const prefix = `t-${randomUUID()}-`;
      const log = await opened(store.connectionString, prefix, types);
      return {
        log,
        reopen: (others) => opened(store.connectionString, prefix, others),
        dispose: async () => {
          await log.close();
          await store.stop();
        },
      };
    },
    { ids: 'stream', positions: 'last' },
  );

  describe(`a log on EventStoreDB (${name})`, () => {
    let store: RunningEventStore;
    let prefix: string;
    let log: EventLog;
    let client: EventStoreDBClient;

    beforeEach(async () => {
      store = await start();
      prefix = `t-${randomUUID()}-`;
      log = await opened(store.connectionString, prefix);
      client = EventStoreDBClient.connectionString(store.connectionString);
    });
    afterEach(async () => {
      await log.close();
      await client.dispose();
      await store.stop();
    });

    const onServer = async (stream: string) => {
      const events = [];
      for await (const { event } of client.readStream(`${prefix}${stream}`)) events.push(event!);
      return events;
    };

    it('files the canonical bytes as JSON under an id taken from their hash', async () => {
      const [event] = await mustAppend(log, 's', 'no-stream', [
        noted('a', { 10: 1, 9: 2, é: 'ü' }),
      ]);
      const [found] = await onServer('s');
      expect(found).toMatchObject({
        streamId: `${prefix}s`,
        revision: 0n,
        type: 'Noted',
        isJson: true,
        id: serverIdOf(event!.hash),
        metadata: { hash: event!.hash, id: event!.id },
        data: JSON.parse(Buffer.from(event!.canonical).toString('utf8')) as unknown,
        position: { commit: BigInt(event!.position), prepare: BigInt(event!.position) },
      });
    });

    it('is written by two openers in turn, each guarded by the expected revision', async () => {
      const other = await opened(store.connectionString, prefix);
      await mustAppend(log, 's', 'no-stream', [noted('a'), noted('b')]);
      expect(await other.append('s', 0, [noted('late')])).toMatchObject({
        ok: false,
        error: { code: 'wrong-expected-revision' },
      });
      await mustAppend(other, 's', 1, [noted('c')]);
      // What this one knows of the stream is out of date now.
      expect(await log.append('s', 1, [noted('d')])).toMatchObject({
        ok: false,
        error: {
          code: 'wrong-expected-revision',
          message: expect.stringContaining('revision 2') as string,
        },
      });
      await mustAppend(log, 's', 2, [noted('d')]);
      expect(names(await all(other.readStream('s')))).toEqual(['a', 'b', 'c', 'd']);
      await other.close();
    });

    it('does not take another opener’s event of the same id for its own', async () => {
      const other = await opened(store.connectionString, prefix);
      // Both have read the stream, so neither looks before it writes.
      for (const each of [log, other]) await all(each.readStream('s'));
      const outcomes = await Promise.all([
        log.append('s', 'no-stream', [named('a', 'one')]),
        other.append('s', 'no-stream', [named('a', 'other')]),
      ]);
      const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error.code]));
      expect(refusals).toEqual(['event-id-reused']);
      const [event] = await all(log.readStream('s'));
      const winner = outcomes.find((outcome) => outcome.ok);
      expect(winner).toMatchObject({ value: { events: [event] } });
      await other.close();
    });

    it('acknowledges the same events to two openers at once, written once', async () => {
      const other = await opened(store.connectionString, prefix);
      for (const each of [log, other]) await all(each.readStream('s'));
      const batch = [noted('a'), noted('b')];
      const [one, two] = await Promise.all([
        mustAppend(log, 's', 'no-stream', batch),
        mustAppend(other, 's', 'no-stream', batch),
      ]);
      expect(one.map(({ hash }) => hash)).toEqual(two.map(({ hash }) => hash));
      expect(await onServer('s')).toHaveLength(2);
      await other.close();
    });

    it('acknowledges a retry from long ago, and knows an id of the last 1,000 events again', async () => {
      const batch = (from: number, count: number) =>
        Array.from({ length: count }, (_, index) => noted(`m${from + index}`));
      await mustAppend(log, 's', 'no-stream', batch(0, 1000));
      await mustAppend(log, 's', 999, batch(1000, 600));
      for (const asked of [log, await opened(store.connectionString, prefix)]) {
        expect(await asked.append('s', 'no-stream', batch(0, 1000))).toMatchObject({
          ok: true,
          value: { repeated: true },
        });
        expect(await asked.append('s', 4, batch(5, 3))).toMatchObject({
          ok: true,
          value: { repeated: true },
        });
        expect(await asked.append('s', 1599, [noted('m601')])).toMatchObject({
          ok: false,
          error: { code: 'event-id-reused' },
        });
        expect(await asked.append('s', 4, [noted('new')])).toMatchObject({
          ok: false,
          error: { code: 'wrong-expected-revision' },
        });
        if (asked !== log) await asked.close();
      }
      expect(await all(log.readStream('s'))).toHaveLength(1600);
    });

    it('keeps streams of other prefixes and of the server apart', async () => {
      const other = await opened(store.connectionString, `${prefix}x`);
      await mustAppend(other, 's', 'no-stream', [noted('theirs')]);
      const own = await opened(store.connectionString, `u-${randomUUID()}-`);
      await mustAppend(own, 's', 'no-stream', [noted('a')]);
      await client.setStreamMetadata(`${prefix}s`, { note: 'of no account' });
      expect(names(await all(own.readAll()))).toEqual(['a']);
      await own.close();
      await other.close();
    });

    describe('a stream that the server no longer gives whole', () => {
      beforeEach(async () => {
        await mustAppend(log, 'before', 'no-stream', [noted('x')]);
        await mustAppend(log, 's', 'no-stream', [noted('a'), noted('b'), noted('c')]);
      });

      it('is said to be tombstoned, by every reading and by an append', async () => {
        await client.tombstoneStream(`${prefix}s`, { expectedRevision: ANY });
        await mustAppend(log, 'after', 'no-stream', [noted('y')]);
        const fresh = await opened(store.connectionString, prefix);
        for (const asked of [log, fresh]) {
          for (const act of [
            () => all(asked.readStream('s')),
            () => streamHead(asked, 's'),
            () => all(asked.readStored({ stream: 's' })),
            () => asked.append('s', 2, [noted('d')]),
            () => asked.append('s', 'no-stream', [noted('d')]),
          ]) {
            expect(await thrown(act())).toMatchObject({
              name: 'StreamGone',
              kind: 'tombstoned',
              stream: 's',
            });
          }
        }
        const seen: string[] = [];
        let gone: unknown = null;
        try {
          for await (const event of log.readAll()) seen.push(event.id);
        } catch (error) {
          gone = error;
        }
        expect(seen).toEqual(['x', 'a', 'b', 'c'].map((id) => eventId(id, 0)));
        if (!(gone instanceof StreamGone)) throw gone;
        expect(gone.message).toContain('tombstoned');
        expect(names(await all(log.readAll({ after: gone.position! })))).toEqual(['y']);
        const over = new AbortController();
        expect(await thrown(log.subscribe({ signal: over.signal }))).toMatchObject({
          kind: 'tombstoned',
        });
        await fresh.close();
      });

      it('is said to be deleted, and is not taken for a new one', async () => {
        await client.deleteStream(`${prefix}s`, { expectedRevision: ANY });
        const fresh = await opened(store.connectionString, prefix);
        for (const act of [
          () => all(fresh.readStream('s')),
          () => streamHead(fresh, 's'),
          () => all(fresh.readStored({ stream: 's' })),
          () => fresh.append('s', 'no-stream', [noted('d')]),
          () => log.append('s', 'no-stream', [noted('d')]),
        ]) {
          const error = await thrown(act());
          expect(error).toMatchObject({ name: 'StreamGone', kind: 'deleted' });
          expect((error as Error).message).toContain('$tb');
        }
        // Its events are still in the whole log, and nothing was added to it.
        expect(await all(fresh.readAll())).toHaveLength(4);
        await fresh.close();
      });

      it.each([
        ['$maxCount', { maxCount: 2 }],
        ['$tb', { truncateBefore: 1 }],
      ])('is said to be truncated by %s', async (setting, metadata) => {
        await client.setStreamMetadata(`${prefix}s`, metadata);
        const fresh = await opened(store.connectionString, prefix);
        for (const reading of [
          log.readStream('s'),
          log.readStream('s', { direction: 'backwards' }),
          fresh.readStream('s', { direction: 'backwards', from: 0 }),
        ]) {
          const error = await thrown(reading);
          expect(error).toMatchObject({ name: 'StreamGone', kind: 'truncated' });
          expect((error as Error).message).toContain(setting);
        }
        expect(names(await all(log.readStream('s', { from: 1 })))).toEqual(['b', 'c']);
        expect((await streamHead(fresh, 's'))?.revision).toBe(2);
        expect(await all(fresh.readStored({ stream: 's' }))).toHaveLength(2);
        await mustAppend(fresh, 's', 2, [noted('d')]);
        await fresh.close();
      });

      it('is said to be the same after a scavenge, and its events are gone from the whole log', async (context) => {
        const { scavenge } = store;
        if (scavenge === null)
          return context.skip('this server’s chunks are too large to fill one');
        for (const stream of ['t', 'u'])
          await mustAppend(log, stream, 'no-stream', [noted(`${stream}0`), noted(`${stream}1`)]);
        await client.setStreamMetadata(`${prefix}s`, { maxCount: 1 });
        await client.deleteStream(`${prefix}t`, { expectedRevision: ANY });
        await client.tombstoneStream(`${prefix}u`, { expectedRevision: ANY });
        await scavenge();
        const fresh = await opened(store.connectionString, prefix);
        for (const [stream, kind] of [
          ['s', 'truncated'],
          ['t', 'deleted'],
          ['u', 'tombstoned'],
        ] as const) {
          expect(await thrown(fresh.readStream(stream))).toMatchObject({ stream, kind });
        }
        const seen: unknown[] = [];
        const reading = (async () => {
          for await (const event of fresh.readAll())
            seen.push((event.data as { name: string }).name);
        })();
        expect(await thrown(reading)).toMatchObject({ stream: 'u', kind: 'tombstoned' });
        // The server keeps a deleted stream's last event: without it the stream would begin anew.
        expect(seen).toEqual(['x', 'c', 't1']);
        await fresh.close();
      }, 120_000);

      it('is said to have gone on after a delete', async () => {
        await client.deleteStream(`${prefix}s`, { expectedRevision: ANY });
        // This opener knows the stream from before, and continues it where it was.
        await mustAppend(log, 's', 2, [noted('d')]);
        expect(await thrown(log.readStream('s'))).toMatchObject({ kind: 'truncated' });
      });
    });

    it('gives doctor rows that tell what would shorten a stream', async () => {
      await mustAppend(log, 's', 'no-stream', [noted('a')]);
      await mustAppend(log, 't', 'no-stream', [noted('b')]);
      await mustAppend(log, 'u', 'no-stream', [noted('c')]);
      const rows = async () =>
        new Map(
          (await kurrentSettings({ connectionString: store.connectionString, prefix })).map(
            (row) => [row.name, row],
          ),
        );
      expect((await rows()).get('streams are kept whole')).toMatchObject({ ok: true });
      await client.setStreamMetadata(`${prefix}s`, { maxAge: 60 });
      await client.setStreamMetadata(`${prefix}t`, { maxCount: 60 });
      await client.setStreamMetadata(`${prefix}t`, {});
      await client.tombstoneStream(`${prefix}u`);
      const found = await rows();
      expect(found.get('streams are kept whole')).toMatchObject({
        ok: false,
        found: `${prefix}s: $maxAge`,
      });
      expect(found.get('streams are there')).toMatchObject({ ok: false, found: `${prefix}u` });
      expect(found.get('server')?.found).toMatch(/version \d+\.\d+/);
      // A user without rights to operate the server is told that the options cannot be seen.
      expect((found.get('largest append') ?? found.get('options'))?.found).toMatch(
        /\d+ bytes|could not be seen/,
      );
    });

    it('holds a bounded part of the log in memory while its reader is slow', async () => {
      const text = 'x'.repeat(10_000);
      const count = 1500;
      for (let from = 0; from < count; from += 100) {
        await mustAppend(
          log,
          's',
          from === 0 ? 'no-stream' : from - 1,
          Array.from({ length: 100 }, (_, index) => noted(`m${from + index}`, { text })),
        );
      }
      const over = new AbortController();
      for (const reading of [
        log.subscribe({ signal: over.signal }),
        log.readAll(),
        log.readStream('s'),
      ]) {
        const reader = reading[Symbol.asyncIterator]();
        const before = store.double?.sent() ?? 0;
        await reader.next();
        globalThis.gc?.();
        const held = process.memoryUsage();
        await sleep(1000);
        const later = process.memoryUsage();
        // 15 MB are there to be read.
        expect(later.arrayBuffers - held.arrayBuffers).toBeLessThan(5e6);
        if (store.double !== null) expect(store.double.sent() - before).toBeLessThan(count / 4);
        for (let read = 1; read < count; read += 1) expect((await reader.next()).done).toBe(false);
        await reader.return?.(undefined);
      }
      over.abort();
    });
  });
}

describe('a log on a double of EventStoreDB', () => {
  const withDouble = async (
    options: Parameters<typeof startEventStoreDouble>[0],
    act: (
      double: Awaited<ReturnType<typeof startEventStoreDouble>>,
      log: EventLog,
    ) => Promise<void>,
    deadline?: number,
  ): Promise<void> => {
    const double = await startEventStoreDouble(options);
    const log = await opened(double.connectionString, '', contractTypes, deadline);
    try {
      await act(double, log);
    } finally {
      await log.close();
      await double.stop();
    }
  };

  it('refuses a batch that is larger than the server takes, with the setting that helps', () =>
    withDouble({}, async (_double, log) => {
      const half = { text: 'x'.repeat(600_000) };
      const appended = await log.append('s', 'no-stream', [noted('a', half), noted('b', half)]);
      expect(appended).toMatchObject({ ok: false, error: { code: 'batch-too-large' } });
      if (!appended.ok) expect(appended.error.message).toMatch(/1048576.*--max-append-size/);
      expect(await all(log.readAll())).toEqual([]);
      await mustAppend(log, 's', 'no-stream', [noted('a', half)]);
    }));

  it('does not read past what was changed, moved or filed under another name', () =>
    withDouble({}, async (double, log) => {
      const change = async (
        stream: string,
        to: (record: (typeof double.data.log)[number]) => object,
      ) => {
        const events = [noted(`${stream}0`), noted(`${stream}1`)];
        await mustAppend(log, stream, 'no-stream', events);
        const records = double.data.streams.get(stream)!;
        records[1] = { ...records[1]!, ...to(records[1]!) };
        expect(await thrown(log.readStream(stream))).toBeInstanceOf(CorruptEvent);
        expect(await all(log.readStored({ stream }))).toHaveLength(2);
        // Nothing is chained to it either.
        const fresh = await opened(double.connectionString, '');
        expect(await thrown(fresh.append(stream, 1, [noted(`${stream}2`)]))).toBeInstanceOf(
          CorruptEvent,
        );
        await fresh.close();
      };
      await change('data', ({ data }) => ({
        data: Buffer.from(Buffer.from(data).toString('utf8').replace('data1', 'dataX')),
      }));
      await change('type', () => ({ type: 'OrderPlaced' }));
      await change('id', () => ({ id: randomUUID() }));
      await change('metadata', () => ({ metadata: Buffer.from('{}') }));
      await change('hash', ({ metadata }) => ({
        metadata: Buffer.from(
          Buffer.from(metadata)
            .toString('utf8')
            .replace(/"hash":"./, '"hash":"0'),
        ),
      }));
      await change('revision', () => ({ revision: 7n }));
    }));

  it('says so when a stream was deleted between looking and writing', () =>
    withDouble({}, async (double, log) => {
      await all(log.readStream('s'));
      double.faults.beforeAppend = () => {
        double.faults.beforeAppend = null;
        double.records.append('s', 'no-stream', [
          {
            id: randomUUID(),
            type: 'T',
            json: true,
            data: Buffer.from('{}'),
            metadata: Buffer.of(),
          },
        ]);
        double.records.softDelete('s');
      };
      const error = await thrown(log.append('s', 'no-stream', [noted('a')]));
      expect(error).toMatchObject({ name: 'StreamGone', kind: 'deleted' });
      expect((error as Error).message).toContain('revision 1');
    }));

  it('does not mistake a position beyond 2^53 for its neighbour', () =>
    withDouble({}, async (double, log) => {
      double.data.end = 2 ** 53;
      expect(await thrown(log.append('s', 'no-stream', [noted('a')]))).toBeInstanceOf(CorruptEvent);
      expect(await thrown(log.readAll())).toBeInstanceOf(CorruptEvent);
    }));

  it('gives up on a server that does not answer in time', () =>
    withDouble(
      {},
      async (double, log) => {
        await mustAppend(log, 's', 'no-stream', [noted('a')]);
        double.faults.delay = 2000;
        const error = await thrown(log.readStream('s'));
        expect(error).toBeInstanceOf(EventLogUnavailable);
        expect((error as Error).message).toContain('no answer within 100 ms');
        double.faults.delay = 0;
      },
      100,
    ));

  it('waits for the appends that are under way when it is closed', () =>
    withDouble({}, async (double, log) => {
      const appended = log.append('s', 'no-stream', [noted('a')]);
      await log.close();
      expect((await appended).ok).toBe(true);
      expect(double.records.visible('s').kind).toBe('events');
    }));
});

describe('opening a log on EventStoreDB', () => {
  const refusal = async (connectionString: string, prefix = '') => {
    const found = await openKurrentEventLog(
      { connectionString, prefix, deadline: 2000 },
      contractTypes,
    );
    if (found.ok) throw new Error('it was opened');
    return found.error;
  };

  it.each([
    'http://admin:s3cret@localhost:2113',
    'esdb://admin:s3cret@localhost:port',
    'esdb://admin:s3cret@localhost:2113?defaultDeadline=soon',
    'esdb://admin:s3cret@localhost:2113?tls=true&tlsCAFile=/no/such/file',
    'esdb://admin:s3cret@localhost:2113?tls=true&timeout=3',
    'esdb://admin:s3cret@localhost:2113?tls=true&tlsVerifyCert=false',
  ])('refuses a connection string that cannot be used, without its password', async (text) => {
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const error = await refusal(text);
    expect(error.code).toBe('connection-string-unreadable');
    expect(error.message).not.toContain('s3cret');
    // The client prints the whole string when it warns.
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  it('refuses a prefix that would be the server’s own', async () => {
    expect((await refusal('esdb://127.0.0.1:9?tls=false', '$x')).message).toContain('prefix');
  });

  it('refuses a server that is not there, without its password', async () => {
    const error = await refusal('esdb://admin:s3cret@127.0.0.1:9?tls=false');
    expect(error.code).toBe('event-store-unreachable');
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).not.toContain('s3cret');
  });
});

const real = process.env['HOLDFAST_TEST_EVENTSTORE'];
const SECRET = /:\/\/([^:@/]+):([^@/]+)@/;

describe.skipIf(real === undefined || !SECRET.test(real))('a server with TLS and users', () => {
  const answer = async (connectionString: string) => {
    const found = await openKurrentEventLog({ connectionString, deadline: 5000 }, contractTypes);
    if (found.ok) await found.value.log.close();
    return found;
  };

  it('lets in whom it knows, by the connection string alone', async () => {
    expect(await answer(real!)).toMatchObject({ ok: true });
  });

  it.each([
    ['a wrong password', '://$1:wr0ng@'],
    ['nobody', '://'],
  ])('refuses %s, in words that help', async (_who, credentials) => {
    const found = await answer(real!.replace(SECRET, credentials));
    if (found.ok) throw new Error('it was opened');
    expect(found.error).toMatchObject({ code: 'event-store-unreachable' });
    expect(found.error.message).toMatch(/denies access.*ACLs/);
    expect(found.error.message).not.toContain('wr0ng');
  });

  it('refuses a server whose certificate nobody vouches for', async () => {
    const found = await answer(real!.replace(/&?tlsCAFile=[^&]*/, ''));
    expect(found).toMatchObject({ ok: false, error: { code: 'event-store-unreachable' } });
  });
});

describe('the rows of a server’s settings', () => {
  it('are not ok for what cannot be seen', async () => {
    const [row] = await kurrentSettings({
      connectionString: 'esdb://127.0.0.1:9?tls=false',
      deadline: 1000,
    });
    expect(row).toMatchObject({ name: 'server', ok: false });
    const double = await startEventStoreDouble({ options: { MemDb: 'True' } });
    const rows = await kurrentSettings({ connectionString: double.connectionString });
    expect(rows.find(({ name }) => name === 'the database is on a disk')?.ok).toBe(false);
    expect(rows.find(({ name }) => name === 'a tombstone stays known')?.ok).toBe(false);
    expect(rows.find(({ name }) => name === 'largest append')?.ok).toBe(false);
    await double.stop();
  });
});
