import { describe, expect, it } from 'vitest';
import { fold } from '#libs/kernel';
import { growsOnlyPersistently, keepsOlderStates } from '../../kernel/src/testing/growth.ts';
import { studyDecider, type StudyCommand } from './decider.ts';
import type { StudyEvent } from './events.ts';

const given = (...events: StudyEvent[]) => ({
  when: (type: StudyCommand['type'], data: unknown) => {
    const command = { type, id: 'c', data } as StudyCommand;
    const decision = studyDecider.decide(fold(studyDecider, events), command);
    return {
      then: (...expected: StudyEvent[]) => {
        expect(decision).toEqual({ ok: true, value: expected });
      },
      thenRefused: (code: string, ...words: string[]) => {
        expect(decision).toMatchObject({ ok: false, error: { code } });
        for (const word of words) expect(!decision.ok && decision.error.message).toContain(word);
      },
    };
  },
});

const registered: StudyEvent = { type: 'StudyRegistered', data: { studyId: 'pay', title: 'Pay' } };
const committed: StudyEvent = {
  type: 'SplitCommitted',
  data: { dataDigest: 'd1', commitment: 'k1' },
};
const counted = (runId: string, number: number, seed = 1): StudyEvent => ({
  type: 'RunCounted',
  data: { runId, number, seed },
});
const opened = (runId: string, look: number): StudyEvent => ({
  type: 'SealedRowsOpened',
  data: { runId, look },
});
const spent = (runId: string, units: number, totalSpent: number): StudyEvent => ({
  type: 'SpendCounted',
  data: { runId, spent: units, totalSpent },
});

describe('RegisterStudy', () => {
  it('registers a study once', () => {
    given().when('RegisterStudy', { studyId: 'pay', title: 'Pay' }).then(registered);
    given(registered).when('RegisterStudy', { studyId: 'pay', title: 'Pay' }).then();
  });

  it('refuses another study on the same stream', () => {
    given(registered)
      .when('RegisterStudy', { studyId: 'lending', title: 'Lending' })
      .thenRefused('other-study', 'pay', 'lending');
  });

  it('comes before everything else', () => {
    given().when('CountRun', { runId: 'r1', seed: 1 }).thenRefused('not-registered');
    given()
      .when('CommitSplit', { dataDigest: 'd1', commitment: 'k1' })
      .thenRefused('not-registered');
    given().when('OpenSealedRows', { runId: 'r1' }).thenRefused('not-registered');
  });
});

describe('CommitSplit', () => {
  it('commits one key for each data digest', () => {
    given(registered).when('CommitSplit', { dataDigest: 'd1', commitment: 'k1' }).then(committed);
    given(registered, committed)
      .when('CommitSplit', { dataDigest: 'd2', commitment: 'k2' })
      .then({ type: 'SplitCommitted', data: { dataDigest: 'd2', commitment: 'k2' } });
  });

  it('says the same thing once', () => {
    given(registered, committed).when('CommitSplit', committed.data).then();
  });

  it('refuses a second key for the same data, which would let splits be ground', () => {
    given(registered, committed)
      .when('CommitSplit', { dataDigest: 'd1', commitment: 'k2' })
      .thenRefused('split-committed', 'k1', 'k2');
  });
});

describe('CountRun', () => {
  it('numbers the runs from 1', () => {
    given(registered).when('CountRun', { runId: 'r1', seed: 1 }).then(counted('r1', 1));
    given(registered, counted('r1', 1))
      .when('CountRun', { runId: 'r2', seed: 1 })
      .then(counted('r2', 2));
  });

  it('counts a run once', () => {
    given(registered, counted('r1', 1)).when('CountRun', { runId: 'r1', seed: 1 }).then();
  });

  it('refuses another seed for a run that was counted', () => {
    given(registered, counted('r1', 1))
      .when('CountRun', { runId: 'r1', seed: 2 })
      .thenRefused('other-seed', 'seed 1');
  });
});

describe('OpenSealedRows', () => {
  const two = [registered, counted('r1', 1), counted('r2', 2)];

  it('counts every look, over all runs', () => {
    given(...two)
      .when('OpenSealedRows', { runId: 'r2' })
      .then(opened('r2', 1));
    given(...two, opened('r2', 1))
      .when('OpenSealedRows', { runId: 'r1' })
      .then(opened('r1', 2));
  });

  it('is one look for a run, however often it asks', () => {
    given(...two, opened('r1', 1), opened('r2', 2))
      .when('OpenSealedRows', { runId: 'r1' })
      .then();
  });

  it('remembers how far the study had come, and forgets nothing of it later', () => {
    const events = [
      ...[...two, spent('r1', 95, 95), opened('r1', 1)],
      ...[counted('r3', 3), spent('r2', 40, 135), opened('r2', 2)],
    ];
    expect([...fold(studyDecider, events).lookedAt.values()]).toEqual([
      { runId: 'r1', look: 1, runs: 2, spent: 95 },
      { runId: 'r2', look: 2, runs: 3, spent: 135 },
    ]);
  });

  it('refuses a run that was not counted', () => {
    given(...two)
      .when('OpenSealedRows', { runId: 'r3' })
      .thenRefused('unknown-run', 'r3');
  });
});

describe('CountSpend', () => {
  const two = [registered, counted('r1', 1), counted('r2', 2)];

  it('adds up what the runs spent', () => {
    given(...two)
      .when('CountSpend', { runId: 'r1', spent: 95 })
      .then(spent('r1', 95, 95));
    given(...two, spent('r1', 95, 95))
      .when('CountSpend', { runId: 'r2', spent: 40 })
      .then(spent('r2', 40, 135));
  });

  it('counts a run once, one that spent nothing too', () => {
    given(...two, spent('r1', 0, 0))
      .when('CountSpend', { runId: 'r1', spent: 0 })
      .then();
  });

  it('refuses another number for the same run', () => {
    given(...two, spent('r1', 95, 95))
      .when('CountSpend', { runId: 'r1', spent: 90 })
      .thenRefused('spend-counted', '95', '90');
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s units', (units) => {
    given(...two)
      .when('CountSpend', { runId: 'r1', spent: units })
      .thenRefused('invalid-spend');
  });

  it('refuses a run that was not counted', () => {
    given(...two)
      .when('CountSpend', { runId: 'r3', spent: 1 })
      .thenRefused('unknown-run');
  });
});

describe('PlaceStudy', () => {
  const placed: StudyEvent = {
    type: 'StudyPlaced',
    data: { project: 'wages', folder: 'pay', priority: 3 },
  };

  it('places a study, says it once, and moves it', () => {
    given(registered).when('PlaceStudy', placed.data).then(placed);
    given(registered, placed).when('PlaceStudy', placed.data).then();
    const moved: StudyEvent = { type: 'StudyPlaced', data: { ...placed.data, folder: 'pay-2' } };
    given(registered, placed).when('PlaceStudy', moved.data).then(moved);
  });

  it('leaves a study that nobody placed in the default project', () => {
    expect(fold(studyDecider, [registered])).toMatchObject({ project: 'default', folder: null });
    expect(fold(studyDecider, [registered, placed])).toMatchObject(placed.data);
  });
});

describe('a run that somebody asked for', () => {
  const requested = (
    runId: string,
    number: number,
    seed: number,
    agent: string | null = null,
  ): StudyEvent => ({ type: 'RunRequested', data: { runId, number, seed, agent } });
  const refused: StudyEvent = {
    type: 'RunRefused',
    data: { runId: 'r1', code: 'data-changed', reason: 'other data' },
  };

  it('has its number from then on, and by default its number for a seed', () => {
    given(registered)
      .when('RequestRun', { runId: 'r1', seed: null, agent: null })
      .then(requested('r1', 1, 1));
    given(registered, counted('r1', 1), requested('r2', 2, 7, 'a1'))
      .when('RequestRun', { runId: 'r3', seed: null, agent: 'a1' })
      .then(requested('r3', 3, 3, 'a1'));
  });

  it('is asked for once', () => {
    const [before, ask] = [requested('r1', 1, 1), { runId: 'r1', seed: 1, agent: null }];
    given(registered, before).when('RequestRun', ask).then();
    given(registered, before)
      .when('RequestRun', { ...ask, seed: null })
      .then();
    given(registered, before)
      .when('RequestRun', { ...ask, agent: 'a1' })
      .thenRefused('other-request');
    given(registered, before)
      .when('RequestRun', { ...ask, seed: 2 })
      .thenRefused('other-request');
    given(registered, counted('r1', 1)).when('RequestRun', ask).thenRefused('other-request');
  });

  it('is counted with its own number, whichever was counted before', () => {
    given(registered, requested('r1', 1, 1), requested('r2', 2, 5), counted('r2', 2, 5))
      .when('CountRun', { runId: 'r1', seed: 1 })
      .then(counted('r1', 1));
    given(registered, requested('r1', 1, 1))
      .when('CountRun', { runId: 'r2', seed: 9 })
      .then(counted('r2', 2, 9));
    given(registered, requested('r1', 1, 1))
      .when('CountRun', { runId: 'r1', seed: 2 })
      .thenRefused('other-seed');
  });

  it('is refused once, with the first reason', () => {
    given(registered, requested('r1', 1, 1))
      .when('RefuseRun', refused.data)
      .then(refused);
    given(registered, requested('r1', 1, 1), refused)
      .when('RefuseRun', { ...refused.data, reason: 'another reason' })
      .then();
    given(registered, counted('r1', 1)).when('RefuseRun', refused.data).thenRefused('unknown-run');
    const state = fold(studyDecider, [registered, requested('r1', 1, 1), refused]);
    expect(state.requests.get('r1')?.refused).toBe('other data');
  });
});

describe('a study of many runs', () => {
  const runs = (count: number): readonly StudyEvent[] => [
    registered,
    ...Array.from({ length: count }, (_, at) => at + 1).flatMap((number): StudyEvent[] => [
      { type: 'SplitCommitted', data: { dataDigest: `d${number}`, commitment: 'k' } },
      {
        type: 'RunRequested',
        data: { runId: `r${number}`, number, seed: number, agent: null },
      },
      { type: 'RunRefused', data: { runId: `r${number}`, code: 'late', reason: 'too late' } },
      counted(`r${number}`, number, number),
      opened(`r${number}`, number),
      spent(`r${number}`, 5, 5 * number),
    ]),
  ];
  const same = (found: unknown, expected: unknown): void => {
    expect(found).toEqual(expected);
  };

  it('keeps them in the order in which they came', () => {
    const { requests, runs: all, lookedAt } = fold(studyDecider, runs(40));
    const ids = Array.from({ length: 40 }, (_, at) => `r${at + 1}`);
    for (const by of [requests, all, lookedAt]) expect([...by.keys()]).toEqual(ids);
  });

  it('leaves older states as they were', () => {
    keepsOlderStates(studyDecider, runs(40), same);
  });

  it('copies nothing that grows with it', () => {
    growsOnlyPersistently(studyDecider, runs(2), runs(20), same);
  });
});
