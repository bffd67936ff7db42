import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBase64, parseNote, parseVerifierKey, toBase64, verifyNote } from '#libs/checkpoints';
import { chain, parseBody, unchained, type EventLog } from '#libs/event-log';
import { deriveId, type Actor, type NewEvent, type StoredEvent } from '#libs/kernel';
import { SEALED } from '../../../../libs/kernel/src/testing/sealed-text.ts';
import { memoryLeases, type Leases } from '#libs/leases';
import { openLogTree } from '#libs/log-tree';
import { verifyConsistency } from '#libs/merkle';
import {
  acceptanceText,
  signNote,
  streamHeads,
  type Append,
  type NotarySigner,
} from '#libs/notary';
import { LOCAL_OPERATOR } from '../actors.ts';
import { NOTARY, NOTARY_PORTS, notaryStream } from '../streams.ts';
import {
  clock,
  grow,
  judgesNothing,
  newSigner,
  notaryEventsOf,
  openLogIn,
  readOf,
} from '../testing/notarised-log.ts';
import type { Judge } from './judge.ts';
import { notaryStatus } from './keep-notary.ts';
import {
  asNotary,
  LOG_TREE,
  NOTARY_LEASE,
  type NotaryLedger,
  type NotaryOptions,
  type Sealed,
} from './notary.ts';

let folder: string;
let log: EventLog;
let leases: Leases;
let options: NotaryOptions;
let ids = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-notary-'));
  log = openLogIn(folder);
  leases = memoryLeases();
  options = { signer: newSigner(), origin: 'ledger.example', judge: judgesNothing };
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const ledger = (): NotaryLedger => ({ folder, log, notary: notaryStream(log, clock), leases });

const types = async (): Promise<readonly string[]> =>
  (await notaryEventsOf(log)).map(({ type }) => type);

const seal = async (more: Partial<NotaryOptions> = {}, on = ledger()) =>
  asNotary(on, { ...options, ...more }, (notary) => notary.seal());

const sealed = async () => {
  const result = await seal();
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

/** Changes the log's file behind its back, as somebody with access to the machine would. */
const tamper = (work: (database: DatabaseSync) => void): void => {
  const database = new DatabaseSync(join(folder, 'log.sqlite'));
  work(database);
  database.close();
};

/** Writes another event in the place of one, with hashes that hold, and links what comes after it anew. */
const rewrite = (
  stream: string,
  revision: number,
  change = (event: NewEvent): NewEvent => ({
    ...event,
    data: { operation: 'getRun', asked: { id: 'another' } },
  }),
): void =>
  tamper((database) => {
    const rows = database
      .prepare(
        'SELECT revision, hash, canonical FROM events WHERE stream = ? AND revision >= ? ORDER BY revision',
      )
      .all(stream, Math.max(0, revision - 1)) as {
      revision: number;
      hash: string;
      canonical: Uint8Array;
    }[];
    const before = revision === 0 ? null : rows[0]!.hash;
    const events = rows
      .filter((row) => row.revision >= revision)
      .map(({ revision: at, canonical }) => {
        const { stream: _, revision: __, ...event } = parseBody(canonical);
        const { prev: ___, ...metadata } = event.metadata;
        const was = { ...event, metadata };
        return unchained(stream, at, at === revision ? change(was) : was);
      });
    for (const { revision: at, hash, canonical } of chain(before, events))
      database
        .prepare('UPDATE events SET hash = ?, canonical = ? WHERE stream = ? AND revision = ?')
        .run(hash, canonical, stream, at);
  });

const settle = async (accepts: Append | null = null): Promise<void> => {
  const stream = notaryStream(log, clock);
  const { state } = await stream.load(NOTARY);
  const alarm = state.alarm?.revision ?? null;
  const origin = state.origin ?? '';
  const note =
    accepts === null
      ? null
      : await signNote(
          ...([NOTARY_PORTS.sha256, origin, [options.signer]] as const),
          acceptanceText(origin, alarm ?? -1, accepts, LOCAL_OPERATOR),
        );
  const settled = await stream.send(
    NOTARY,
    {
      type: 'SettleAlarm',
      id: `settle ${(ids += 1)}`,
      data: { alarm, reason: SEALED, accepts, note },
    },
    LOCAL_OPERATOR,
  );
  if (!settled.ok) throw new Error(settled.error.message);
};

describe('a log', () => {
  it('is signed as far as it goes, and what came since with proof that it extends it', async () => {
    expect(await seal()).toMatchObject({ ok: true, value: { checkpoint: null } });
    await grow(log, 5);
    const first = await sealed();
    expect(first).toMatchObject({ isNew: true, checkpoint: { size: 5, extendsLast: [] } });
    await grow(log, 300);
    const second = await sealed();
    expect(second).toMatchObject({ isNew: true, checkpoint: { size: 305 } });
    const key = parseVerifierKey(NOTARY_PORTS.sha256, second.verifierKey);
    const note = parseNote(second.checkpoint!.note);
    if (!key.ok || !note.ok) throw new Error('no key, or no note');
    expect(verifyNote(note.value, [key.value], NOTARY_PORTS.verify).ok).toBe(true);
    expect(
      verifyConsistency(
        NOTARY_PORTS.sha256,
        {
          ...{ size1: 5, root1: fromBase64(first.checkpoint!.root)! },
          ...{ size2: 305, root2: fromBase64(second.checkpoint!.root)! },
        },
        second.checkpoint!.extendsLast.map((hash) => fromBase64(hash)!),
      ),
    ).toBe(true);
    expect(await types()).toEqual(['NotaryOpened', 'CheckpointSigned', 'CheckpointSigned']);
  });

  it('is signed with the heads of all its streams, and the notary’s own event before', async () => {
    const commits = async ({ checkpoint }: Sealed): Promise<void> => {
      const heads = streamHeads(NOTARY_PORTS.sha256);
      for await (const stored of log.readStored()) if (stored.stream !== NOTARY) heads.see(stored);
      const { streams, root } = heads.tree();
      const own: StoredEvent[] = [];
      for await (const stored of log.readStored({ stream: NOTARY })) own.push(stored);
      const { revision, hash } = own.at(-2)!;
      const follows = { revision, hash };
      expect(checkpoint).toMatchObject({ heads: { streams, root: toBase64(root) }, follows });
      expect(checkpoint!.note.split('\n').slice(3, 6)).toEqual([
        `heads ${streams} ${toBase64(root)}`,
        `notary ${revision} ${toBase64(Buffer.from(hash, 'hex'))}`,
        '',
      ]);
    };
    await grow(log, 2);
    // The same notary goes on; another one begins anew.
    const both = await asNotary(ledger(), options, async (notary) => {
      const first = await notary.seal();
      if (!first.ok) return first;
      await commits(first.value);
      await grow(log, 300);
      return notary.seal();
    });
    if (!both.ok) throw new Error(both.error.message);
    await commits(both.value);
    expect(both.value.checkpoint).toMatchObject({ heads: { streams: 3 } });
    await grow(log, 10);
    await commits(await sealed());
  });

  it('is not signed after the notary’s own stream was hashed anew', async () => {
    await grow(log, 5);
    await sealed();
    await grow(log, 1);
    // Every note in it is as it was signed.
    rewrite(NOTARY, 0, (event) => ({
      ...event,
      metadata: { ...event.metadata, time: '2020-01-01T00:00:00.000Z' },
    }));
    expect(await seal()).toMatchObject({
      ok: false,
      error: {
        code: 'notary-alarm',
        message: expect.stringContaining('commits to event 0 of the notary') as string,
      },
    });
  });

  it('is not signed again where nothing came since', async () => {
    await grow(log, 5);
    await sealed();
    expect(await sealed()).toMatchObject({ isNew: false, checkpoint: { size: 5 } });
    expect(await types()).toEqual(['NotaryOpened', 'CheckpointSigned']);
  });

  it('is named after its first key where nothing else is said, and never another way', async () => {
    await grow(log, 1);
    options = { ...options, origin: null };
    const { origin } = await sealed();
    expect(origin).toMatch(/^holdfast\/[0-9a-f]{16}$/);
    expect(await seal({ origin: 'other.example' })).toMatchObject({
      ok: false,
      error: { code: 'other-notary' },
    });
  });

  it('is not signed with a key that is not its own', async () => {
    await grow(log, 1);
    await sealed();
    await grow(log, 1);
    expect(await seal({ signer: newSigner() })).toMatchObject({
      ok: false,
      error: { code: 'other-notary', message: expect.stringContaining('rotate') as string },
    });
    expect(await types()).toEqual(['NotaryOpened', 'CheckpointSigned']);
  });

  it('is signed by one process at a time', async () => {
    await grow(log, 3);
    const other = await leases.acquire(NOTARY_LEASE, 60_000);
    const refused = await asNotary(ledger(), options, (notary) => notary.seal(), { patienceMs: 0 });
    expect(refused).toMatchObject({ ok: false, error: { code: 'notary-elsewhere' } });
    await other!.release();
    const both = await Promise.all([seal(), seal()]);
    expect(both.map((each) => each.ok)).toEqual([true, true]);
    expect(await types()).toEqual(['NotaryOpened', 'CheckpointSigned']);
  });

  it('that two sign all the same, each believing that he alone does, is signed once', async () => {
    await grow(log, 3);
    const apart = () => seal({}, { ...ledger(), leases: memoryLeases() });
    const both = await Promise.all([apart(), apart()]);
    expect(both.some((each) => each.ok)).toBe(true);
    for (const each of both)
      if (!each.ok) expect(each.error.code).toMatch(/^(lost-race|notary-alarm)$/);
    expect((await types()).filter((type) => type === 'CheckpointSigned')).toHaveLength(1);
  });
});

describe("the tree's files", () => {
  it.each([
    ['missing', () => rmSync(join(folder, LOG_TREE), { recursive: true })],
    ['cut', () => truncateSync(join(folder, LOG_TREE, 'level-0'), 32 * 100)],
    ['overwritten', () => writeFileSync(join(folder, LOG_TREE, 'level-0'), Buffer.alloc(32 * 600))],
    ['cut above', () => truncateSync(join(folder, LOG_TREE, 'level-1'), 3)],
    [
      'overwritten above',
      () => writeFileSync(join(folder, LOG_TREE, 'level-1'), Buffer.alloc(64, 7)),
    ],
    ['without places', () => rmSync(join(folder, LOG_TREE, 'positions'))],
  ])('are made again where they are %s', async (_, damage) => {
    await grow(log, 600);
    const { checkpoint } = await sealed();
    damage();
    await grow(log, 10);
    expect(await sealed()).toMatchObject({ isNew: true, checkpoint: { size: 610 } });
    const tree = openLogTree(join(folder, LOG_TREE));
    expect(Buffer.from(tree.root(600)).toString('base64')).toBe(checkpoint!.root);
    tree.close();
    expect(await types()).toEqual(['NotaryOpened', 'CheckpointSigned', 'CheckpointSigned']);
  });

  it('may hold leaves that were not signed: a notary was stopped between the two', async () => {
    await grow(log, 5);
    await sealed();
    await grow(log, 5);
    const failing = { ...options.signer, sign: () => Promise.reject(new Error('stopped')) };
    await expect(seal({ signer: failing })).rejects.toThrow('stopped');
    expect(await sealed()).toMatchObject({ isNew: true, checkpoint: { size: 10 } });
  });
});

/** Refused with the alarm, which then stands in the log; nothing is signed until somebody settled it, nor after. */
const alarmed = async (reason: string, found: string | RegExp): Promise<void> => {
  const signed = (await types()).filter((type) => type === 'CheckpointSigned').length;
  const refused = await seal();
  expect(refused).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
  const raised = (await notaryEventsOf(log)).at(-1);
  expect(raised).toMatchObject({ type: 'NotaryAlarmRaised', data: { reason } });
  expect((raised as unknown as { data: { found: string } }).data.found).toMatch(found);
  expect(await seal()).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
  expect((await types()).at(-1)).toBe('NotaryAlarmRaised');
  await settle();
  expect(await seal()).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
  expect((await types()).slice(-3)).toEqual([
    'NotaryAlarmRaised',
    'NotaryAlarmSettled',
    'NotaryAlarmRaised',
  ]);
  expect((await types()).filter((type) => type === 'CheckpointSigned')).toHaveLength(signed);
};

const noForgeries: Judge = async (events) =>
  events.some(({ data }) => (data as { asked: { id: string } }).asked.id.startsWith('forged'))
    ? 'nobody asked that'
    : null;

/** An append of two events that the rules would not have made. */
const forge = async (stream: string, id: string, after: number | null = null): Promise<Append> => {
  const appended = await log.append(stream, after ?? 'no-stream', [
    readOf(`${id} 1`, id),
    readOf(`${id} 2`, id),
  ]);
  if (!appended.ok) throw new Error(appended.error.message);
  const [first, last] = appended.value.events;
  return { stream, from: first!.revision, to: last!.revision, hash: last!.hash };
};

describe('an append that the rules would not have made', () => {
  beforeEach(async () => {
    options = { ...options, judge: noForgeries };
    await grow(log, 5);
    await sealed();
  });
  const refusal = { ok: false, error: { code: 'notary-alarm' } };

  it('is signed once a human vouched for it, and no other is', async () => {
    const append = await forge('access-9', 'forged');
    expect(await seal()).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining(`settle 2 --accept ${append.hash}`) as string },
    });
    expect((await notaryEventsOf(log)).at(-1)).toMatchObject({ data: { append } });
    await settle(append);
    expect(await sealed()).toMatchObject({ isNew: true, checkpoint: { size: 7 } });
    // For good: whoever begins anew, and whatever comes after it.
    await log.append('access-9', append.to, [readOf('honest')]);
    expect(await sealed()).toMatchObject({ isNew: true, checkpoint: { size: 8 } });
    await forge('access-8', 'forged');
    await alarmed('not-decided', /event 0 of access-8 and 1 after it: nobody asked that/);
  });

  it('is not signed where it is another than was accepted, by one byte', async () => {
    const append = await forge('access-9', 'forged');
    expect(await seal()).toMatchObject(refusal);
    await settle(append);
    rewrite('access-9', 0, (event) => ({
      ...event,
      data: { operation: 'getRun', asked: { id: 'forged 3' } },
    }));
    await alarmed('not-decided', /event 0 of access-9 and 1 after it: nobody asked that/);
  });

  it('is accepted whole, by the alarm that is about it', async () => {
    const append = await forge('access-9', 'forged');
    expect(await seal()).toMatchObject(refusal);
    for (const other of [
      { ...append, from: 1 },
      { ...append, to: 0 },
      { ...append, stream: 'access-8' },
      { ...append, hash: 'ab'.repeat(32) },
    ])
      await expect(settle(other)).rejects.toThrow(`expected access-9@0-1 (${append.hash})`);
    await settle();
    expect(await seal()).toMatchObject(refusal);
  });

  it('is not accepted by an alarm about something else', async () => {
    const append = await forge('access-9', 'forged');
    tamper((database) =>
      database.exec(
        `UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), 'getRun', 'getRan') AS BLOB) WHERE stream = 'access-0' AND revision = 0`,
      ),
    );
    expect(await seal()).toMatchObject(refusal);
    await expect(settle(append)).rejects.toThrow('no append that could be accepted');
  });
});

describe('the alarm is raised, and nothing is signed, where', () => {
  it.each(['with the tree', 'without it'])(
    'an event was rewritten with hashes that hold, %s',
    async (how) => {
      await grow(log, 30);
      await sealed();
      rewrite('access-1', 4);
      if (how === 'without it') rmSync(join(folder, LOG_TREE), { recursive: true });
      await alarmed('not-an-extension', how === 'with the tree' ? /event 4 of access-1/ : /root/);
    },
  );

  it('the bytes of an event were changed', async () => {
    await grow(log, 30);
    await sealed();
    tamper((database) =>
      database.exec(
        `UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), 'getRun', 'getRan') AS BLOB) WHERE stream = 'access-0' AND revision = 3`,
      ),
    );
    await alarmed('not-decided', /do not hash/);
  });

  it('an event that came since was changed', async () => {
    await grow(log, 30);
    await sealed();
    await grow(log, 30);
    tamper((database) =>
      database.exec(
        `UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), 'getRun', 'getRan') AS BLOB) WHERE stream = 'access-0' AND revision = 15`,
      ),
    );
    await alarmed('not-decided', /do not hash/);
  });

  it('the log was cut, with its tree and without', async () => {
    await grow(log, 30);
    await sealed();
    tamper((database) => database.exec(`DELETE FROM events WHERE revision >= 6`));
    // The notary's own events are number 0 and 1.
    await alarmed('shorter-log', /^18 events$/);
  });

  it('events that came since, and that the notary saw, are gone', async () => {
    await grow(log, 30);
    await sealed();
    await grow(log, 6);
    const failing = { ...options.signer, sign: () => Promise.reject(new Error('stopped')) };
    await expect(seal({ signer: failing })).rejects.toThrow('stopped');
    tamper((database) => database.exec(`DELETE FROM events WHERE revision >= 10`));
    await alarmed('shorter-log', /^30 events$/);
  });

  it('the log went on otherwise than the notary saw it go on', async () => {
    await grow(log, 30);
    await sealed();
    await grow(log, 6);
    const failing = { ...options.signer, sign: () => Promise.reject(new Error('stopped')) };
    await expect(seal({ signer: failing })).rejects.toThrow('stopped');
    rewrite('access-2', 11);
    await alarmed('not-an-extension', /event 11 of access-2/);
  });

  it('an event that came since is linked to another than the one before it', async () => {
    await grow(log, 30);
    await sealed();
    await grow(log, 3);
    tamper((database) => {
      const { canonical } = database
        .prepare(`SELECT canonical FROM events WHERE stream = 'access-0' AND revision = 10`)
        .get() as { canonical: Uint8Array };
      const { stream, revision, metadata, ...event } = parseBody(canonical);
      const { prev: _, ...rest } = metadata;
      const [forged] = chain('ab'.repeat(32), [
        unchained(stream, revision, { ...event, metadata: rest }),
      ]);
      database
        .prepare(
          `UPDATE events SET hash = ?, canonical = ? WHERE stream = 'access-0' AND revision = 10`,
        )
        .run(forged!.hash, forged!.canonical);
    });
    await alarmed('not-decided', /event 10 of access-0 linked to abab/);
  });

  it('the rules would not have made an event', async () => {
    options = { ...options, judge: noForgeries };
    await grow(log, 5);
    await sealed();
    await log.append('access-9', 'no-stream', [readOf('forged')]);
    await alarmed('not-decided', /event 0 of access-9: nobody asked that/);
  });

  /** An append that was not decided is alarmed at, and written down as accepted by somebody who did not settle it. */
  const acceptedPast = async (
    signer: NotarySigner,
    by: (alarmed: Actor) => Actor,
    problem: string,
  ): Promise<void> => {
    options = { ...options, judge: noForgeries };
    await grow(log, 5);
    await sealed();
    const append = await forge('access-9', 'forged');
    expect((await seal()).ok).toBe(false);
    const { revision, metadata } = (await notaryEventsOf(log)).at(-1)!;
    const actor = by(metadata.actor);
    const note = await signNote(
      ...([NOTARY_PORTS.sha256, 'ledger.example', [signer]] as const),
      acceptanceText('ledger.example', revision, append, actor),
    );
    const event: NewEvent = {
      ...{ id: deriveId('accepted'), type: 'NotaryAlarmSettled' },
      data: { alarm: revision, reason: SEALED, accepts: append, note },
      metadata: { ...metadata, actor, schemaVersion: 2 },
    };
    expect((await log.append(NOTARY, revision, [event])).ok).toBe(true);
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
    expect(await notaryStatus(log)).toMatchObject({
      ...{ accepted: [], alarm: { append } },
      problem: expect.stringContaining(problem) as string,
    });
  };

  it('an append was accepted by anybody but an operator', () =>
    acceptedPast(options.signer, (harness) => harness, 'found SettleAlarm from harness'));

  it('an append was accepted by somebody who can write the log and has no key', () =>
    acceptedPast(newSigner(), () => LOCAL_OPERATOR, 'found signatures of ledger.example'));

  it('a checkpoint was put into its own stream that it did not sign', async () => {
    await grow(log, 30);
    await sealed();
    const [, signed] = await notaryEventsOf(log);
    const forged = {
      ...(signed!.data as object),
      size: 3,
      root: Buffer.alloc(32, 1).toString('base64'),
      extendsLast: [],
    };
    const event: NewEvent = {
      ...{ id: deriveId('forged'), type: 'CheckpointSigned', data: forged },
      metadata: { ...signed!.metadata },
    };
    expect((await log.append(NOTARY, 1, [event])).ok).toBe(true);
    await alarmed('not-decided', /event 2 of notary: found CheckpointSigned/);
  });
});

it('judges the events of each append together, once, with those of its stream before', async () => {
  const judged: string[][] = [];
  const judge: Judge = async (events, earlier) => {
    const before: number[] = [];
    for await (const { revision } of earlier()) before.push(revision);
    judged.push([before.join(), ...events.map(({ stream, revision }) => `${stream}@${revision}`)]);
    return null;
  };
  options = { ...options, judge };
  await log.append('access-0', 'no-stream', [readOf('a', 'one'), readOf('b', 'one')]);
  await log.append('access-0', 1, [readOf('c', 'two')]);
  await log.append('access-1', 'no-stream', [readOf('d', 'two')]);
  await sealed();
  expect(judged).toEqual([
    ['', 'access-0@0', 'access-0@1'],
    ['0,1', 'access-0@2'],
    ['', 'access-1@0'],
  ]);
  await log.append('access-0', 2, [readOf('e', 'three'), readOf('f', 'three')]);
  await sealed();
  expect(judged.slice(3)).toEqual([['0,1,2', 'access-0@3', 'access-0@4']]);
});

it('goes on with what comes, and reads nothing twice', async () => {
  await grow(log, 10);
  const result = await asNotary(ledger(), options, async (notary) => {
    const first = await notary.seal();
    await grow(log, 10);
    const reads: number[] = [];
    const readStored = log.readStored.bind(log);
    log.readStored = (asked) => {
      if (asked !== undefined && 'after' in asked) reads.push(asked.after ?? 0);
      return readStored(asked);
    };
    const second = await notary.seal();
    // Of the ten leaves that were signed the last one is looked at again: the two events of the notary follow it.
    expect(reads).toEqual([9]);
    const extendsLast = (await notary.proveFrom(10)).map((hash) =>
      Buffer.from(hash).toString('base64'),
    );
    expect(second).toMatchObject({ ok: true, value: { checkpoint: { size: 20, extendsLast } } });
    rewrite('access-0', 3);
    await grow(log, 1);
    rewrite('access-0', 7);
    expect(await notary.seal()).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
    return first;
  });
  expect(result).toMatchObject({ ok: true, value: { checkpoint: { size: 10 } } });
});
