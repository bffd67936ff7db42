import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordedEvent } from '#libs/kernel';
import { memoryLeases } from '#libs/leases';
import { logOf, night } from './read-models.contract.ts';
import {
  followLog,
  openReadModels,
  ViewsUnavailable,
  type FollowedLog,
  type FollowOptions,
  type Progress,
  type ReadModels,
} from './index.ts';

let folder: string;
let views: ReadModels;
let stop: AbortController;
let following: Promise<void>[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-follow-'));
  views = await openReadModels({ kind: 'sqlite', path: join(folder, 'views.sqlite') });
  stop = new AbortController();
  following = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.allSettled(following);
  await views.close();
  rmSync(folder, { recursive: true });
});

const events = night();
const end = events.at(-1)?.position ?? 0;

/** A log that a test appends to; what it hands out can be garbled on the way. */
const liveLog = (garble: (batch: readonly RecordedEvent[]) => readonly RecordedEvent[]) => {
  let visible = 0;
  let wake = Promise.withResolvers<void>();
  const log: FollowedLog = {
    async *subscribe({ after = -1, signal }) {
      const aborted = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      let given = events.findIndex(({ position }) => position > after);
      if (given < 0) given = events.length;
      while (!signal.aborted) {
        const upTo = visible;
        if (upTo > given) yield* garble(events.slice(given, upTo));
        given = Math.max(given, upTo);
        if (visible === given) await Promise.race([wake.promise, aborted]);
      }
    },
  };
  return {
    log,
    append: (count: number) => {
      visible = Math.min(events.length, visible + count);
      wake.resolve();
      wake = Promise.withResolvers<void>();
    },
  };
};
const plain = (batch: readonly RecordedEvent[]): readonly RecordedEvent[] => batch;

const follow = (options: Partial<FollowOptions> & Pick<FollowOptions, 'log' | 'leases'>) => {
  const said: Progress[] = [];
  const done = followLog({
    views,
    signal: stop.signal,
    ttlMs: 300,
    lingerMs: 5,
    onProgress: (progress) => said.push(progress),
    ...options,
  });
  done.catch(() => undefined);
  following.push(done);
  return { said, done };
};
const kindsOf = (said: readonly Progress[]): readonly string[] => said.map(({ kind }) => kind);

const expectAsRebuilt = async (): Promise<void> => {
  const all = async () => [
    (await views.runs()).rows,
    (await views.charges()).rows,
    (await views.cutoverAudit()).rows,
    (await views.findings()).rows,
    (await views.studies()).rows,
  ];
  const live = await all();
  await views.rebuild(logOf(events));
  expect(live).toEqual(await all());
  expect(live.flat().length).toBeGreaterThan(20);
};

describe('following the log', () => {
  it('projects what is there and what comes, in batches', async () => {
    const { log, append } = liveLog(plain);
    append(60);
    const { said } = follow({ log, leases: memoryLeases() });
    expect(await views.reached(events[59]?.position ?? 0, 5_000)).toBe(true);
    append(events.length);
    expect(await views.reached(end, 5_000)).toBe(true);
    expect(said).toEqual([
      { kind: 'leading', token: 1 },
      { kind: 'projected', events: 60, position: events[59]?.position },
      { kind: 'projected', events: events.length - 60, position: end },
    ]);
    await expectAsRebuilt();
  });

  it('ends when it is told to, and gives the lease back', async () => {
    const { log, append } = liveLog(plain);
    append(5);
    const leases = memoryLeases();
    const { done } = follow({ log, leases });
    await views.reached(events[4]?.position ?? 0, 5_000);
    expect(await leases.acquire('projector', 100)).toBeNull();
    stop.abort();
    await done;
    expect(await leases.acquire('projector', 100)).not.toBeNull();
  });

  it('is done by one of several; another takes over when that one ends', async () => {
    const { log, append } = liveLog(plain);
    const leases = memoryLeases();
    const first = new AbortController();
    const leader = follow({ log, leases, signal: first.signal });
    await vi.waitFor(() => expect(kindsOf(leader.said)).toEqual(['leading']));
    const other = follow({ log, leases });
    append(50);
    expect(await views.reached(events[49]?.position ?? 0, 5_000)).toBe(true);
    expect(kindsOf(other.said)).toEqual(['standing-by']);
    first.abort();
    await leader.done;
    append(events.length);
    expect(await views.reached(end, 5_000)).toBe(true);
    expect(other.said[1]).toEqual({ kind: 'leading', token: 2 });
    await expectAsRebuilt();
  });

  it('counts each event once, though each is delivered twice and old ones come again', async () => {
    const { log, append } = liveLog((batch) => [
      ...batch.flatMap((event) => [event, event]),
      ...batch.slice(-3),
    ]);
    follow({ log, leases: memoryLeases() });
    for (let given = 0; given < events.length; given += 7) {
      append(7);
      await sleep(3);
    }
    expect(await views.reached(end, 5_000)).toBe(true);
    await expectAsRebuilt();
  });

  it('goes on from where somebody else has brought the views meanwhile', async () => {
    const { log, append } = liveLog(plain);
    const { said } = follow({ log, leases: memoryLeases(), lingerMs: 150 });
    append(30);
    await sleep(30);
    // While the batch lingers.
    await views.catchUp(logOf(events.slice(0, 20)));
    await vi.waitFor(() =>
      expect(said.at(-1)).toEqual({
        kind: 'projected',
        events: 10,
        position: events[29]?.position,
      }),
    );
    append(events.length);
    expect(await views.reached(end, 5_000)).toBe(true);
    await expectAsRebuilt();
  });

  it('writes nothing more once the lease is lost, and competes again', async () => {
    const { log, append } = liveLog(plain);
    let wall = Date.now();
    const leases = memoryLeases({ wall: () => wall, steady: () => performance.now() });
    const taken: number[] = [];
    const watched: ReadModels = {
      ...views,
      take: (batch, after) => {
        taken.push(batch.length);
        return views.take(batch, after);
      },
    };
    const { said } = follow({ log, leases, views: watched, lingerMs: 60, ttlMs: 400 });
    append(10);
    expect(await views.reached(events[9]?.position ?? 0, 5_000)).toBe(true);
    append(10);
    await sleep(10);
    wall += 3_600_000;
    await vi.waitFor(() => expect(kindsOf(said)).toContain('lost'));
    const lostAt = kindsOf(said).indexOf('lost');
    expect(said.slice(0, lostAt + 1)).toEqual([
      { kind: 'leading', token: 1 },
      { kind: 'projected', events: 10, position: events[9]?.position },
      { kind: 'lost', token: 1 },
    ]);
    append(events.length);
    expect(await views.reached(end, 5_000)).toBe(true);
    expect(said.slice(lostAt + 1).filter(({ kind }) => kind === 'leading')).toEqual([
      { kind: 'leading', token: 2 },
    ]);
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(events.length);
    await expectAsRebuilt();
  });

  it('waits for what is out of reach, longer each time', async () => {
    const { log, append } = liveLog(plain);
    append(events.length);
    let failures = 2;
    const shaky: ReadModels = {
      ...views,
      take: (batch, after) => {
        failures -= 1;
        return failures >= 0
          ? Promise.reject(new ViewsUnavailable('down'))
          : views.take(batch, after);
      },
    };
    const { said } = follow({ log, leases: memoryLeases(), views: shaky });
    expect(await views.reached(end, 5_000)).toBe(true);
    expect(said.filter(({ kind }) => kind === 'failed')).toEqual([
      { kind: 'failed', error: expect.any(ViewsUnavailable), retryInMs: 100 },
      { kind: 'failed', error: expect.any(ViewsUnavailable), retryInMs: 200 },
    ]);
  });

  it('throws what the views cannot take', async () => {
    const { log, append } = liveLog((batch) => batch.filter(({ revision }) => revision !== 5));
    append(events.length);
    const leases = memoryLeases();
    const { done } = follow({ log, leases });
    await expect(done).rejects.toThrow(/The views can't take/);
    expect(await leases.acquire('projector', 100)).not.toBeNull();
  });
});
