import { expect, it } from 'vitest';
import { decodeStored, eventTypes } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { storedEvents } from '../../../../libs/payloads/src/testing/golden.ts';
import { judgeOf } from './judge-of.ts';

const types = eventTypes(EVENT_TYPES);

/** A run that really ran, and its events from where its last training had ended. */
const EVENTS: readonly RecordedEvent[] = storedEvents('v2-pay.jsonl')
  .map((event) => decodeStored(event, types))
  .filter(({ stream }) => stream.startsWith('run-'));
const AT = EVENTS.findLastIndex(({ type }) => type === 'TrainingCompleted');

async function* before(revision: number): AsyncGenerator<RecordedEvent> {
  yield* EVENTS.slice(0, revision);
}
const one = (change: Partial<RecordedEvent> = {}): readonly RecordedEvent[] =>
  EVENTS.slice(AT, AT + 1).map((event) => ({ ...event, ...change }));

it('reads a stream that it does not remember from its beginning, and one that it does no more', async () => {
  const judge = judgeOf();
  let readings = 0;
  const earlier = (revision: number) => () => {
    readings += 1;
    return before(revision);
  };
  expect(await judge(one(), earlier(AT))).toBeNull();
  expect(await judge(EVENTS.slice(AT + 1, AT + 2), earlier(AT + 1))).toBeNull();
  expect(readings).toBe(1);
});

it('says no to what the door of the log would not have let in, though no rule decides on it', async () => {
  const data = { ...(EVENTS[AT]?.data as object), patient: 'a name' };
  expect(await judgeOf()(one({ data }), () => before(AT))).toContain('patient');
});

it('says no to what the rules would not have made, and judges the same place again afterwards', async () => {
  const judge = judgeOf();
  const data = { ...(EVENTS[AT]?.data as object), trainingId: EVENTS[0]?.id };
  expect(await judge(one({ data }), () => before(AT))).toContain('RecordTraining');
  expect(await judge(one(), () => before(AT))).toBeNull();
});

it('remembers nothing of a log that was restored since and went on otherwise', async () => {
  const judge = judgeOf();
  expect(await judge(one(), () => before(AT))).toBeNull();
  const hash = 'ab'.repeat(32);
  const next = EVENTS.slice(AT + 1, AT + 2).map((event) => ({ ...event, prev: hash }));
  const earlier = async function* () {
    yield* before(AT);
    yield* one({ hash });
  };
  expect(await judge(next, earlier)).toBeNull();
});

it('says no where what was before it does not lead to it', async () => {
  expect(await judgeOf()(one(), () => before(AT - 1))).toContain('expected one of RecordTraining');
});

it('decides on what was refused as it stands, where a person vouched for it', async () => {
  const judge = judgeOf();
  const from = EVENTS.findLastIndex(({ type }) => type === 'MetricObserved');
  const causeOf = (at: number) => EVENTS[at]?.metadata.causationId;
  const after = (at: number) => EVENTS.findIndex((_, is) => is > at && causeOf(is) !== causeOf(at));
  const [to, end] = [after(from), after(after(from))];
  // As an older program would write it, after a newer one has.
  const log = EVENTS.map((event, at) =>
    at === from ? { ...event, metadata: { ...event.metadata, schemaVersion: 1 } } : event,
  );
  const earlier = (revision: number) =>
    async function* () {
      yield* log.slice(0, revision);
    };
  expect(await judge(log.slice(from, to), earlier(from))).toContain('schemaVersion 1, expected');
  expect(await judge(log.slice(to, end), earlier(to))).toBeNull();
});
