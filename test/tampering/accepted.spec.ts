import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatVerifierKey, type NoteSigner } from '#libs/checkpoints';
import type { Append, NotaryAlarmSettled } from '#libs/notary';
import { inTurn, logSigner, notaryFacts } from '../../libs/bundle/src/testing/fixture.ts';
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

interface Tried {
  /** What is said otherwise in the alarm and in its settlement; the note is of what the settlement says. */
  readonly raised?: object;
  readonly settled?: Partial<Omit<NotaryAlarmSettled['data'], 'reason'>>;
  readonly signer?: NoteSigner;
  readonly by?: string;
}

/** Both verifiers' answers to a log over which an alarm was raised and settled so. */
const verdictsOn = async ({ raised = {}, settled = {}, signer, by = 'local' }: Tried = {}) => {
  const { world, signers } = honest;
  const { events } = world;
  const say = notaryFacts(events);
  const log = signers[0]!;
  const { accepts } = settled;
  const at = settled.alarm ?? 2;
  const said = say.accepted(signer ?? log, at, accepts ?? APPEND, { role: 'operator', id: by });
  const alarm = [{ append: APPEND, ...raised }, settled].map((otherwise, index) => ({
    ...said[index]!,
    data: { ...(said[index]!.data as object), ...otherwise },
  }));
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
  for (const said of await verdictsOn()) {
    expect(said.verdict).toBe('PASS');
    const { found } = said.rows.find(({ row }) => row === 'checkpoints')!;
    expect(found).toContain('accepted by a person against the rules');
    expect(found).toContain(
      `run-pay-1@3-5 (${APPEND.hash}) by operator local, 2026-11-26T00:00:00.000Z`,
    );
  }
  for (const said of await verdictsOn({ settled: { accepts: null, note: null } })) {
    expect(said.verdict).toBe('PASS');
    expect(JSON.stringify(said)).not.toContain('accepted by a person');
  }
});

const other = (change: object): Tried => ({ settled: { accepts: { ...APPEND, ...change } } });
/** In the alarm and in its settlement alike. */
const both = (append: object): Tried => ({
  raised: { append },
  settled: { accepts: append as Append },
});

it.each<[string, Tried]>([
  ['another stream', other({ stream: 'run-pay-2' })],
  ['more events', other({ to: 6 })],
  ['fewer events', other({ from: 4 })],
  ['other bytes', other({ hash: 'cd'.repeat(32) })],
  ['more than an append', both({ ...APPEND, more: 1 })],
  ['no append', both({})],
  ['events backwards', both({ ...APPEND, to: 2 })],
  ['a stream with a line feed in its name', both({ ...APPEND, stream: 'run\npay' })],
  ['what the alarm is not about', { raised: { append: null } }],
  ['what such an alarm is never about', { raised: { reason: 'shorter-log' } }],
  ['what another alarm is about', { settled: { alarm: 1 } }],
  ['what it does not say of which alarm', { settled: { alarm: null } }],
  ['without a note', { settled: { note: null } }],
  ['with a note that is none', { settled: { note: 'accepted' } }],
  ['nothing, with a note', { settled: { accepts: null } }],
  ['with the note of another key', { signer: logSigner() }],
  ['in the name of somebody else', { by: 'another' }],
])('blocks, in both, one who accepts %s', async (_, tried) => {
  for (const said of await verdictsOn(tried)) expect(failed(said)).toContain('checkpoints');
});
