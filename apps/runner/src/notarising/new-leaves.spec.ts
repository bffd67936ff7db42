import { describe, expect, it } from 'vitest';
import { CorruptEvent } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { leafCheck } from './new-leaves.ts';

const event = (stream: string, revision: number, prev: string | null): RecordedEvent => ({
  ...{ position: revision, stream, revision, id: `${stream} ${revision}` },
  ...{
    prev,
    hash: `hash of ${revision}`,
    type: 'LedgerRead',
    data: {},
    canonical: new Uint8Array(),
  },
  metadata: {
    ...{ correlationId: 'a', causationId: `${revision}`, actor: { role: 'auditor', id: 'a' } },
    ...{ time: '2026-11-20T08:00:00.000Z', schemaVersion: 1 },
  },
});

const emptyLog = { readStream: async function* () {} } as unknown as Parameters<
  typeof leafCheck
>[0];
const context = {
  headOf: (stream: string) => (stream === 'access-1' ? { revision: 4, hash: 'hash of 4' } : null),
  accepted: () => [],
};

describe('a new leaf', () => {
  it.each<[string, RecordedEvent]>([
    ['begins a stream that has events', event('access-1', 0, null)],
    ['leaves one out', event('access-1', 6, 'hash of 4')],
    ['is there already', event('access-1', 4, 'hash of 3')],
    ['is linked to another than the one before it', event('access-1', 5, 'another')],
    ['comes in the midst of a stream that has none', event('access-2', 5, 'hash of 4')],
    ['begins a stream and is linked to something', event('access-2', 0, 'hash of 4')],
  ])('is no good where it %s', async (_, leaf) => {
    const check = leafCheck(emptyLog, async () => null, context);
    expect(await check.see(leaf)).toMatchObject({ reason: 'not-decided' });
  });

  it('is good where it follows its stream’s head', async () => {
    const check = leafCheck(emptyLog, async () => null, context);
    expect(await check.see(event('access-1', 5, 'hash of 4'))).toBeNull();
    expect(await check.see(event('access-2', 0, null))).toBeNull();
    expect(await check.end()).toBeNull();
  });

  it('is no good where what it rests on can not be read, the last one of all as well', async () => {
    const judge = async () => Promise.reject(new CorruptEvent('event 2 of access-1 is damaged'));
    const check = leafCheck(emptyLog, judge, context);
    expect(await check.see(event('access-1', 5, 'hash of 4'))).toBeNull();
    expect(await check.end()).toMatchObject({
      reason: 'not-decided',
      found: 'event 2 of access-1 is damaged',
    });
  });
});
