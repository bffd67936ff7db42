import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { driveRun, openHome, openRun } from '#apps/runner';
import { openSandbox, type Sandbox } from '#libs/sandbox';
import { readStudy } from '#libs/studies';
import { alternatingAgent, makeStudy, must, TRAIN_JS, writeFiles } from './iteration.ts';
import { median } from './median.ts';
import type { Row } from './rows.ts';

/** Milliseconds; each is the median over turns. */
export interface ContainedBench {
  readonly turns: number;
  /** The program as it is: started by Node, without a sandbox or anything around it. */
  readonly bare: number;
  /** The same in the sandbox, with nothing around it. */
  readonly sandboxed: number;
  /** A whole iteration of a run with it: gates, training, measuring, judging, recording. */
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

const CELLS = ['cell,name', ...Array.from({ length: 16 }, (_, cell) => `${cell},x`), ''].join('\n');

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
    const home = must(await openHome({ folder: join(root, 'home') }));
    const sandbox = must(await openSandbox());

    const times = { bare: [] as number[], sandboxed: [] as number[], whole: [] as number[] };
    const timed = async (into: number[], what: () => Promise<unknown>): Promise<void> => {
      const since = performance.now();
      await what();
      into.push(performance.now() - since);
    };
    let since = 0;
    const agent = alternatingAgent(async (iteration) => {
      if (iteration > 0) times.whole.push(performance.now() - since);
      await timed(times.bare, () =>
        promisify(execFile)(process.execPath, [join(alone, 'program/train.js'), alone]),
      );
      await timed(times.sandboxed, () => runAlone(sandbox, alone));
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

const runAlone = async (sandbox: Sandbox, alone: string): Promise<void> => {
  const { ended, files, stderr } = await sandbox.run({
    command: ['/runtime/node', '/program/train.js'],
    readOnly: [
      { from: process.execPath, to: '/runtime/node' },
      { from: join(alone, 'program'), to: '/program' },
      { from: join(alone, 'data'), to: '/data' },
    ],
    outputFiles: { names: ['predictions.csv', 'report.json'], maxFiles: 16, maxBytes: 1e6 },
    limits: { seconds: 60, memoryMb: 512, processes: 16, openFiles: 128, logBytes: 1e5 },
  });
  if (ended !== 'exited' || files.length !== 2) throw new Error(`the training ${ended}: ${stderr}`);
};

export const containedRows = ({ bare, sandboxed, whole }: ContainedBench): readonly Row[] => {
  const beside = `the program alone, no sandbox, ${bare.toFixed(0)} ms`;
  const row = (measure: string, value: number) => ({
    ...{ measure, value, unit: 'ms' as const, beside, ratio: value / bare, aim: null },
  });
  return [
    {
      ...row('the whole iteration', whole),
      aim: {
        text: `adds under ${MOST_ADDED * 100} %`,
        met: whole / bare < 1 + MOST_ADDED,
      },
    },
    row('  the same program in the sandbox alone', sandboxed),
  ];
};
