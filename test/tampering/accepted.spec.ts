import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatVerifierKey } from '#libs/checkpoints';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { inTurn, notaryFacts, type NotaryFact } from '../../libs/bundle/src/testing/fixture.ts';
import { assembled, partsOf } from './assemble.ts';
import { honestOf, type Honest } from './honest.ts';
import { failed, firstVerifier, secondVerifier, type SecondVerifier } from './verifiers.ts';

/* A person vouches for an append against the rules: both verifiers tell it, and both let nothing else pass by it. */

let honest: Honest;
let second: SecondVerifier;
beforeAll(async () => {
  second = secondVerifier();
  honest = await honestOf('finding', 1);
});
afterAll(() => second.close());

const APPEND = { stream: 'run-pay-1', from: 3, to: 5, hash: 'ab'.repeat(32) };

/** Both verifiers' answers to a log over which an alarm was raised and settled so. */
const verdictsOn = async (raised: object, settled: object) => {
  const { world, signers } = honest;
  const { events } = world;
  const say = notaryFacts(events);
  const log = signers[0]!;
  const alarm: readonly NotaryFact[] = [
    {
      type: 'NotaryAlarmRaised',
      data: {
        ...{ reason: 'not-decided', size: 20, found: 'one thing', expected: 'another' },
        ...{ append: APPEND, ...raised },
      },
    },
    { type: 'NotaryAlarmSettled', data: { alarm: 2, reason: SEALED, accepts: APPEND, ...settled } },
  ];
  const facts = inTurn(
    say.opened(log),
    (after) => say.signed(log, 20, null, after),
    ...alarm,
    (after) => say.signed(log, events.length, 20, after),
  );
  const bytes = await assembled(partsOf({ ...world, facts }));
  const trust = { logKey: formatVerifierKey(log.key), witnesses: [], seen: null };
  return [await firstVerifier(bytes, trust), await second.verify(bytes, trust)];
};

it('is told by both', async () => {
  for (const said of await verdictsOn({}, {})) {
    expect(said.verdict).toBe('PASS');
    const { found } = said.rows.find(({ row }) => row === 'checkpoints')!;
    expect(found).toContain('accepted by a person against the rules');
    expect(found).toContain(
      `run-pay-1@3-5 (${APPEND.hash}) by operator local, 2026-11-26T00:00:00.000Z`,
    );
  }
  for (const said of await verdictsOn({}, { accepts: null })) {
    expect(said.verdict).toBe('PASS');
    expect(JSON.stringify(said)).not.toContain('accepted by a person');
  }
});

it.each<[string, object, object]>([
  ['another stream', {}, { accepts: { ...APPEND, stream: 'run-pay-2' } }],
  ['more events', {}, { accepts: { ...APPEND, to: 6 } }],
  ['fewer events', {}, { accepts: { ...APPEND, from: 4 } }],
  ['other bytes', {}, { accepts: { ...APPEND, hash: 'cd'.repeat(32) } }],
  ['more than an append', { append: { ...APPEND, more: 1 } }, { accepts: { ...APPEND, more: 1 } }],
  ['no append', { append: {} }, { accepts: {} }],
  ['events backwards', { append: { ...APPEND, to: 2 } }, { accepts: { ...APPEND, to: 2 } }],
  ['what the alarm is not about', { append: null }, {}],
  ['what such an alarm is never about', { reason: 'shorter-log' }, {}],
  ['what another alarm is about', {}, { alarm: 1 }],
])('blocks, in both, one who accepts %s', async (_, raised, settled) => {
  for (const said of await verdictsOn(raised, settled))
    expect(failed(said)).toContain('checkpoints');
});
