import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sandboxExecutor } from '#libs/executors';
import { openSandbox } from '#libs/sandbox';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const run = promisify(execFile);

const TASK = {
  seed: 1,
  seconds: 10,
  steps: null as number | null,
  outcome: 'y',
  dimensions: ['education', 'experience'].map((name) => ({ name, labels: ['a', 'b'] })),
};
const TRAIN =
  'cell,education,experience,n,positive\n0,a,a,100,20\n1,a,b,100,60\n2,b,a,50,40\n3,b,b,50,45\n';
const CELLS = 'cell,education,experience\n0,a,a\n1,a,b\n2,b,a\n3,b,b\n';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-programs-'));
  for (const folder of ['task', 'data', 'out']) await mkdir(join(root, folder));
  await writeFile(join(root, 'data/train.csv'), TRAIN);
  await writeFile(join(root, 'data/cells.csv'), CELLS);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const rates = (predictions: string): readonly number[] =>
  predictions
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[1]));

/** What the gate reads are programs that run: their tables' order is what they learn. */
const expectLearned = (predictions: string): void => {
  expect(predictions.split('\n')[0]).toBe('cell,p');
  const [low = 1, high = 0] = rates(predictions);
  expect(rates(predictions)).toHaveLength(4);
  expect(low).toBeLessThan(0.5);
  expect(high).toBeGreaterThan(low);
};

describe('a program in TypeScript', () => {
  const train = async (task: typeof TASK) => {
    await writeFile(join(root, 'task/task.json'), JSON.stringify(task));
    const program = join(root, 'program');
    await cp(join(FIXTURES, 'typescript-program'), program, { recursive: true });
    const sandbox = await openSandbox();
    if (!sandbox.ok) throw new Error(sandbox.error.message);
    const executor = await sandboxExecutor({
      sandbox: sandbox.value,
      node: process.execPath,
      version: process.version,
    });
    if (!executor.ok) throw new Error(executor.error.message);
    const outcome = await executor.value.run({
      entry: 'train.ts',
      readOnly: [
        { from: program, to: '/program' },
        { from: join(root, 'task'), to: '/task' },
        { from: join(root, 'data'), to: '/data' },
      ],
      owner: { runId: 'programs-1', trainingId: 'training-1' },
      limits: { seconds: 20, memoryMb: 512, processes: 64, openFiles: 256, logBytes: 50_000 },
      outputFiles: { maxFiles: 10, maxBytes: 100_000 },
    });
    expect(outcome, outcome.stderr).toMatchObject({ ended: 'exited', exitCode: 0 });
    return Object.fromEntries(
      outcome.files.map(({ path, content }) => [path, new TextDecoder().decode(content)]),
    );
  };

  it('runs in the sandbox from train.ts, its types stripped', async () => {
    const files = await train(TASK);
    expectLearned(files['predictions.csv'] ?? '');
    expect(JSON.parse(files['report.json'] ?? '')).toEqual({ steps: 200 });
    const replayed = await train({ ...TASK, steps: 200 });
    expect(replayed['predictions.csv']).toBe(files['predictions.csv']);
  });
});

describe('a program in Python', () => {
  it('is one that Python 3 runs, where there is one: no executor runs it yet', async () => {
    const python = await run('python3', ['--version']).catch(() => null);
    if (python === null) return;
    await writeFile(join(root, 'task/task.json'), JSON.stringify(TASK));
    await run('python3', ['-B', join(FIXTURES, 'python-program/train.py'), root]);
    expectLearned(await readFile(join(root, 'out/predictions.csv'), 'utf8'));
    expect(JSON.parse(await readFile(join(root, 'out/report.json'), 'utf8'))).toEqual({
      steps: 200,
    });
  });
});
