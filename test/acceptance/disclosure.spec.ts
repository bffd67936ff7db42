import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driveRun, openRun, openStudy, pinnedBy, verdictOn, type Home } from '#apps/runner';
import type { DataPolicy, HarnessPolicy } from '#libs/harness';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent, RunOpened } from '#libs/run';
import { readStudy } from '#libs/studies';
import { eventsOf } from '../support/events.ts';
import { openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 60_000;

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
}, PATIENCE);
afterAll(() => prepared.remove());

const studyWith = async (
  data: Partial<DataPolicy>,
  preLoop: Partial<HarnessPolicy['gates']['preLoop']> = {},
) => {
  const onDisk = good(await readStudy(prepared.study));
  const { policy } = onDisk;
  const gates = { ...policy.gates, preLoop: { ...policy.gates.preLoop, ...preLoop } };
  return { ...onDisk, policy: { ...policy, data: { ...policy.data, ...data }, gates } };
};

const runEvents = (home: Home, runId: string) => eventsOf<RunEvent>(home, `run-${runId}`);

const openedBy = ([first]: readonly RecordedEvent<RunEvent>[]): RunOpened['data'] => {
  if (first?.type !== 'RunOpened') throw new Error('the run was not opened');
  return first.data as RunOpened['data'];
};

describe('a study whose dimensions are too fine for its people', () => {
  it(
    'is run by coarser ones, as far as is needed, and its findings stand',
    async () => {
      const home = await openTestHome({ folder: await prepared.home() });
      const coarsen = [
        { dimension: 'paper', merge: ['white', 'brown'], into: 'any' },
        { dimension: 'route', merge: ['hills', 'coast'], into: 'land' },
      ];
      const study = await studyWith({ coarsen, minimumCell: 15 }, { maximumSuppression: 0 });
      const { runId, study: open } = good(await openRun(home, { study, seed: 1 }));
      const shown: string[] = [];
      const scripted = scriptedAgent([useFeatures('shift', 'route')]);
      const agent: typeof scripted = {
        ...scripted,
        proposeMutation: (view, hypothesis) => {
          shown.push(
            ...view.brief.dimensions.map(({ name, labels }) => `${name} ${labels.length}`),
          );
          return scripted.proposeMutation(view, hypothesis);
        },
      };
      expect(good(await driveRun(home, { runId, study: open, agent })).node).toBe('sealed');

      const events = await runEvents(home, runId);
      const opened = openedBy(events);
      expect(opened.cohorts).toMatchObject({ coarsened: 1, audit: { totals: 'told' } });
      expect(opened.cohorts?.dimensions.find(({ name }) => name === 'paper')).toEqual({
        name: 'paper',
        labels: ['any'],
      });
      expect(shown.slice(0, 5)).toContain('paper 1');
      expect(shown.slice(0, 5)).toContain('route 3');
      expect(events.some(({ type }) => type === 'MutationKept')).toBe(true);
      const verdict = await verdictOn(home, `${runId}-f1`);
      expect(verdict.rows.filter(({ passed }) => !passed)).toEqual([]);

      // Resumed from what the run recorded, the vault has the same cells and the same table.
      const again = good(await openStudy(home, study.folder, opened.policy, pinnedBy(opened)));
      expect(again.vault.counts).toEqual(open.vault.counts);
      expect(again.vault.release().table).toEqual(open.vault.release().table);
      await home.close();
    },
    PATIENCE,
  );
});

describe('a second table of the same rows', () => {
  it(
    'never leaves the vault, unless a human answers for it',
    async () => {
      const home = await openTestHome({ folder: await prepared.home() });
      const first = good(await openRun(home, { study: await studyWith({}), seed: 1 }));
      const same = good(await openRun(home, { study: await studyWith({}), seed: 2 }));
      expect((await home.runs.load(same.runId)).state.opened?.cohorts).not.toBeNull();

      const { policy } = await studyWith({});
      const fewer = { dimensions: policy.data.dimensions.slice(1) };
      const second = good(await openRun(home, { study: await studyWith(fewer), seed: 3 }));
      const events = await runEvents(home, second.runId);
      expect(openedBy(events).cohorts).toBeNull();
      expect(events[1]).toMatchObject({
        type: 'RunHalted',
        data: { by: 'pre-loop', breaches: [{ rule: 'one-table' }] },
      });
      expect(JSON.stringify(events[1]?.data)).toContain(`run ${first.runId}`);

      const disclosure = { ...policy.data.disclosure!, tables: 'any' } as const;
      const study = await studyWith({ ...fewer, disclosure });
      const third = good(await openRun(home, { study, seed: 4 }));
      expect(openedBy(await runEvents(home, third.runId)).cohorts).not.toBeNull();
      await home.close();
    },
    PATIENCE,
  );

  it(
    'is let out where the first one never left: its run ended before it was opened',
    async () => {
      const home = await openTestHome({ folder: await prepared.home() });
      const { policy } = await studyWith({});
      const fewer = { dimensions: policy.data.dimensions.slice(1) };
      const ending = {
        ...home,
        runs: { ...home.runs, send: () => Promise.reject(new Error('the process ended')) },
      };
      // There and back again: what was said is told from what is said anew.
      for (const data of [{}, fewer, {}, fewer, {}])
        await expect(openRun(ending, { study: await studyWith(data), seed: 1 })).rejects.toThrow(
          'the process ended',
        );
      const opened = good(await openRun(home, { study: await studyWith(fewer), seed: 1 }));
      const { cohorts, pins } = openedBy(await runEvents(home, opened.runId));
      expect(cohorts).not.toBeNull();
      const { tables } = (await home.data.load(pins.dataDigest)).state;
      expect(tables.map(({ runId, table }) => [runId, table])).toEqual([
        [opened.runId, cohorts?.table.sha256],
      ]);
      await home.close();
    },
    PATIENCE,
  );
});
