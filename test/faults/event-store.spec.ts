import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLogUnavailable, type EventLog } from '#libs/event-log';
import { all, noted } from '../../libs/event-log/src/event-log.contract.ts';
import { appendUntil, mustOpenEventStore, wholeLog } from '../support/event-store-drive.ts';
import { startEventStoreProxy, type EventStoreProxy } from '../support/event-store-proxy.ts';
import { EVENT_STORES, type RunningEventStore } from '../support/event-store-targets.ts';

const DEADLINE = 1500;

for (const { name, start } of EVENT_STORES) {
  describe(`faults of the event store (${name})`, () => {
    let store: RunningEventStore;
    let proxy: EventStoreProxy;
    let prefix: string;
    let log: EventLog;

    beforeEach(async () => {
      store = await start();
      proxy = await startEventStoreProxy(store.connectionString);
      prefix = `f-${randomUUID()}-`;
      log = await mustOpenEventStore(proxy.connectionString, prefix, DEADLINE);
    });
    afterEach(async () => {
      await log.close();
      await proxy.stop();
      await store.stop();
    });

    it('acknowledges an append whose answer was lost, written once', async () => {
      await log.append('s', 'no-stream', [noted('a')]);
      const batch = [noted('b'), noted('c')];
      proxy.deafen();
      const appending = log.append('s', 0, batch);
      await sleep(300);
      proxy.cut();
      expect(await appending).toMatchObject({ ok: true, value: { repeated: false } });
      const events = await all(log.readStream('s'));
      expect(events.map(({ id }) => id)).toEqual(['a', 'b', 'c'].map((each) => noted(each).id));
      // The chain goes on from what was read back.
      expect(await log.append('s', 2, [noted('d')])).toMatchObject({ ok: true });
      await wholeLog(log);
    });

    it('acknowledges it too when only the time runs out', async () => {
      await log.append('s', 'no-stream', [noted('a')]);
      proxy.deafen();
      const appending = log.append('s', 0, [noted('b')]);
      // The same connection stays deaf until after the first deadline.
      await sleep(DEADLINE + 200);
      proxy.cut();
      expect(await appending).toMatchObject({ ok: true });
      expect(await all(log.readStream('s'))).toHaveLength(2);
    });

    it('tells a conflict when another wrote there while the answer was lost', async () => {
      const other = await mustOpenEventStore(store.connectionString, prefix);
      await log.append('s', 'no-stream', [noted('a')]);
      await proxy.down();
      const appending = log.append('s', 0, [noted('mine')]);
      await other.append('s', 0, [noted('theirs')]);
      await proxy.up();
      expect(await appending).toMatchObject({
        ok: false,
        error: { code: 'wrong-expected-revision' },
      });
      expect(await all(log.readStream('s'))).toHaveLength(2);
      await other.close();
    });

    it('throws after a bounded time when the server stays away, and takes the same events later', async () => {
      await log.append('s', 'no-stream', [noted('a')]);
      await proxy.down();
      const since = performance.now();
      await expect(log.append('s', 0, [noted('b')])).rejects.toBeInstanceOf(EventLogUnavailable);
      expect(performance.now() - since).toBeLessThan(20_000);
      await expect(all(log.readStream('s'))).rejects.toBeInstanceOf(EventLogUnavailable);
      await expect(all(log.readAll())).rejects.toBeInstanceOf(EventLogUnavailable);
      await proxy.up();
      expect(await log.append('s', 0, [noted('b')])).toMatchObject({ ok: true });
      expect(await all(log.readStream('s'))).toHaveLength(2);
    });

    it('loses and doubles nothing while connections break at random', async () => {
      const seen: string[] = [];
      const over = new AbortController();
      const following = (async () => {
        for await (const event of log.subscribe({ signal: over.signal })) seen.push(event.id);
      })();
      const stop = new AbortController();
      const breaking = (async () => {
        while (!stop.signal.aborted) {
          await sleep(20 + Math.random() * 150);
          if (Math.random() < 0.3) proxy.deafen();
          await sleep(Math.random() * 50);
          proxy.cut();
        }
      })();
      const written = await Promise.all(
        ['s', 't', 'u'].map((stream) => appendUntil(log, stream, { events: 30 })),
      );
      stop.abort();
      await breaking;
      const expected = written.flat();
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(expected.length);
      over.abort();
      await following;
      expect(new Set(seen)).toEqual(new Set(expected));
      const stored = await wholeLog(log);
      expect(stored.map(({ id }) => id)).toEqual(seen);
    });

    it('goes on following, without gap or double, when the server is away for two seconds', async () => {
      const seen: number[] = [];
      const over = new AbortController();
      await appendUntil(log, 's', { events: 5 });
      const following = (async () => {
        for await (const event of log.subscribe({ signal: over.signal })) seen.push(event.revision);
      })();
      await expect.poll(() => seen.length).toBe(5);
      await proxy.down();
      const appending = appendUntil(log, 's', { events: 5, from: 5 });
      await sleep(2000);
      await proxy.up();
      await appending;
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(10);
      over.abort();
      await following;
      expect(seen).toEqual([...Array(10).keys()]);
    });

    it('keeps what it acknowledged when the server is killed, and goes on following', async (context) => {
      const { restart } = store;
      if (restart === null) return context.skip('HOLDFAST_TEST_EVENTSTORE_RESTART is not set');
      const seen: string[] = [];
      const over = new AbortController();
      const following = (async () => {
        for await (const event of log.subscribe({ signal: over.signal })) seen.push(event.id);
      })();
      const written = Promise.all(
        ['s', 't'].map((stream) => appendUntil(log, stream, { events: 150 })),
      );
      await sleep(100);
      await restart();
      const expected = (await written).flat();
      await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(expected.length);
      over.abort();
      await following;
      expect(new Set(seen)).toEqual(new Set(expected));
      expect((await wholeLog(log)).map(({ id }) => id)).toEqual(seen);
    }, 120_000);

    it('writes once what two openers send at once', async () => {
      const other = await mustOpenEventStore(store.connectionString, prefix);
      const [one, two] = await Promise.all([
        appendUntil(log, 's', { events: 20 }),
        appendUntil(other, 's', { events: 20 }),
      ]);
      expect(one).toEqual(two);
      expect((await wholeLog(log)).map(({ id }) => id)).toEqual(one);
      await other.close();
    });
  });
}

describe('faults that only a double of the event store can be made to have', () => {
  const phases = [
    ['the request is lost', 'loseRequests'],
    ['the call breaks before anything is written', 'breakBeforeWrite'],
    ['the answer is lost after the writing', 'loseAnswers'],
    ['the call breaks after the writing', 'breakAfterWrite'],
    ['the server tells a time-out and has written', 'timeOutAfterWrite'],
    ['the answer comes twice', 'answerTwice'],
  ] as const;

  it.each(phases)('acknowledges an append, written once, when %s', async (_when, fault) => {
    const store = await EVENT_STORES[0]!.start();
    const double = store.double!;
    const log = await mustOpenEventStore(store.connectionString, '', 300);
    for (const [stream, times] of [
      ['s', 1],
      ['t', 2],
    ] as const) {
      double.faults[fault] = times;
      for (const [revision, expected] of (['no-stream', 0, 1] as const).entries()) {
        const batch = [noted(`${stream}${revision}`)];
        expect(await log.append(stream, expected, batch)).toMatchObject({ ok: true });
      }
      expect(double.faults[fault]).toBe(0);
    }
    const stored = await wholeLog(log);
    expect(stored.map(({ id }) => id)).toEqual(
      ['s0', 's1', 's2', 't0', 't1', 't2'].map((each) => noted(each).id),
    );
    await log.close();
    await store.stop();
  });

  it('keeps to the order of the log when many appends to many streams meet faults', async () => {
    const store = await EVENT_STORES[0]!.start();
    const log = await mustOpenEventStore(store.connectionString, '', 300);
    Object.assign(store.double!.faults, {
      loseAnswers: 2,
      breakAfterWrite: 2,
      loseRequests: 2,
      timeOutAfterWrite: 2,
    });
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, index) => appendUntil(log, `s${index}`, { events: 5 })),
    );
    expect(await wholeLog(log)).toHaveLength(written.flat().length);
    await log.close();
    await store.stop();
  });
});
