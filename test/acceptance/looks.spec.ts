import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driveRun, openRun, type Home } from '#apps/runner';
import type { FindingProposed } from '#libs/findings';
import { readStudy, type DataEvent } from '#libs/studies';
import { verdictOn } from '../../apps/runner/src/proving/verify.ts';
import { eventsOf } from '../support/events.ts';
import { makeStudy } from '../support/fixture-study.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, SHORT_RUN, useFeatures, type Idea } from '../support/scripted-agent.ts';
import { undecided } from '../support/undecided.ts';

const PATIENCE = 120_000;

let prepared: Prepared;
let home: Home;
inPreparedHome((made) => ({ prepared, home } = made));
let dataDigest = '';

/** Opens the study's next run and follows it to its end; what it spent. */
const follow = async (folder: string, ideas: readonly Idea[]): Promise<number> => {
  const { runId, study } = good(
    await openRun(home, { study: good(await readStudy(folder)), seed: 1 }),
  );
  ({ dataDigest } = study);
  const { budget, node } = good(
    await driveRun(home, { runId, study, agent: scriptedAgent(ideas) }),
  );
  expect(node).toBe('sealed');
  return budget.total - budget.remaining;
};

const proposedOf = async (findingId: string): Promise<FindingProposed['data']> => {
  const { proposed } = (await home.findings.load(findingId)).state;
  if (proposed === null) throw new Error(`${findingId} was not proposed`);
  const { verdict, rows } = await verdictOn(home, findingId);
  expect(rows.filter(({ passed }) => !passed)).toEqual([]);
  expect(verdict).toBe('PASS');
  return proposed;
};

const width = ({ claim }: FindingProposed['data']): number =>
  (claim.interval.upper - claim.interval.lower) / (2 * claim.standardError);

/** A step that dev rows tell from nothing. */
const KEEPS = SHORT_RUN.slice(1, 2);
/** A step that they don't. */
const KEEPS_NOTHING = [useFeatures('shift', 'paper')];

it(
  'a study pays for each look at its sealed rows, and says how many there were',
  async () => {
    const first = await follow(prepared.study, KEEPS);
    const one = await proposedOf('parcels-1-f1');
    expect(one.claim.look).toMatchObject({ ofStudy: 1, ofData: 1, runs: 1, spent: first });
    expect(width(one)).toBeCloseTo(2.2414, 3);

    // A run that keeps nothing has nothing to claim and opens nothing.
    const second = await follow(prepared.study, KEEPS_NOTHING);
    expect((await home.findings.load('parcels-2-f1')).state.proposed).toBeNull();
    expect((await home.studies.load('parcels')).state.looks).toBe(1);

    const third = await follow(prepared.study, KEEPS);
    const two = await proposedOf('parcels-3-f1');
    const spent = first + second + third;
    expect(two.claim.look).toMatchObject({ ofStudy: 2, ofData: 2, runs: 3, spent, share: 1 / 6 });
    expect(width(two)).toBeCloseTo(2.6383, 3);
    expect(two.statement).toContain(
      `Look 2 of this study at its sealed rows, after 3 runs and ${spent} units; the intervals of all looks hold together.`,
    );
  },
  PATIENCE,
);

it(
  'another study of the same data has the same sealed rows, and its looks count on',
  async () => {
    const folder = await makeStudy(join(prepared.root, 'parcels-too'), {
      'holdfast.yaml': (text) => text.replace('id: parcels', 'id: parcels-too'),
    });
    await follow(folder, KEEPS);
    const three = await proposedOf('parcels-too-1-f1');
    expect(three.claim.look).toMatchObject({ ofStudy: 1, ofData: 3, runs: 1, share: 1 / 12 });
    expect(three.statement).toContain('look 3 at these data over all studies');
    const splitOf = async (id: string) =>
      (await home.studies.load(id)).state.splits.get(dataDigest);
    expect(await splitOf('parcels-too')).toBe(await splitOf('parcels'));
    const events = await eventsOf<DataEvent>(home, `data-${dataDigest}`);
    expect(events.map(({ type }) => type)).toEqual([
      'SplitFixed',
      'TableFixed',
      'LookCounted',
      // Of the run that looked at nothing, too.
      'TableFixed',
      'TableFixed',
      'LookCounted',
      'TableFixed',
      'LookCounted',
    ]);
  },
  PATIENCE,
);

it('a study that would seal other rows of the same data is not opened', async () => {
  const folder = await makeStudy(join(prepared.root, 'parcels-resplit'), {
    'holdfast.yaml': (text) =>
      text
        .replace('id: parcels', 'id: parcels-resplit')
        .replace(
          'train: 50, dev: 20, check: 15, sealed: 15',
          'train: 20, dev: 20, check: 15, sealed: 45',
        ),
  });
  const opened = await openRun(home, { study: good(await readStudy(folder)), seed: 1 });
  expect(opened).toMatchObject({ ok: false, error: { code: 'split-otherwise' } });
  expect((await home.studies.load('parcels-resplit')).state.runs.size).toBe(0);
});

it('left nothing in the log that the rules would not have made', async () => {
  expect(await undecided(home)).toEqual([]);
});
