import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOTARY } from '#libs/bundle';
import { formatVerifierKey } from '#libs/checkpoints';
import { assembled, partsOf, renotarised, type PlacedEvent } from './assemble.ts';
import { honestOf, type Honest } from './honest.ts';
import { failed, firstVerifier, secondVerifier, type SecondVerifier } from './verifiers.ts';

/*
 * What was once not seen when it was done to a bundle, and what still is not. An `it.fails` says what ought to be and
 * fails, which is expected as long as it stands here: one that no longer fails belongs among the others.
 */

let honest: Honest;
let second: SecondVerifier;
beforeAll(async () => {
  second = secondVerifier();
  for (let seed = 1; ; seed += 1) {
    honest = await honestOf('finding', seed);
    const { facts } = honest.world;
    const newest = facts.findLastIndex(({ type }) => type === 'CheckpointSigned');
    // An alarm before the newest checkpoint, which commits to it.
    const isAlarmed = facts.slice(0, newest).some(({ type }) => type === 'NotaryAlarmSettled');
    // And somebody who saw that one.
    if (isAlarmed && facts.slice(newest).some(({ type }) => type === 'CheckpointAnchored')) return;
  }
});
afterAll(() => second.close());

const blocked = async (bytes: Uint8Array, row: string): Promise<void> => {
  const trust = { ...honest.trust, seen: null };
  expect(failed(await firstVerifier(bytes, trust))).toContain(row);
  expect(failed(await second.verify(bytes, trust))).toContain(row);
};

const anotherTime = (text: string): string =>
  text.replace(/"time":"[^"]*"/, '"time":"2020-01-01T00:00:00.000Z"');

/** The notary's stream hashed anew, with something changed in those of its events that are taken. */
const saidOtherwise = (
  isTaken: (revision: number) => boolean,
  change: (text: string) => string = anotherTime,
): Promise<Uint8Array> => {
  const parts = partsOf(honest.world);
  let prev: string | null = null;
  const changed = (event: PlacedEvent, revision: number): PlacedEvent => {
    const chained = new TextDecoder()
      .decode(event.canonical)
      .replace(/"prev":(?:null|"[0-9a-f]{64}")/, `"prev":${JSON.stringify(prev)}`);
    const text = isTaken(revision) ? change(chained) : chained;
    const canonical = new TextEncoder().encode(text);
    prev = hash('sha256', canonical, 'hex');
    return { ...event, canonical };
  };
  const streams = parts.streams.map(({ stream, events }) =>
    stream === NOTARY ? { stream, events: events.map(changed) } : { stream, events },
  );
  return assembled({ ...parts, streams });
};

describe('whoever hands a bundle on, without any key', () => {
  // The places of all of a finding's events are proven; the newest checkpoint commits to where its stream ends.
  it("can't cut off what became of the finding after it was proposed", async () => {
    const parts = partsOf(honest.world);
    const streams = parts.streams.map(({ stream, events }) =>
      stream.startsWith('finding-') ? { stream, events: events.slice(0, 1) } : { stream, events },
    );
    await blocked(await assembled({ ...parts, streams }), 'heads');
  });

  it("can't leave out an alarm that was raised and settled before the newest checkpoint", async () => {
    const facts = honest.world.facts.filter(({ type }) => !type.startsWith('NotaryAlarm'));
    await blocked(await assembled(partsOf({ ...honest.world, facts })), 'checkpoints');
  });

  it("can't change a time at which the operator says that he signed, before the newest checkpoint", async () => {
    await blocked(await saidOtherwise(() => true), 'checkpoints');
  });

  // What closed a run tells no place: the head that is signed last comes after it.
  it("can't leave out a finding of a run that was closed with it", async () => {
    const run = await honestOf('run', 1);
    const { streams, ...rest } = partsOf(run.world);
    const without = streams.filter(({ stream }) => !stream.startsWith('finding-'));
    expect(without).toHaveLength(streams.length - 1);
    const bytes = await assembled({ ...rest, streams: without, objects: [] });
    const trust = { ...run.trust, seen: null };
    expect(failed(await firstVerifier(bytes, trust))).toEqual(['subject']);
    expect(failed(await second.verify(bytes, trust))).toEqual(['subject']);
  });

  // To Python true is 1, in a number's place and as a member's key.
  it("can't write true for 1", async () => {
    const { facts } = honest.world;
    const newest = facts.findLastIndex(({ type }) => type === 'CheckpointSigned');
    expect(facts.slice(newest).map(({ type }) => type)).toContain('CheckpointAnchored');
    const asTrue = (text: string): string =>
      text.replace('"schemaVersion":1,', '"schemaVersion":true,');
    await blocked(await saidOtherwise((revision) => revision > newest, asTrue), 'checkpoints');
    const text = new TextDecoder().decode(honest.bytes);
    const bytes = new TextEncoder().encode(text.replace('"version":1}', '"version":true}'));
    const trust = { ...honest.trust, seen: null };
    expect((await firstVerifier(bytes, trust)).verdict).toBe('REFUSED');
    expect((await second.verify(bytes, trust)).verdict).toBe('REFUSED');
  });

  // The newest checkpoint's own envelope, and what the notary recorded after it: the verdict says so (`completeness`).
  it.fails(
    "can't change the time of the newest checkpoint, which the next one will sign",
    async () => {
      const newest = honest.world.facts.findLastIndex(({ type }) => type === 'CheckpointSigned');
      await blocked(await saidOtherwise((revision) => revision >= newest), 'checkpoints');
    },
  );
});

/** A log whose last look was stored with white space in it, signed all the same. */
const outOfForm = async (): Promise<Uint8Array> => {
  const { world, signers } = honest;
  const at = world.events.findLastIndex(({ type }) => type === 'LookCounted');
  const event = world.events[at]!;
  const text = new TextDecoder().decode(event.canonical).replace('"metadata":', '"metadata": ');
  const canonical = new TextEncoder().encode(text);
  const events = world.events.with(at, {
    ...event,
    canonical,
    hash: hash('sha256', canonical, 'hex'),
  });
  return assembled(partsOf({ ...world, events, facts: renotarised(world.facts, events, signers) }));
};

describe('an operator whose log holds an event that is not in RFC 8785 form', () => {
  const trustOf = ({ signers }: Honest) => ({
    logKey: formatVerifierKey(signers[0]!.key),
    witnesses: [],
    seen: null,
  });

  it('is blocked by the second verifier', async () => {
    expect(failed(await second.verify(await outOfForm(), trustOf(honest)))).toEqual([
      'bundle-form',
    ]);
  });

  // Two readers of JSON may see two things in one that is not (a member twice).
  it('is blocked by the first verifier', async () => {
    expect(failed(await firstVerifier(await outOfForm(), trustOf(honest)))).toEqual([
      'bundle-form',
    ]);
  });
});
