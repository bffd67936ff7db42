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
    if (facts.slice(0, newest).some(({ type }) => type === 'NotaryAlarmSettled')) return;
  }
});
afterAll(() => second.close());

const blocked = async (bytes: Uint8Array, row: string): Promise<void> => {
  const trust = { ...honest.trust, seen: null };
  expect(failed(await firstVerifier(bytes, trust))).toContain(row);
  expect(failed(await second.verify(bytes, trust))).toContain(row);
};

/** The notary's stream hashed anew, with another time in those of its events that are taken. */
const atAnotherTime = (isTaken: (revision: number) => boolean): Promise<Uint8Array> => {
  const parts = partsOf(honest.world);
  let prev: string | null = null;
  const changed = (event: PlacedEvent, revision: number): PlacedEvent => {
    const chained = new TextDecoder()
      .decode(event.canonical)
      .replace(/"prev":(?:null|"[0-9a-f]{64}")/, `"prev":${JSON.stringify(prev)}`);
    const text = isTaken(revision)
      ? chained.replace(/"time":"[^"]*"/, '"time":"2020-01-01T00:00:00.000Z"')
      : chained;
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
    await blocked(await atAnotherTime(() => true), 'checkpoints');
  });

  // The newest checkpoint's own envelope, and what the notary recorded after it: the verdict says so (`completeness`).
  it.fails(
    "can't change the time of the newest checkpoint, which the next one will sign",
    async () => {
      const newest = honest.world.facts.findLastIndex(({ type }) => type === 'CheckpointSigned');
      await blocked(await atAnotherTime((revision) => revision >= newest), 'checkpoints');
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
