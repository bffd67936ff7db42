import { expect, it } from 'vitest';
import { decodeStored } from '#libs/event-log';
import { storedEvents } from '../../payloads/src/testing/golden.ts';
import { judgeAppend, startOf } from './judge.ts';
import { types } from './testing/enveloped.ts';

/** Slower than this it would hold up the notary; what it comes to is printed. */
const LEAST_PER_SECOND = 1_000;
const ROUNDS = 20;

it('decides a run that really ran anew in less time than it takes to look away', () => {
  const events = storedEvents('v2-pay.jsonl')
    .map((event) => decodeStored(event, types))
    .filter(({ stream }) => stream.startsWith('run-'));
  const stream = events[0]?.stream ?? '';
  expect(judgeAppend(startOf(stream), events).problem).toBeNull();
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) judgeAppend(startOf(stream), events);
  const perSecond = (ROUNDS * events.length * 1000) / (performance.now() - began);
  console.log(`${Math.round(perSecond).toLocaleString('en-US')} events a second`);
  expect(perSecond).toBeGreaterThan(LEAST_PER_SECOND);
});
