import { describe, expect, it } from 'vitest';
import { benchAppend } from '../bench/append.ts';
import { benchContained, containedRows } from '../bench/contained.ts';
import { benchIteration } from '../bench/iteration.ts';
import { benchJobs, jobsRows } from '../bench/jobs.ts';
import { benchManyRuns, manyRunsRows } from '../bench/many-runs.ts';
import { benchReads, readsRows } from '../bench/reads.ts';
import { benchRebuild, rebuildRows } from '../bench/rebuild.ts';
import { benchRelease, releaseRows } from '../bench/release.ts';
import { benchReplay } from '../bench/replay.ts';
import { appendRows, iterationRows, replayRows, verifyRows, type Row } from '../bench/rows.ts';
import { benchVerify } from '../bench/verify.ts';

/** That every measure measures something; how fast it is, `npm run bench` says on a quiet machine. */
const measured = (rows: readonly Row[]): void => {
  for (const { measure, value, ratio } of rows) {
    expect(value, measure).toBeGreaterThan(0);
    expect(value, measure).toBeLessThan(Infinity);
    if (ratio !== null) expect(ratio, measure).toBeGreaterThan(0);
  }
};

describe('the benchmarks', () => {
  it('follow a real run, with what it is compared to', async () => {
    const bench = await benchIteration(1, 2);
    expect(bench.iterations).toBe(2);
    // Every other one of the four.
    expect(bench.kept).toBe(2);
    // For each training; one that is kept has several.
    expect(3 * bench.whole).toBeGreaterThan(bench.sandbox);
    measured(iterationRows(bench));
  });

  it('train contained, beside the program alone', async () => {
    const bench = await benchContained(1, 50);
    expect(bench.turns).toBe(1);
    measured(containedRows(bench));
  });

  it('open a study with its release audited, and without', async () => {
    const bench = await benchRelease('examples', 1);
    expect(bench.map(({ study }) => study)).toEqual(['pay', 'lending']);
    // What the first audit adds is next to nothing where another test has loaded the solver.
    measured(releaseRows(bench).filter(({ ratio }) => ratio !== null));
  });

  it('append the events of a real run beside raw SQLite', async () => {
    const bench = await benchAppend(1, 64);
    expect(bench.eventBytes).toBeGreaterThan(100);
    measured(appendRows(bench));
  });

  it('fold a run and rebuild the views', async () => {
    const bench = await benchReplay(50, 1);
    expect(bench.events).toBeGreaterThanOrEqual(50);
    measured(replayRows([bench, bench]));
  });

  it('rebuild the views of many runs', async () => {
    const bench = await benchRebuild(3, 50, 1);
    expect(bench.events).toBeGreaterThanOrEqual(150);
    // Without PostgreSQL the row says why not.
    measured(rebuildRows(bench).filter(({ measure }) => !measure.includes('not measured')));
  });

  it('drive several runs at once beside one', async () => {
    const bench = await benchManyRuns(3, { iterations: 2, turns: 1, trainingMs: 100 });
    measured(manyRunsRows(bench));
  });

  it('run trainings on Redis beside BullMQ alone', async ({ skip }) => {
    const bench = await benchJobs(1, 10);
    if (bench === null) skip('no Redis');
    expect(bench?.jobBytes).toBeGreaterThan(100);
    measured(jobsRows(bench));
  });

  it('read through the API on a log of many runs', async () => {
    const bench = await benchReads(1_000, {
      until: { answers: 50 },
      eventsOfARun: 50,
      studies: 3,
    });
    expect(bench.events).toBeGreaterThanOrEqual(1_000);
    expect(bench.reads.length).toBeGreaterThan(10);
    measured(readsRows(bench));
  });

  it('verify a run to its PASS', async () => {
    const bench = await benchVerify(50);
    // What the garbage collector leaves of so little may be less than nothing.
    measured(verifyRows([bench, bench]).filter(({ unit }) => unit !== 'MB'));
  });
});
