import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#libs/kernel';
import type { MetricObserved, RunEvent, TrainingPurpose } from '#libs/run';
import { projectRuns } from '../runs/project.ts';
import { recorder } from '../testing/recorded-run.ts';
import { projectCutoverAudit } from './project.ts';

const estimate = { name: 'log-loss', value: 0.5, standardError: 0.01, n: 1000 };
const observed = (purpose: TrainingPurpose, mutationId: string | null): MetricObserved => ({
  type: 'MetricObserved',
  data: {
    trainingId: 't',
    purpose,
    mutationId,
    observation: {
      metric: estimate,
      auc: null,
      secondary: [],
      difference: null,
      check: null,
      gapChange: null,
      cells: { scored: 1, suppressed: 0 },
    },
    overSeeds: null,
    charts: [],
    ladderScore: null,
  },
});
const reverted = (mutationId: string | null, undone: readonly string[]): RunEvent => ({
  type: 'RunReverted',
  data: {
    fromTree: 'a',
    toTree: 'b',
    toCommit: 'c',
    toTrainingId: 't',
    toMetric: 0.7,
    mutationId,
    undone,
    reason: 'stability',
  },
});
const recorded = (event: RunEvent): RecordedEvent => {
  const { events, record } = recorder();
  record('run-r1', event);
  const [only] = events;
  if (only === undefined) throw new Error('nothing was recorded');
  return only;
};

describe("the harness's own trainings", () => {
  it('are no attempts and no result of one', () => {
    expect(projectCutoverAudit(recorded(observed('candidate', 'm1')))).toHaveLength(1);
    expect(projectCutoverAudit(recorded(observed('replicate', 'm1')))).toEqual([]);
    expect(projectCutoverAudit(recorded(observed('remeasurement', null)))).toEqual([]);
  });

  it('undo kept mutations only, when one of them fires', () => {
    const changes = projectCutoverAudit(recorded(reverted(null, ['m1', 'm2'])));
    expect(changes.map((change) => JSON.stringify(change).includes('"undone"'))).toEqual([
      true,
      true,
    ]);
    expect(projectRuns(recorded(reverted(null, ['m1', 'm2'])))).toMatchObject([
      { add: { diverged: 1, kept: -2 } },
    ]);
    expect(projectRuns(recorded(reverted('m2', ['m1', 'm2'])))).toMatchObject([
      { add: { diverged: 1, kept: -1 } },
    ]);
  });
});
