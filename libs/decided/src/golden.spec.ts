import { describe, expect, it } from 'vitest';
import { decodeStored, eventTypes } from '#libs/event-log';
import type { RecordedEvent } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payloads';
import { goldenFiles, storedEvents } from '../../payloads/src/testing/golden.ts';
import { judgeAppend, startOf } from './judge.ts';

const types = eventTypes(EVENT_TYPES);

/** Runs that really ran; the envelopes of the others were made by a recorder, for many types at once. */
const DRIVEN = /-pay\.jsonl$/;

const streamsOf = (file: string): ReadonlyMap<string, readonly RecordedEvent[]> =>
  Map.groupBy(
    storedEvents(file).map((event) => decodeStored(event, types)),
    ({ stream }) => stream,
  );

describe('golden logs', () => {
  it.each(goldenFiles())('%s holds what was decided', (file) => {
    // The notary's own stream is no part of what it signs: it decides that anew itself.
    const streams = [...streamsOf(file)].filter(([stream]) => stream !== 'notary');
    const problems = streams.map(([stream, events]) => {
      const { state, problem } = judgeAppend(
        startOf(stream),
        events,
        DRIVEN.test(file) ? 'envelope' : 'data',
      );
      return problem ?? (state.head?.revision === events.length - 1 ? null : 'not to its end');
    });
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
  });
});
