import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { searchAgent } from '#libs/agents';
import { FILE_DOMAINS } from '#libs/harness';
import { parseStudyFile } from '#libs/studies';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');
const run = promisify(execFile);

const STUDIES = [
  'pay/holdfast.yaml',
  'pay/halt-pre-loop.yaml',
  'pay/halt-mid-loop.yaml',
  'pay/halt-post-loop.yaml',
  'lending/holdfast.yaml',
];

const policyOf = async (study: string) => {
  const read = parseStudyFile(await readFile(join(EXAMPLES, study), 'utf8'), study);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
};

describe.each(STUDIES)('examples/%s', (study) => {
  it('is a lawful study file; only the mid-loop example is warned of', async () => {
    const { warnings } = await policyOf(study);
    expect(warnings.length > 0).toBe(study.includes('mid-loop'));
  });

  it('has mutable files that an agent leaves as they are where it changes nothing', async () => {
    const { policy } = await policyOf(study);
    const folder = join(EXAMPLES, study, '..', policy.program.path);
    for (const file of FILE_DOMAINS.flatMap((domain) => policy.program.mutable[domain])) {
      const text = await readFile(join(folder, file), 'utf8');
      expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    }
    expect(() => searchAgent(policy.agent)).not.toThrow();
  });
});

describe.each(['pay', 'lending'])('the training program of examples/%s', (example) => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-example-'));
    await cp(join(EXAMPLES, example, 'program'), join(root, 'program'), { recursive: true });
    for (const folder of ['task', 'data', 'out']) await mkdir(join(root, folder));
    await writeFile(
      join(root, 'data/train.csv'),
      'cell,pirat,education,phist,n,positive\n0,a,a,no,100,20\n1,a,b,no,100,60\n2,b,a,no,50,40\n',
    );
    await writeFile(
      join(root, 'data/cells.csv'),
      'cell,pirat,education,phist\n0,a,a,no\n1,a,b,no\n2,b,a,no\n3,b,b,yes\n',
    );
  });
  afterEach(() => rm(root, { recursive: true }));

  const train = async (task: object = {}) => {
    const dimensions = ['pirat', 'education', 'phist'].map((name) => ({
      name,
      labels: name === 'phist' ? ['no', 'yes'] : ['a', 'b'],
    }));
    const whole = { seed: 1, seconds: 10, steps: null, dimensions, outcome: 'high_pay', ...task };
    await writeFile(join(root, 'task/task.json'), JSON.stringify(whole));
    const { stdout } = await run(process.execPath, [join(root, 'program/train.js'), root]);
    return {
      progress: stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      report: JSON.parse(await readFile(join(root, 'out/report.json'), 'utf8')),
      predictions: await readFile(join(root, 'out/predictions.csv'), 'utf8'),
    };
  };
  const configure = (file: string, content: object) =>
    writeFile(join(root, 'program', file), JSON.stringify(content));

  it('predicts every cell once, says its steps and reports progress', async () => {
    const { progress, report, predictions } = await train();
    const [header, ...lines] = predictions.trimEnd().split('\n');
    expect(header).toBe('cell,p');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['0', '1', '2', '3']);
    for (const line of lines) {
      expect(Number(line.split(',')[1])).toBeGreaterThan(0);
      expect(Number(line.split(',')[1])).toBeLessThan(1);
    }
    expect(progress.at(-1)).toEqual({ step: report.steps, of: report.steps });
  });

  it('comes to the same bytes from the same seed, and a replay too', async () => {
    await configure('architecture.json', { interactions: 'pairs', hidden: 4 });
    const first = await train();
    expect(await train({ steps: first.report.steps })).toMatchObject({
      report: first.report,
      predictions: first.predictions,
    });
    expect((await train({ seed: 2 })).predictions).not.toBe(first.predictions);
  });

  it('takes as many steps as a replay asks for', async () => {
    const { report } = await train({ steps: 7 });
    expect(report).toEqual({ steps: 7 });
  });

  it('stops before the wall clock does', async () => {
    await configure('hyperparameters.json', { learning_rate: 0.1, epochs: 1e9, l2: 0 });
    const { report } = await train({ seconds: 0.3 });
    expect(report.steps).toBeGreaterThan(0);
    expect(report.steps).toBeLessThan(1e9);
  });

  it('learns the rates of the table', async () => {
    await configure('hyperparameters.json', { learning_rate: 0.1, epochs: 2000, l2: 0 });
    await configure('features.json', { use: ['pirat', 'education'] });
    const { predictions } = await train();
    const [first, second] = predictions
      .split('\n')
      .slice(1, 3)
      .map((line) => Number(line.split(',')[1]));
    expect(first).toBeCloseTo(0.2, 2);
    expect(second).toBeCloseTo(0.6, 2);
  });

  it('refuses a feature that is no dimension', async () => {
    await configure('features.json', { use: ['wage'] });
    await expect(train()).rejects.toThrow(/RangeError: features.json names no dimension: wage/);
  });
});

it('is one program in both examples', async () => {
  for (const file of ['train.js', 'model.js']) {
    const [pay, lending] = ['pay', 'lending'].map((example) =>
      readFile(join(EXAMPLES, example, 'program', file), 'utf8'),
    );
    expect(await lending).toBe(await pay);
  }
});
