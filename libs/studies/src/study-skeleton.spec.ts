import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeProblem } from './study-file.ts';
import { readStudy } from './study-folder.ts';
import { studySkeleton } from './study-skeleton.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-skeleton-'));
  for (const [path, text] of Object.entries(studySkeleton())) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});
afterEach(() => rm(folder, { recursive: true }));

describe('the skeleton of a study', () => {
  it('is a sound study without warnings', async () => {
    const read = await readStudy(folder);
    expect(read.ok ? [] : read.error.map(describeProblem)).toEqual([]);
    expect(read.ok && read.value.warnings).toEqual([]);
  });

  it('is the same every time', () => {
    expect(studySkeleton()).toEqual(studySkeleton());
  });

  it('has a program that learns what its features say', async () => {
    const root = join(folder, 'root');
    for (const path of ['task', 'data', 'out']) await mkdir(join(root, path), { recursive: true });
    await writeFile(
      join(root, 'task/task.json'),
      JSON.stringify({ seed: 1, seconds: 10, steps: null }),
    );
    await writeFile(
      join(root, 'data/train.csv'),
      'hours,n,positive\nbelow 4,100,20\nmore,100,80\n',
    );
    await writeFile(join(root, 'data/cells.csv'), 'cell,hours\n0,below 4\n1,more\n');
    await promisify(execFile)(process.execPath, [join(folder, 'program/train.js'), root]);
    const predictions = await readFile(join(root, 'out/predictions.csv'), 'utf8');
    const [header, low, high] = predictions.trimEnd().split('\n');
    expect(header).toBe('cell,p');
    expect(Number(low?.split(',')[1])).toBeCloseTo(0.2, 1);
    expect(Number(high?.split(',')[1])).toBeCloseTo(0.8, 1);
    const report: unknown = JSON.parse(await readFile(join(root, 'out/report.json'), 'utf8'));
    expect(report).toEqual({ steps: 100 });
  });
});
