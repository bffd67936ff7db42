import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOTARY } from '#libs/bundle';
import { formatVerifierKey } from '#libs/checkpoints';
import { assembled, partsOf, renotarised, type PlacedEvent } from './assemble.ts';
import { honestOf, type Honest } from './honest.ts';
import { failed, firstVerifier, secondVerifier, type SecondVerifier } from './verifiers.ts';

/*
 * What can be done to a bundle and is not seen. Each test says what ought to be and fails, which is expected as long as
 * it stands here: one that no longer fails belongs among the cases.
 */

let honest: Honest;
let second: SecondVerifier;
beforeAll(async () => {
  second = secondVerifier();
  for (let seed = 1; ; seed += 1) {
    honest = await honestOf('finding', seed);
    if (honest.world.facts.some(({ type }) => type === 'NotaryAlarmSettled')) return;
  }
});
afterAll(() => second.close());

const blocked = async (bytes: Uint8Array): Promise<void> => {
  const trust = { ...honest.trust, seen: null };
  expect((await firstVerifier(bytes, trust)).verdict).toBe('BLOCK');
  expect((await second.verify(bytes, trust)).verdict).toBe('BLOCK');
};

describe('whoever hands a bundle on, without any key', () => {
  // The places of all of a finding's events are proven, so that a stream can be cut back to any of them: a finding that
  // was discarded later looks as if it stood. No Merkle proof shows that nothing comes after: only the log's word does.
  it.fails('can cut off what became of the finding after it was proposed', async () => {
    const parts = partsOf(honest.world);
    const streams = parts.streams.map(({ stream, events }) =>
      stream.startsWith('finding-') ? { stream, events: events.slice(0, 1) } : { stream, events },
    );
    await blocked(await assembled({ ...parts, streams }));
  });

  // Nothing signs the notary's events but the notes in them.
  it.fails('can leave out an alarm that was raised and settled', async () => {
    const facts = honest.world.facts.filter(({ type }) => !type.startsWith('NotaryAlarm'));
    await blocked(await assembled(partsOf({ ...honest.world, facts })));
  });

  it.fails('can change the time at which the operator says that he signed', async () => {
    const parts = partsOf(honest.world);
    let prev: string | null = null;
    const changed = (event: PlacedEvent): PlacedEvent => {
      const text = new TextDecoder()
        .decode(event.canonical)
        .replace(/"prev":(?:null|"[0-9a-f]{64}")/, `"prev":${JSON.stringify(prev)}`)
        .replace(/"time":"[^"]*"/, '"time":"2020-01-01T00:00:00.000Z"');
      const canonical = new TextEncoder().encode(text);
      prev = hash('sha256', canonical, 'hex');
      return { ...event, canonical };
    };
    const streams = parts.streams.map(({ stream, events }) =>
      stream === NOTARY ? { stream, events: events.map(changed) } : { stream, events },
    );
    await blocked(await assembled({ ...parts, streams }));
  });
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

  // The page says that a body is canonical. Two readers of JSON may see two things in one that is not (a member twice).
  it.fails('is blocked by the first verifier', async () => {
    expect(failed(await firstVerifier(await outOfForm(), trustOf(honest)))).toEqual([
      'bundle-form',
    ]);
  });
});
