import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Lease, LeaseClock, Leases } from './index.ts';

/** What a suite of leases runs on. */
export interface Place {
  /** Another who competes for the same leases, by this clock. */
  readonly open: (clock: LeaseClock) => Promise<Leases>;
  /** Whether the clock that is passed in says what has run out; else it is the database's own. */
  readonly byGivenClock: boolean;
}

export interface Features {
  /** Whether two who compete can go by different clocks. */
  readonly ownClocks: boolean;
}

/** A clock that a test sets. */
export const testClock = (): LeaseClock & {
  readonly pass: (ms: number) => void;
  readonly set: (ms: number) => void;
} => {
  let [wall, steady] = [1_800_000_000_000, 5_000];
  return {
    wall: () => wall,
    steady: () => steady,
    pass: (ms) => {
      wall += ms;
      steady += ms;
    },
    set: (ms) => {
      wall += ms;
    },
  };
};

const LONG = 60_000;

export const describeLeases = ({ ownClocks }: Features, place: () => Promise<Place>): void => {
  let at: Place;
  let opened: Leases[];
  let clock: ReturnType<typeof testClock>;
  const open = async (): Promise<Leases> => {
    const leases = await at.open(clock);
    opened.push(leases);
    return leases;
  };
  const taken = async (leases: Leases, name: string, ttlMs = LONG): Promise<Lease> => {
    const lease = await leases.acquire(name, ttlMs);
    if (lease === null) throw new Error(`${name} is held`);
    return lease;
  };

  beforeEach(async () => {
    at = await place();
    opened = [];
    clock = testClock();
  });
  afterEach(async () => {
    for (const leases of opened) await leases.close();
  });

  it('gives a name to one at a time, another to another', async () => {
    const [one, other] = [await open(), await open()];
    const lease = await taken(one, 'run-1');
    expect(lease).toMatchObject({ name: 'run-1', token: 1 });
    expect(lease.held()).toBe(true);
    expect(await other.acquire('run-1', LONG)).toBeNull();
    expect(await one.acquire('run-1', LONG)).toBeNull();
    expect((await taken(other, 'run-2')).token).toBe(1);
  });

  it('gives a name to one of many who ask at once', async () => {
    const several = await Promise.all([open(), open(), open(), open()]);
    const answers = await Promise.all(
      several.flatMap((leases) => [leases.acquire('run-1', LONG), leases.acquire('run-1', LONG)]),
    );
    expect(answers.filter((lease) => lease !== null)).toHaveLength(1);
  });

  it('is free once it is released, with a higher token', async () => {
    const [one, other] = [await open(), await open()];
    const lease = await taken(one, 'run-1');
    await lease.release();
    expect(lease.held()).toBe(false);
    expect(lease.lost.aborted).toBe(false);
    expect(await lease.renew()).toBe(false);
    expect((await taken(other, 'run-1')).token).toBe(2);
    // What was given back is another's now.
    await lease.release();
    expect(await one.acquire('run-1', LONG)).toBeNull();
  });

  it('runs out, is lost to its holder, and goes to the next with a higher token', async () => {
    const [one, other] = [await open(), await open()];
    const lease = await taken(one, 'run-1', 200);
    clock.pass(200);
    if (!at.byGivenClock) await sleep(230);
    expect(lease.held()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
    expect(String(lease.lost.reason)).toContain('not renewed within 200 ms');
    expect((await taken(other, 'run-1')).token).toBe(2);
    expect(await lease.renew()).toBe(false);
  });

  it('is held for as long as it is renewed', async () => {
    const [one, other] = [await open(), await open()];
    const lease = await taken(one, 'run-1', 1_000);
    for (let turn = 0; turn < 4; turn += 1) {
      clock.pass(400);
      if (!at.byGivenClock) await sleep(400);
      expect(await lease.renew()).toBe(true);
      expect(await other.acquire('run-1', 1_000)).toBeNull();
    }
    expect(lease.held()).toBe(true);
    expect(lease.token).toBe(1);
  });

  if (ownClocks)
    it('is lost by its holder when he learns that another has it', async () => {
      const slow = testClock();
      const one = await at.open(slow);
      opened.push(one);
      const lease = await taken(one, 'run-1', 150);
      clock.pass(300);
      if (!at.byGivenClock) await sleep(200);
      expect((await taken(await open(), 'run-1')).token).toBe(2);
      // This holder's own clocks stood still: he still thinks that he holds it.
      expect(lease.held()).toBe(true);
      expect(await lease.renew()).toBe(false);
      expect(lease.held()).toBe(false);
      expect(String(lease.lost.reason)).toContain('somebody else holds it');
    });

  it('is lost at once when the clock on the wall jumps forward', async () => {
    const lease = await taken(await open(), 'run-1', 1_000);
    clock.set(3_600_000);
    expect(lease.held()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
  });

  it('tells of its loss by itself, without being asked', async () => {
    const lease = await taken(await open(), 'run-1', 200);
    clock.pass(200);
    await sleep(200);
    expect(lease.lost.aborted).toBe(true);
  });

  it.each(['', 'two words', 'é', 'x'.repeat(201)])('refuses the name %j', async (name) => {
    await expect((await open()).acquire(name, LONG)).rejects.toThrow(RangeError);
  });

  it.each([0, -1, 1.5, Number.NaN, 86_400_001])('refuses a time of %d ms', async (ttlMs) => {
    await expect((await open()).acquire('run-1', ttlMs)).rejects.toThrow(RangeError);
  });

  it('holds hundreds of names', async () => {
    const [one, other] = [await open(), await open()];
    const names = Array.from({ length: 300 }, (_, index) => `run-${index}`);
    const held = await Promise.all(names.map((name) => one.acquire(name, LONG)));
    expect(held.every((lease) => lease?.token === 1)).toBe(true);
    const asked = await Promise.all(names.map((name) => other.acquire(name, LONG)));
    expect(asked.every((lease) => lease === null)).toBe(true);
    for (const lease of held) await lease?.release();
    const again = await Promise.all(names.map((name) => other.acquire(name, LONG)));
    expect(again.every((lease) => lease?.token === 2)).toBe(true);
  });
};
