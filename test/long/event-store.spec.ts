import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { appendUntil, mustOpenEventStore, wholeLog } from '../support/event-store-drive.ts';
import { startEventStoreProxy } from '../support/event-store-proxy.ts';
import { EVENT_STORES } from '../support/event-store-targets.ts';

describe.each(EVENT_STORES)('the event store, for long ($name)', ({ start }) => {
  it('is away for 30 seconds and comes back: nothing is lost or doubled', async () => {
    const store = await start();
    const proxy = await startEventStoreProxy(store.connectionString);
    const log = await mustOpenEventStore(proxy.connectionString, `l-${randomUUID()}-`, 2000);
    const seen: string[] = [];
    const over = new AbortController();
    const following = (async () => {
      for await (const event of log.subscribe({ signal: over.signal })) seen.push(event.id);
    })();
    const appending = Promise.all(
      Array.from({ length: 8 }, (_, index) => appendUntil(log, `s${index}`, { events: 200 })),
    );
    await sleep(200);
    await proxy.down();
    const before = seen.length;
    await sleep(30_000);
    expect(seen.length).toBeLessThan(1600);
    await proxy.up();
    const expected = (await appending).flat();
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(expected.length);
    expect(seen.length).toBeGreaterThan(before);
    over.abort();
    await following;
    expect((await wholeLog(log)).map(({ id }) => id)).toEqual(seen);
    expect(new Set(seen)).toEqual(new Set(expected));
    await log.close();
    await proxy.stop();
    await store.stop();
  });

  it('is killed 20 times while four streams are written: nothing acknowledged is lost', async (context) => {
    const store = await start();
    const { restart } = store;
    if (restart === null) return context.skip('HOLDFAST_TEST_EVENTSTORE_RESTART is not set');
    const log = await mustOpenEventStore(store.connectionString, `l-${randomUUID()}-`, 2000);
    const appending = Promise.all(
      Array.from({ length: 4 }, (_, index) => appendUntil(log, `s${index}`, { events: 1500 })),
    );
    for (let round = 0; round < 20; round += 1) {
      await sleep(200 + Math.random() * 1500);
      await restart();
    }
    const expected = (await appending).flat();
    expect(new Set((await wholeLog(log)).map(({ id }) => id))).toEqual(new Set(expected));
    await log.close();
    await store.stop();
  });
});
