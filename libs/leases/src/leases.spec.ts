import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from 'pg';
import { describeOnPostgres } from '../../../test/support/with-postgres.ts';
import { describeLeases, testClock } from './leases.contract.ts';
import { keepRenewed, LeasesUnavailable, memoryLeases, openLeases } from './index.ts';

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-leases-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const newFile = () => ({ kind: 'sqlite', path: join(folder, `leases-${files++}.sqlite`) }) as const;

describe('leases in memory', () =>
  describeLeases({ ownClocks: false }, async () => {
    let time = testClock();
    // All share one object, so all share its clock: that of whoever opened it last.
    const shared = memoryLeases({ wall: () => time.wall(), steady: () => time.steady() });
    return {
      byGivenClock: true,
      open: async (clock) => {
        time = clock as typeof time;
        return { acquire: (name, ttlMs) => shared.acquire(name, ttlMs), close: shared.close };
      },
    };
  }));

describe('leases in a SQLite file', () => {
  describeLeases({ ownClocks: true }, async () => {
    const target = newFile();
    return { byGivenClock: true, open: (clock) => openLeases(target, clock) };
  });

  it('are free when the clock was set back to before they were taken', async () => {
    const clock = testClock();
    const target = newFile();
    const [one, other] = [await openLeases(target, clock), await openLeases(target, clock)];
    const dead = await one.acquire('run-1', 1_000);
    clock.set(-500);
    expect(await other.acquire('run-1', 1_000)).toBeNull();
    clock.set(-3_600_000);
    expect((await other.acquire('run-1', 1_000))?.token).toBe(2);
    expect(await dead?.renew()).toBe(false);
    await one.close();
    await other.close();
  });

  it('say so when the file cannot be written', async () => {
    const target = { kind: 'sqlite', path: join(folder, 'nowhere', 'leases.sqlite') } as const;
    await expect(openLeases(target)).rejects.toThrow(LeasesUnavailable);
  });
});

/** Long enough for a busy machine to renew in time. */
const TTL = 900;

describe('keeping a lease renewed', () => {
  it('holds it past its time, and lets it run out when it ends', async () => {
    const leases = memoryLeases();
    const lease = await leases.acquire('run-1', TTL);
    if (lease === null) throw new Error('held');
    const stop = keepRenewed(lease, TTL);
    await sleep(2 * TTL);
    expect(lease.held()).toBe(true);
    expect(await leases.acquire('run-1', TTL)).toBeNull();
    stop();
    await vi.waitFor(() => expect(lease.lost.aborted).toBe(true), 3 * TTL);
    expect((await leases.acquire('run-1', TTL))?.token).toBe(2);
  });

  it('survives a renewal that fails, and loses the lease when none gets through', async () => {
    const leases = memoryLeases();
    const lease = await leases.acquire('run-1', TTL);
    if (lease === null) throw new Error('held');
    let failures = 1;
    const failing = {
      ...lease,
      renew: async () => {
        failures -= 1;
        if (failures >= 0) throw new LeasesUnavailable('down');
        return lease.renew();
      },
    };
    const stop = keepRenewed(failing, TTL);
    await sleep(1.5 * TTL);
    expect(lease.held()).toBe(true);
    failures = Number.POSITIVE_INFINITY;
    await vi.waitFor(() => expect(lease.lost.aborted).toBe(true), 3 * TTL);
    stop();
  });
});

describeOnPostgres('leases on PostgreSQL', (server) => {
  describeLeases({ ownClocks: true }, async () => {
    const target = { kind: 'postgres', connectionString: await server().database() } as const;
    return { byGivenClock: false, open: (clock) => openLeases(target, clock) };
  });

  it('run out by the clock of the server, whatever the clocks of its clients say', async () => {
    const target = { kind: 'postgres', connectionString: await server().database() } as const;
    const ahead = testClock();
    ahead.set(365 * 86_400_000);
    const [one, other] = [await openLeases(target), await openLeases(target, ahead)];
    const lease = await one.acquire('run-1', 60_000);
    expect(await other.acquire('run-1', 60_000)).toBeNull();
    expect(await lease?.renew()).toBe(true);
    await one.close();
    await other.close();
  });

  it('are free when the clock of the server was set back to before they were taken', async () => {
    const connectionString = await server().database();
    const leases = await openLeases({ kind: 'postgres', connectionString });
    await leases.acquire('run-1', 60_000);
    const client = new Client({ connectionString });
    await client.connect();
    await client.query('update holdfast_leases.leases set expires_at = expires_at + 3600000');
    await client.end();
    expect((await leases.acquire('run-1', 60_000))?.token).toBe(2);
    await leases.close();
  });

  it('are nobody knows whose while the server is down, and go on when it is back', async () => {
    const target = { kind: 'postgres', connectionString: await server().database() } as const;
    const leases = await openLeases(target);
    const lease = await leases.acquire('run-1', 60_000);
    await server().kill();
    // A killed server's processes may still answer for a moment on connections that are open.
    const renewal = () =>
      lease?.renew().then(
        () => 'renewed',
        (error: unknown) => (error instanceof LeasesUnavailable ? 'unavailable' : 'other'),
      );
    await expect.poll(renewal, { timeout: 10_000 }).toBe('unavailable');
    await expect(leases.acquire('run-2', 60_000)).rejects.toThrow(
      /nobody can tell who holds what: PostgreSQL at 127\.0\.0\.1:\d+, database holdfast_\d+ can't be reached/,
    );
    expect(lease?.held()).toBe(true);
    await server().start();
    expect(await lease?.renew()).toBe(true);
    expect((await leases.acquire('run-2', 60_000))?.token).toBe(1);
    await leases.close();
  }, 60_000);
});
