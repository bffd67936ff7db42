import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventLog } from '#libs/event-log';
import { memoryLeases } from '#libs/leases';
import { notaryStream } from '../streams.ts';
import { clock, grow, judgesNothing, openLogIn, withErasables } from '../testing/notarised-log.ts';
import { NO_ANCHORS } from './anchors.ts';
import { notaryStatus, rotateKeyFile, settleAlarm } from './keep-notary.ts';
import type { NotaryLedger } from './notary.ts';
import { openSealing, sealLog, type NotarySettings, type Sealing } from './seal.ts';

const SETTINGS: NotarySettings = { key: null, origin: null, ...NO_ANCHORS };

let folder: string;
let log: EventLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-keep-notary-'));
  log = openLogIn(folder);
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const ledger = (): NotaryLedger => ({
  ...{ folder, log, notary: notaryStream(log, clock), leases: memoryLeases() },
});
const sealing = async (settings = SETTINGS): Promise<Sealing> => {
  const opened = await openSealing(folder, settings);
  if (!opened.ok) throw new Error(opened.error.message);
  return { ...opened.value, judge: judgesNothing };
};
const keyFile = () => join(folder, 'keys', 'notary.pem');

it('another key signs after a rotation, and nothing is left of the old one', async () => {
  expect(await rotateKeyFile(ledger(), await sealing())).toMatchObject({
    ok: false,
    error: { code: 'not-open' },
  });
  await grow(log, 5);
  await sealLog(ledger(), await sealing());
  const old = readFileSync(keyFile(), 'utf8');
  const oldSealing = await sealing();
  const rotated = await rotateKeyFile(ledger(), oldSealing);
  if (!rotated.ok) throw new Error(rotated.error.message);
  expect(readFileSync(keyFile(), 'utf8')).not.toBe(old);
  await grow(log, 5);
  expect(await sealLog(ledger(), oldSealing)).toMatchObject({
    ok: false,
    error: { code: 'other-notary' },
  });
  expect(await sealLog(ledger(), await sealing())).toMatchObject({
    ok: true,
    value: { isNew: true, checkpoint: { size: 10 }, verifierKey: rotated.value.to },
  });
  expect(await notaryStatus(log)).toMatchObject({
    ...{ verifierKey: rotated.value.to, verifierKeys: [rotated.value.from, rotated.value.to] },
    ...{ checkpoints: 2, checkpoint: { size: 10 }, alarm: null, problem: null },
  });
});

it('a rotation that was stopped before the new key was in its place goes on', async () => {
  await grow(log, 5);
  await sealLog(ledger(), await sealing());
  const old = readFileSync(keyFile(), 'utf8');
  const first = await rotateKeyFile(ledger(), await sealing());
  // As it was left: recorded, but the files are those of before.
  renameSync(keyFile(), join(folder, 'keys', 'notary-next.pem'));
  writeFileSync(keyFile(), old, { mode: 0o600 });
  const second = await rotateKeyFile(ledger(), await sealing());
  expect(second).toEqual(first);
  await grow(log, 1);
  expect(await sealLog(ledger(), await sealing())).toMatchObject({
    ok: true,
    value: { isNew: true },
  });
});

it('the key may come from outside the home', async () => {
  await grow(log, 1);
  await sealLog(ledger(), await sealing());
  const key = readFileSync(keyFile(), 'utf8');
  rmSync(keyFile());
  await grow(log, 1);
  expect(await sealLog(ledger(), await sealing({ ...SETTINGS, key }))).toMatchObject({
    ok: true,
    value: { checkpoint: { size: 2 } },
  });
  expect(await openSealing(folder, { ...SETTINGS, key: 'no key' })).toMatchObject({
    ok: false,
    error: { code: 'key-unreadable', message: expect.stringContaining('PKCS8') as string },
  });
});

it('without an alarm nothing is settled, and never without a reason', async () => {
  await grow(log, 1);
  await sealLog(ledger(), await sealing());
  expect(
    await settleAlarm(await withErasables(ledger()), { alarm: 1, reason: 'why', accepts: null }),
  ).toMatchObject({
    ok: false,
    error: { code: 'no-alarm' },
  });
});
