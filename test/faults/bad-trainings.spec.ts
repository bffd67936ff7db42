import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Home } from '#apps/runner';
import type { RecordedEvent } from '#libs/kernel';
import { attemptsOf, type TrainingFailed, type TrainingTimedOut } from '#libs/run';
import { endState } from '../support/end-state.ts';
import { eventsOf } from '../support/events.ts';
import { follow, openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { behave, scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 120_000;
const SECONDS = 2;

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare({
    'holdfast.yaml': (yaml) =>
      yaml
        .replace('total: 80', 'total: 300')
        .replace('{ seconds: 10, memory_mb: 256', `{ seconds: ${SECONDS}, memory_mb: 128`),
  });
});
afterAll(() => prepared.remove());

const BAD = [
  { behaviour: 'crash', failure: 'crashed', detail: /RangeError/ },
  { behaviour: 'silent', failure: 'no-predictions', detail: /predictions/ },
  { behaviour: 'nan', failure: 'invalid-predictions', detail: /NaN/ },
  { behaviour: 'too-few', failure: 'invalid-predictions', detail: /cell/ },
  { behaviour: 'too-much', failure: 'too-much-output', detail: /wrote more than allowed/ },
  { behaviour: 'for-ever', failure: null, detail: null },
  { behaviour: 'flood', failure: 'too-much-output', detail: /printed more than allowed/ },
  { behaviour: 'hog', failure: 'memory-exceeded', detail: /memory/ },
] as const;

describe('a run with bad trainings', () => {
  let home: Home;
  let folder: string;
  let events: readonly RecordedEvent[];
  beforeAll(async () => {
    folder = await prepared.home();
    home = await openTestHome({ folder });
    const ideas = [useFeatures('shift', 'route'), ...BAD.map(({ behaviour }) => behave(behaviour))];
    expect(good(await follow(home, prepared.study, scriptedAgent(ideas))).node).toBe('sealed');
    events = await eventsOf(home, 'run-parcels-1');
  }, PATIENCE);
  afterAll(() => home.close());

  const attempt = (n: number): readonly RecordedEvent[] => {
    const starts = events.flatMap(({ type }, at) => (type === 'HypothesisProposed' ? [at] : []));
    return events.slice(starts[n], starts[n + 1]);
  };

  it.each(BAD.map((bad, index) => ({ ...bad, number: index + 1 })))(
    'records $behaviour for what it is, keeps its charges, observes nothing and goes on',
    ({ failure, detail, number }) => {
      const told = attempt(number);
      const result = told.find(
        ({ type }) => type.startsWith('Training') && type !== 'TrainingLaunched',
      );
      if (failure === null) {
        expect(result?.type).toBe('TrainingTimedOut');
        expect((result?.data as TrainingTimedOut['data']).seconds).toBe(SECONDS);
      } else {
        expect(result?.type).toBe('TrainingFailed');
        const said = result?.data as TrainingFailed['data'];
        expect({ failure: said.failure, detail: said.detail }).toEqual({
          failure,
          detail: expect.stringMatching(detail),
        });
      }
      const types = told.map(({ type }) => type);
      expect(types.filter((type) => type === 'BudgetCharged')).toHaveLength(2);
      expect(types).not.toContain('MetricObserved');
      expect(types).toContain('MutationReverted');
    },
  );

  it('tells the agent the class of a crash and its line in the program, not the message', async () => {
    const failed = attempt(1).find(({ type }) => type === 'TrainingFailed')
      ?.data as TrainingFailed['data'];
    expect(failed).toMatchObject({ errorClass: 'RangeError', errorFile: 'train.js' });
    expect(failed.errorLine).toBeGreaterThan(1);
    const { state } = await home.runs.load('parcels-1');
    expect(attemptsOf(state)[1]).toMatchObject({ outcome: 'crashed', score: null });
    expect(JSON.stringify(attemptsOf(state))).not.toContain('left the road');
  });

  it('leaves charts, incumbent and budget as the kept mutation and the charges left them', async () => {
    const { state } = await home.runs.load('parcels-1');
    expect(state.line.size).toBe(2);
    expect(state.sums).toEqual({
      gain: { upper: 0, lower: 0 },
      gap: { upper: 0, lower: 0 },
    });
    expect(state.budget.remaining).toBe(300 - 25 - 15 * BAD.length);
  });

  it('ends with a finding that holds, and nothing left over', async () => {
    const { events: said } = await endState(folder);
    expect(said.filter((event) => event.includes('"FindingVerified"'))).toHaveLength(1);
  });
});

it(
  'an unchanged program that does not train halts the run, and nothing resumes it',
  async () => {
    const broken = await prepare({
      'program/hyperparameters.json': (text) => text.replace('train', 'crash'),
    });
    try {
      const home = await openTestHome({ folder: await broken.home() });
      const state = await halting(home, broken.study);
      expect(state).toMatchObject({ node: 'sealed', line: { size: 0 } });
      expect(state.haltMessage).toMatch(/^SYSTEM HALT: THE UNCHANGED PROGRAM DOES NOT TRAIN: /);
      const before = await eventsOf(home, 'run-parcels-1');
      expect(before.some(({ type }) => type === 'BudgetCharged')).toBe(false);
      await halting(home, broken.study);
      expect(await eventsOf(home, 'run-parcels-1')).toEqual(before);
      await home.close();
    } finally {
      await broken.remove();
    }
  },
  PATIENCE,
);

const halting = async (home: Home, study: string) =>
  good(await follow(home, study, scriptedAgent([useFeatures('shift', 'route')])));
