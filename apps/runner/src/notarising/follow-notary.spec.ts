import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EventLog } from '#libs/event-log';
import { memoryLeases } from '#libs/leases';
import { notaryStream } from '../streams.ts';
import {
  clock,
  grow,
  judgesNothing,
  newSigner,
  notaryEventsOf,
  openLogIn,
  withErasables,
} from '../testing/notarised-log.ts';
import { followNotary } from './follow-notary.ts';
import { notaryStatus, settleAlarm } from './keep-notary.ts';
import type { NotaryLedger } from './notary.ts';

let folder: string;
let log: EventLog;
let over: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-follow-notary-'));
  log = openLogIn(folder);
  over = new AbortController();
});
afterEach(async () => {
  over.abort();
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const follow = (on: NotaryLedger, signer = newSigner(), intervalMs = 100) => {
  const sizes: number[] = [];
  const notices: string[] = [];
  const ended = followNotary(on, {
    ...{ signer, origin: 'ledger.example', judge: judgesNothing, anchors: [], intervalMs },
    signal: over.signal,
    onSealed: ({ checkpoint, isNew }) => {
      if (isNew) sizes.push(checkpoint?.size ?? 0);
    },
    onNotice: (notice) => notices.push(notice),
  });
  return { sizes, notices, ended };
};
const ledger = (leases = memoryLeases()): NotaryLedger => ({
  ...{ folder, log, notary: notaryStream(log, clock), leases },
});

it('signs what came at each interval, and nothing where nothing came', async () => {
  await grow(log, 3);
  const { sizes, notices, ended } = follow(ledger());
  await vi.waitFor(() => expect(sizes).toEqual([3]), 5_000);
  await sleep(350);
  await grow(log, 4);
  await vi.waitFor(() => expect(sizes.at(-1)).toBe(7), 5_000);
  await sleep(350);
  const signed = (await notaryEventsOf(log)).filter(({ type }) => type === 'CheckpointSigned');
  expect(signed).toHaveLength(sizes.length);
  expect(notices).toEqual([]);
  over.abort();
  await ended;
});

it('says an alarm once, and goes on when it is settled and the log is whole again', async () => {
  await grow(log, 6);
  const { sizes, notices, ended } = follow(ledger());
  await vi.waitFor(() => expect(sizes).toEqual([6]), 5_000);
  const database = new DatabaseSync(join(folder, 'log.sqlite'));
  const row = database.prepare('SELECT * FROM events WHERE position = 6').get() as Record<
    string,
    string | number | Uint8Array
  >;
  database.exec('DELETE FROM events WHERE position = 6');
  await grow(log, 1);
  await vi.waitFor(() => expect(notices).toHaveLength(1), 5_000);
  expect(notices[0]).toMatch(/signs nothing/);
  await sleep(350);
  expect(notices).toHaveLength(1);
  const names = Object.keys(row);
  database
    .prepare(`INSERT INTO events (${names.join()}) VALUES (${names.map(() => '?').join()})`)
    .run(...Object.values(row));
  database.close();
  const { alarm } = await notaryStatus(log);
  const settlement = { alarm: alarm!.revision, reason: 'restored', accepts: null };
  expect((await settleAlarm(await withErasables(ledger()), settlement)).ok).toBe(true);
  await vi.waitFor(() => expect(sizes.at(-1)).toBe(7), 5_000);
  over.abort();
  await ended;
});

it('of two one follows, and the other takes over when it stops', async () => {
  const leases = memoryLeases();
  const signer = newSigner();
  await grow(log, 3);
  const one = follow(ledger(leases), signer);
  await vi.waitFor(() => expect(one.sizes).toEqual([3]), 5_000);
  const first = over;
  over = new AbortController();
  const other = follow(ledger(leases), signer);
  await grow(log, 1);
  await vi.waitFor(() => expect(one.sizes.at(-1)).toBe(4), 5_000);
  expect(other.sizes).toEqual([]);
  first.abort();
  await one.ended;
  await grow(log, 1);
  await vi.waitFor(() => expect(other.sizes).toEqual([5]), 10_000);
  over.abort();
  await other.ended;
});
