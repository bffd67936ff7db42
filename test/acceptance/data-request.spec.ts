import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driveRun, openRun, requestData, type Home, type OpenedStudy } from '#apps/runner';
import type { RunHalted } from '#libs/run';
import { readStudy } from '#libs/studies';
import type { DataRequest } from '#libs/vault';
import { eventsOf } from '../support/events.ts';
import { openTestHome } from '../support/follow.ts';
import { prepare, type Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';
import { undecided } from '../support/undecided.ts';

const PATIENCE = 60_000;

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
}, PATIENCE);
afterAll(() => prepared.remove());

/** A run whose agent asks for data before it proposes its first idea. */
const runAsking = async (request: (study: OpenedStudy) => DataRequest) => {
  const home: Home = await openTestHome({ folder: await prepared.home() });
  const onDisk = good(await readStudy(prepared.study));
  const { runId, study } = good(await openRun(home, { study: onDisk, seed: 1 }));
  const scripted = scriptedAgent([useFeatures('shift', 'route')]);
  let answer: Awaited<ReturnType<typeof requestData>> | null = null;
  const driven = await driveRun(home, {
    runId,
    study,
    agent: {
      ...scripted,
      proposeMutation: async (view, hypothesis) => {
        answer ??= await requestData(home, runId, study, request(study));
        return scripted.proposeMutation(view, hypothesis);
      },
    },
  });
  const events = await eventsOf(home, `run-${runId}`);
  expect(await undecided(home)).toEqual([]);
  await home.close();
  return { driven, answer: answer as Awaited<ReturnType<typeof requestData>> | null, events };
};

describe("an agent's request for data", () => {
  it(
    'is answered from the base cohort table, and stands in the log',
    async () => {
      const { driven, answer, events } = await runAsking(({ policy }) => ({
        dimensions: policy.data.dimensions.slice(0, 1).map(({ name }) => name),
      }));
      expect(good(driven).node).toBe('sealed');
      const cohorts = answer?.ok === true ? answer.value.cohorts : [];
      expect(cohorts.length).toBeGreaterThan(0);
      const people = cohorts.reduce((sum, cohort) => sum + cohort.people, 0);
      expect(events.find(({ type }) => type === 'CohortsServed')?.data).toMatchObject({
        cells: cohorts.length,
        people,
      });
    },
    PATIENCE,
  );

  it(
    'for individual records halts the run: nothing is served, nothing goes on, no finding leaves',
    async () => {
      const { driven, answer, events } = await runAsking(() => ({
        dimensions: [],
        rows: 'individuals',
      }));
      expect(answer).toMatchObject({ ok: false, error: { code: 'halted' } });
      expect(good(driven).haltMessage).toMatch(/^SYSTEM HALT: INDIVIDUAL DATA WAS ASKED FOR/);
      const types = events.map(({ type }) => type);
      expect(types.slice(-2)).toEqual(['RunHalted', 'RunHeadSigned']);
      expect(types).not.toContain('CohortsServed');
      const halt = events.at(-2)?.data as RunHalted['data'];
      expect(halt).toMatchObject({ by: 'data-request', breaches: [{ rule: 'individual-level' }] });
    },
    PATIENCE,
  );
});
