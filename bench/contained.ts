import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { driveRun, openHome, openRun } from '#apps/runner';
import { openSandbox } from '#libs/sandbox';
import { readStudy } from '#libs/studies';
import {
  alternatingAgent,
  CELLS,
  makeStudy,
  meteredHome,
  must,
  trainAlone,
  TRAIN_JS,
  writeFiles,
} from './iteration.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

/** Milliseconds; each is the median over turns. */
export interface ContainedBench {
  readonly turns: number;
  /** The program as it is: started by Node, without a sandbox or anything around it. */
  readonly bare: number;
  /** The same in the sandbox, with nothing around it. */
  readonly sandboxed: number;
  /**
   * A whole iteration of a run with it, for each of its trainings: gates, training, measuring, judging, recording. One that
   * is kept was trained with several seeds.
   */
  readonly whole: number;
}

/** The share that the sandbox and the gates may add to a training of a second. */
const MOST_ADDED = 0.1;

/** Computes for so long by the clock, as a training of fixed duration does, then does as the empty training. */
const training = (ms: number): string => `
let x = 0;
for (const until = performance.now() + ${ms}; performance.now() < until; ) x = Math.sin(x + 1);
if (x === 7) throw new Error('never: so that the loop is not taken out');
${TRAIN_JS}`;

/**
 * What the sandbox and the gates add to a training that computes for `trainingMs`: an iteration of a real run beside the
 * program alone, in and out of the sandbox, by turns.
 */
export const benchContained = async (turns = 8, trainingMs = 1000): Promise<ContainedBench> => {
  const root = await mkdtemp(join(tmpdir(), 'bench-contained-'));
  try {
    const program = training(trainingMs);
    const [study, alone] = [join(root, 'study'), join(root, 'alone')];
    await makeStudy(study, 'contained', program);
    await writeFiles(alone, {
      'program/train.js': program,
      'program/hyperparameters.json': '{ "p": 0.5 }\n',
      'program/package.json': '{ "type": "module" }\n',
      'data/cells.csv': CELLS,
    });
    await mkdir(join(alone, 'out'));
    const sandbox = must(await openSandbox());
    const { home, read } = await meteredHome(
      must(await openHome({ folder: join(root, 'home') })),
      sandbox,
    );

    const times = { bare: [] as number[], sandboxed: [] as number[], whole: [] as number[] };
    const timed = async (into: number[], what: () => Promise<unknown>): Promise<void> => {
      const since = performance.now();
      await what();
      into.push(performance.now() - since);
    };
    let since = 0;
    const agent = alternatingAgent(async (iteration) => {
      if (iteration > 0) times.whole.push((performance.now() - since) / read().trainings);
      await timed(times.bare, () =>
        promisify(execFile)(process.execPath, [join(alone, 'program/train.js'), alone]),
      );
      await timed(times.sandboxed, () => trainAlone(sandbox, alone, 60));
      // Those of the baseline belong to no iteration.
      read();
      since = performance.now();
      return iteration < turns + 1;
    });
    const run = must(await openRun(home, { study: must(await readStudy(study)), seed: null }));
    const done = must(await driveRun(home, { ...run, agent }));
    await home.close();
    if (done.haltMessage !== null) throw new Error(done.haltMessage);
    // The first turn warms up.
    const [bare, sandboxed, whole] = [times.bare, times.sandboxed, times.whole].map((each) =>
      median(each.slice(1)),
    ) as [number, number, number];
    return { turns: times.whole.length - 1, bare, sandboxed, whole };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

export const containedRows = ({ bare, sandboxed, whole }: ContainedBench): readonly Row[] => {
  const beside = `the program alone, no sandbox, ${bare.toFixed(0)} ms`;
  const row = (measure: string, value: number) => ({
    ...{ measure, value, unit: 'ms' as const, beside, ratio: value / bare, aim: null },
  });
  return [
    {
      ...row('the whole iteration, for each of its trainings', whole),
      aim: {
        text: `adds under ${MOST_ADDED * 100} %`,
        met: whole / bare < 1 + MOST_ADDED,
      },
    },
    row('  the same program in the sandbox alone', sandboxed),
  ];
};
