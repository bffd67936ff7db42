import { describe, expect, it } from 'vitest';
import { examplePolicy } from '../../harness/src/testing/policy.ts';
import { observation } from './testing/scenario.ts';
import { RUN_UPCASTERS } from './upcasters.ts';

const [openedOfVersion1] = RUN_UPCASTERS.RunOpened;

const { coarsen: _c, magnitudes: _m, disclosure: _d, ...data } = examplePolicy.data;
const first = {
  policy: { ...examplePolicy, version: 1, keep: { falseKeeps: 0.05 }, data },
  cohorts: {
    minimumCell: 11,
    released: { cells: 2, people: 90 },
    suppressed: { cells: 1, people: 4 },
    people: { train: 94, dev: 1, check: 1, sealed: 1 },
  },
} as unknown as Parameters<typeof openedOfVersion1>[0];

it("reads a release of version 1 as what it was: by the policy's dimensions, and not audited", () => {
  const opened = openedOfVersion1(first);
  expect(opened.cohorts).toEqual({
    ...first.cohorts,
    dimensions: [{ name: 'region', labels: ['n', 's'] }],
    coarsened: 0,
    audit: null,
  });
  expect(opened.policy.data).toMatchObject({ coarsen: [], magnitudes: [], disclosure: null });
  expect(openedOfVersion1({ ...first, cohorts: null }).cohorts).toBeNull();
});

const ruling = { improvement: 0.01, standardError: 0.001, z: 10, threshold: 2.4, trials: 6 };
const unsaid = { level: null, seeds: null, rowError: null, seedError: null };

describe('events of version 1 in the shape of version 2', () => {
  it('say of a metric what it was of: no mutation means the baseline', () => {
    const observed = {
      trainingId: 't',
      observation: observation(0.7, null, null),
      charts: [],
      ladderScore: 0.7,
    };
    const [upcast] = RUN_UPCASTERS.MetricObserved;
    expect(upcast({ ...observed, mutationId: null })).toMatchObject({
      purpose: 'baseline',
      overSeeds: null,
      ladderScore: 0.7,
    });
    expect(upcast({ ...observed, mutationId: 'm' })).toMatchObject({ purpose: 'candidate' });
  });

  it('hold rulings that do not say what was not asked then', () => {
    const [kept] = RUN_UPCASTERS.MutationKept;
    const [reverted] = RUN_UPCASTERS.MutationReverted;
    const of = { mutationId: 'm', commit: 'c', tree: 't', trainingId: 't', metric: 0.6 };
    expect(kept({ ...of, ruling }).ruling).toEqual({ ...ruling, ...unsaid });
    const back = { mutationId: 'm', fromTree: 'a', toTree: 'b' } as const;
    expect(reverted({ ...back, reason: 'not-better-than-noise', ruling }).ruling).toEqual({
      ...ruling,
      ...unsaid,
    });
    expect(reverted({ ...back, reason: 'timed-out', ruling: null }).ruling).toBeNull();
  });

  it('name the candidate of every revert: the last that it undid', () => {
    const [upcast] = RUN_UPCASTERS.RunReverted;
    const reverted = {
      fromTree: 'a',
      toTree: 'b',
      toCommit: 'c',
      toTrainingId: 't',
      toMetric: 0.7,
      undone: ['kept', 'candidate'],
      reason: 'gain',
    };
    expect(upcast(reverted)).toEqual({ ...reverted, mutationId: 'candidate' });
  });
});

describe('what humans wrote in version 1', () => {
  const [halted] = RUN_UPCASTERS.RunHalted;
  const [ended] = RUN_UPCASTERS.LoopEnded;
  const halt = { by: 'human', breaches: [], mutationId: null } as const;

  it('is a note in clear beside the words of the harness', () => {
    const because = 'HALTED BY A HUMAN: the data were replaced';
    expect(halted({ ...halt, reason: because, message: `SYSTEM HALT: ${because}` })).toEqual({
      ...halt,
      reason: 'HALTED BY A HUMAN',
      message: 'SYSTEM HALT: HALTED BY A HUMAN',
      note: { kind: 'plain', text: 'the data were replaced' },
    });
    const end = { tree: 't', commit: 'c', spent: 5, total: 100 };
    expect(ended({ ...end, reason: 'stopped', message: 'enough' })).toEqual({
      ...end,
      reason: 'stopped',
      message: 'stopped by a human',
      note: { kind: 'plain', text: 'enough' },
    });
  });

  it('leaves what the harness and agents wrote as it was', () => {
    const gate = {
      ...halt,
      by: 'mid-loop',
      reason: 'a gate',
      message: 'SYSTEM HALT: a gate',
    } as const;
    expect(halted(gate)).toEqual({ ...gate, note: null });
    const end = { tree: 't', commit: 'c', spent: 5, total: 100, message: 'done' } as const;
    expect(ended({ ...end, reason: 'finished' })).toEqual({
      ...end,
      reason: 'finished',
      note: null,
    });
  });
});
